#!/usr/bin/env bash
# The journal as its user meets it: kept beside the report while a run lasts, resumed after a crash, checked by a
# reader that shares no code with the tools, refused when it is damaged, foreign or in use.
# SPDX-License-Identifier: MIT
# Ports below the ephemeral range, on a loopback of its own: see failures.sh.
((EUID == 0)) && own=(unshare -n) || own=(unshare -rn)
if [[ -z ${DP_OWN_LOOPBACK:-} ]] && "${own[@]}" ip link set lo up 2>/dev/null; then
  # shellcheck disable=SC2016  # for the inner shell
  DP_OWN_LOOPBACK=1 exec "${own[@]}" bash -c 'ip link set lo up && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
quick=(--backend synthetic --service fixed:5ms --rate max --heartbeat 200ms "${synthetic[@]}")
journal=$work/run.journal
check_journal() { "$root/tests/journal/check_journal.py" "$@"; }

# ── kept beside the report while the run lasts, and gone with it ──
launch plain --samples 3200 "${quick[@]}"
wait_for "a journal beside the report" test -s "$work/plain.json.journal"
finish
((status == 0)) || die "status $status"
[[ ! -e $work/plain.json.journal ]] || die "the journal is still there"
check plain "$accounted" '.config.collect.journal | endswith("plain.json.journal")'
rm -rf "$work/logs"

run without --samples 320 --journal none "${quick[@]}"
((status == 0)) || die "status $status"
check without "$accounted" '.config.collect.journal == "none"'

# ── killed and restarted: the run completes, and says that its timing is no longer honest ──
collect=("$DP_BIN/dp-collect" --heartbeat 200ms --out "$work/resumed.json" --journal "$journal")
holds_bytes() { [[ -f $2 ]] && (($(stat -c %s "$2") >= $1)); }
kill_ledger "some settlements" holds_bytes 70000 "$journal"
"${collect[@]}" 2>"$work/resumed.err"
status=$?
((status == 3)) || die "resumed: status $status, wanted 3"
grep -q "going on with run" "$work/resumed.err" || die "nothing was said of going on"
check resumed "$accounted" '.samples.completed == 12800' \
  '[.verdicts[] | select(.ok | not) | .criterion] == ["the ledger was there throughout"]'
check_journal "$journal" "$work/resumed.json" >"$work/checked" || die "check_journal.py: $(cat "$work/checked")"

# ── a finished run is only reported again ──
figures='del(.samples.duplicates_discarded, .batches.duplicates_discarded) | {samples, batches, latency_ms, strategy}'
jq "$figures" "$work/resumed.json" >"$work/before"
rm "$work/resumed.json"
"${collect[@]}" 2>"$work/again.err"
status=$?
((status == 3)) || die "reported again: status $status"
grep -q "this is the report of" "$work/again.err" || die "nothing was said of the end"
jq "$figures" "$work/resumed.json" | diff "$work/before" - || die "another report"

# ── left beside a report by a crash: not taken for the new run ──
cp "$journal" "$work/resumed.json.journal"
start "$DP_BIN/dp-collect" --bind tcp://127.0.0.1:5608 --out "$work/resumed.json"
run_pid=${extra_pids[-1]}
wait_for "a new dp-collect" grep -q READY "$work/$extra.err"
run_pid=''
grep -q "going on with\|report of" "$work/$extra.err" && die "took the old run up: $(cat "$work/$extra.err")"
kill -TERM "${extra_pids[-1]}"
wait "${extra_pids[-1]}"
status=$?
((status == 130)) || die "interrupted: status $status"
unset 'extra_pids[-1]'

# ── refused: foreign, damaged, in use ──
refused() {
  local what=$1 words=$2
  shift 2
  "$DP_BIN/dp-collect" --bind tcp://127.0.0.1:5609 --journal "$@" 2>"$work/refused.err"
  status=$?
  ((status == 1)) || die "$what: status $status"
  grep -q "$words" "$work/refused.err" || die "$what: $(cat "$work/refused.err")"
}
cp "$root/README.md" "$work/foreign"
refused "a file that is no journal" "not a journal" "$work/foreign"
cmp "$root/README.md" "$work/foreign" || die "a foreign file was changed"
cp "$journal" "$work/damaged"
printf 'x' | dd of="$work/damaged" bs=1 seek=300 conv=notrunc status=none
refused "a damaged journal" "damaged\|bad record" "$work/damaged"
exec 9<"$journal"
flock -x 9
refused "a journal in use" "in use" "$journal"
exec 9<&-
"$DP_BIN/dp-collect" --out "$work/same" --journal "$work/../$(basename "$work")/same" 2>"$work/refused.err"
status=$?
((status == 2)) || die "the journal where the report goes: status $status"
echo ok
