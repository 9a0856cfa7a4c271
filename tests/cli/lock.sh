#!/usr/bin/env bash
# One measurement at a time on a host, and one sweep in a folder of results: who comes second is told who has it, or
# waits; and whatever becomes of the first, its lock goes with it.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CI DEPS DP_LOCK_WAIT
cd "$scratch" || exit 1
export DP_BIN=$bin TMPDIR=$scratch
script=$source_dir/pipelines/run-local.sh
quick=(--backend null --data synthetic:1x4x4 --rate max --samples 640 --live none)

# first [OPTION…]: a run of minutes; its id in $one.
first() {
  "$script" --backend synthetic --service fixed:20ms --data synthetic:1x4x4 --rate 400 --samples 400000 --live none --logs logs \
    --out there.json 2>first.err </dev/null &
  one=$!
  command="the first run"
  wait_until 30 "the first run is under way" grep -qs READY logs/stream.log
}
says() { grep -qs -- "$1" "$2"; }

# ── run-local.sh ──
run "$script" "${quick[@]}" --lock-wait soon
expect_status 2
expect_line err "--lock-wait 'soon'" 10min
first
run "$script" "${quick[@]}"
expect_status 1
expect_empty out
expect_line err 'run-local.sh: this host is measured already' "by process $one (" ', since 2' '--backend synthetic'
expect_line err '--lock-wait 10min'
DP_LOCK=$scratch/elsewhere run "$script" "${quick[@]}"
expect_status 0

# In the first second of a shell whose clock stands at 0, too.
run env SECONDS=0 WAIT=0 RESULTS="$scratch/zero" DP_LOCK="$scratch/zero.lock" "$source_dir/pipelines/sweep-lock.sh" $$ "a sweep"
expect_status 0

# Waiting; the first is ended meanwhile.
"$script" "${quick[@]}" --lock-wait 2min >second.json 2>second.err </dev/null &
two=$!
wait_until 30 "the second waits" says "waiting: this host is measured already by process $one " second.err
kill -TERM "$one"
wait "$one"
wait "$two"
status=$?
expect_status 0
jq -e '.samples.completed == 640' second.json >/dev/null || fail "the run that waited reports something else"

# Killed: its tools live on, and keep no lock.
rm -r logs
first
kill -KILL "$one"
wait "$one" 2>/dev/null
DP_LOCK_WAIT=30s run "$script" "${quick[@]}"
expect_status 0
[[ -d /proc/$(<logs/w0.pid) ]] || fail "no tool of the killed run was left to keep the lock"
for pid in $(cat logs/*.pid); do kill -KILL "$pid"; done

# Another account's lock.
if ((EUID == 0)); then
  chmod 755 "$scratch" && mkdir -m 1777 shared && cp "$source_dir/pipelines/lock.bash" shared
  other_user() { DP_LOCK=$PWD/shared/lock setpriv --reuid 65534 --regid 65534 --clear-groups bash -c ". shared/lock.bash; $1"; }
  mkfifo shared/end
  # shellcheck disable=SC2016  # for the other shell
  other_user 'hold_host $$ "what another user does" && : >shared/theirs && read -r <shared/end' >/dev/null 2>other_user.err &
  command="another account's lock"
  wait_until 30 "the other user has it" test -e shared/theirs
  DP_LOCK=$scratch/shared/lock run "$script" "${quick[@]}"
  expect_status 1
  expect_line err '(nobody)' 'what another user does'
  echo >shared/end
  wait
  DP_LOCK_WAIT=30s DP_LOCK=$scratch/shared/lock run "$script" "${quick[@]}"
  expect_status 0
fi

# ── make: from its beginning to its end ──
cat >run-local.sh <<E2
#!/usr/bin/env bash
echo >>"$scratch/called"
until [[ -e "$scratch/go" ]]; do read -rt 0.05 <> <(:); done
exec "$script" "\$@"
E2
chmod +x run-local.sh
sweep=(make -C "$source_dir" --no-print-directory -f Makefile.bench matrix BIN="$bin" DEPS=skip RESULTS="$scratch/results" BACKEND=null SAMPLES=64
  WORKERS=1 STRATEGIES=dynamic ITERATIONS=2 RUN_LOCAL="$scratch/run-local.sh")
run "${sweep[@]}" WAIT=soon
((status != 0)) || fail "WAIT=soon is not refused"
expect_line err 'WAIT=soon is refused' 10min
"${sweep[@]}" >one.out 2>one.err </dev/null &
one=$!
command="a sweep"
wait_until 60 "a sweep measures" test -e called
run "${sweep[@]}"
((status != 0)) || fail "two sweeps at once"
expect_line err "this host is measured already by process $one (" 'make -f Makefile.bench matrix' BACKEND=null
expect_line err WAIT=10min
DP_LOCK=$scratch/elsewhere run "${sweep[@]}"
((status != 0)) || fail "two sweeps at once into one folder"
expect_line err "$scratch/results is being written to by process $one (" 'make -f Makefile.bench matrix'
run "$script" "${quick[@]}"
expect_status 1
expect_line err "by process $one ("
"${sweep[@]}" WAIT=2min >two.out 2>two.err </dev/null &
two=$!
wait_until 60 "another sweep waits" says 'waiting: this host' two.err
: >go
wait "$one" || fail "the first sweep failed: $(<one.err)"
wait "$two" || fail "the sweep that waited failed: $(<two.err)"
says 'all 2 runs are there already' two.err || fail "the sweep that waited measured anew: $(<two.err)"
[[ $(wc -l <called) == 2 ]] || fail "$(wc -l <called) runs instead of 2"
echo ok
