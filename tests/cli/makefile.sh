#!/usr/bin/env bash
# Makefile.bench's orchestration: help, refusals, order, keys, resuming. The runs themselves are a stub that writes a
# minimal run.json, so nothing is built or measured here.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

source=${DP_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CI DEPS
tmp=$(mktemp -d)
export DP_LOCK=$tmp/lock  # neither a test nor a measuring user is in the other's way
trap 'rm -rf "$tmp"' EXIT

# A project of stubs, so that the keys depend on nothing but this test.
mkdir -p "$tmp/project/lib/route" "$tmp/project/lib/plot" "$tmp/project/lib/report" "$tmp/project/tools" "$tmp/project/data/weights"
cd "$tmp/project"
ln -s "$source/Makefile.bench" "$source/pipelines" .
touch CMakeLists.txt lib/route/strategy.cpp lib/plot/plot.cpp lib/report/tables.cpp data/weights/resnet18.safetensors data/test_512.bin

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  [[ ! -s $tmp/output ]] || { echo '--- output:'; cat "$tmp/output"; } >&2
  exit 1
}

# What a run does is told by files: "status", "lost" and "signal" name the run (as in dynamic-n1-max-i1) concerned.
mkdir -p "$tmp/bin"
cat >"$tmp/run-local.sh" <<'EOF'
#!/usr/bin/env bash
set -euo pipefail
here=$(dirname "$0")
args=" $* "
out=${args##* --out } out=${out%% *}
run=$(basename "$out" .json)
mkdir "$here/busy" || { echo overlap >>"$here/overlaps"; exit 1; }
trap 'rmdir "$here/busy"' EXIT
echo "$run" >>"$here/called"
echo "$args" >"$here/arguments"
setting() { awk -v run="$run" -v otherwise="$2" '$1 == run { v = $2 } END { print v == "" ? otherwise : v }' "$here/$1"; }
if [[ $(setting signal no) == yes ]]; then
  sleep 60 & sleeper=$!
  trap 'kill $sleeper; rmdir "$here/busy"; echo "$run" >>"$here/stopped"; exit 130' TERM
  kill -TERM "$PPID"
  wait
fi
status=$(setting status 0) lost=$(setting lost 0)
[[ $status == 0 || $status == 3 ]] || { echo "the stub gives up"; exit "$status"; }
valid=true; [[ $status == 0 ]] || valid=false
echo '{"run_id": "stub", "valid": '$valid', "verdicts": [{"criterion": "stub criterion", "ok": '$valid'}],
  "samples": {"announced": 10, "completed": '$((10 - lost))', "failed": 0, "lost": '"$lost"', "double_counted": 0},
  "rates": {"completed": 998.2}, "latency_ms": {}, "accuracy": {}}' >"$out"
exit "$status"
EOF
cat >"$tmp/bin/dp-summarize" <<'EOF'
#!/usr/bin/env bash
echo "summary of $(($# - 2)) runs"
EOF
printf '#!/usr/bin/env bash\n' >"$tmp/bin/dp-plot"
chmod +x "$tmp/run-local.sh" "$tmp/bin/"*
ln -s "$(realpath "${DP_BIN:?folder of the binaries}")/dp-route" "$tmp/bin/"  # knows the strategies

stub_reset() {
  rm -rf "$tmp/results" "$tmp/busy" "$tmp/overlaps" "$tmp/stopped"
  for file in called status lost signal; do : >"$tmp/$file"; done
}

# bench ARGUMENT…: make, with the stub; output and status are kept.
bench() {
  status=0
  make -f Makefile.bench BIN="$tmp/bin" RUN_LOCAL="$tmp/run-local.sh" RESULTS="$tmp/results" BACKEND=null DEPS=skip \
    "$@" >"$tmp/output" 2>&1 || status=$?
}
expect_status() { ((status == $1)) || fail "$2: status $status, expected $1"; }
expect_output() { grep -qF -- "$1" "$tmp/output" || fail "$2: no '$1' in the output"; }
calls() { wc -l <"$tmp/called"; }
names() { sed 's|.*/||; s|\.json$||' "$@"; }

# ── Help ──
make -f Makefile.bench >"$tmp/output"
for word in streaming matrix single rates plan deps data build test asan tsan deb deb-test fuzz chaos bench clean help NODES=1,2,4,8 WORKERS=1,2,4 \
  STRATEGIES=uniform,dynamic,sharded STRATEGY=dynamic RATE=1000 RATES=250,500,750,1000,1250,1500 SAMPLES=8000 BATCH=32 ITERATIONS=3 MODEL=resnet18 \
  THREADS=1 SHARDS=16 PAYLOAD=inline BACKEND=torch SERVICE=fixed:5ms CREDIT= CONFIG= SEED=1 DEPS=auto RESULTS=results SECONDS=30 KILLS=200 DOUBLE=100 CUTS=50 TORN=all \
  DATA=data/cifar10/test_batch.bin JOBS= BIN=build/bin; do
  grep -qE "(^| )${word//./\\.}" "$tmp/output" || fail "help does not say $word"
done

# ── Refusals: status, name and what is allowed; nothing runs ──
stub_reset
while read -r assignment allowed; do
  bench streaming "$assignment"
  ((status != 0)) || fail "$assignment is not refused"
  expect_output "$assignment is refused" "$assignment"
  expect_output "$allowed" "$assignment"
  expect_output "nothing was run" "$assignment"
done <<'EOF'
NODES=0,x whole numbers from 1
NODES=1,,2 separated by commas
NODES=2, separated by commas
NODES= separated by commas
STRATEGIES=foo give one of uniform, dynamic, sharded
STRATEGIES=uniform,foo give one of uniform, dynamic, sharded
STRATEGIES=uniform,jsq:d=0 d '0'
STRATEGIES=Jsq as in uniform,jsq:d=3
STRATEGIES=uniform,,p2c as in uniform,jsq:d=3
STRATEGY=uniform,dynamic one strategy
STRATEGY=maglev:key=me give one of shard, batch
RATE=abc whole number from 1
RATE=0 whole number from 1
RATE=-5 whole number from 1
RATE=010 whole number from 1
RATES=100,max whole numbers from 1
RATES=100,,200 separated by commas
SAMPLES=99999999999999999999 whole number from 1
BATCH=`>pwned` whole number from 1
PAYLOAD=float inline reference
BACKEND=tf torch null synthetic
MODEL=vgg resnet18 resnet18-cifar
SERVICE=5ms fixed:5ms
CREDIT=0 whole number from 1
SEED=-1 whole number from 0
SECONDS=0 whole number from 1
KILLS=-1 whole number from 0
TORN=none all some
DEPS=maybe auto skip
DATA=no/such/file no such file
RESULTS=a;b a folder
EOF
bench streaming 'RATE=1 000'
((status != 0)) || fail "a rate with a space is not refused"
bench streaming NODE=1,2
((status != 0)) || fail "an unknown variable is not refused"
expect_output "NODE" "unknown variable"
expect_output "there are: NODES" "unknown variable"
bench single WORKERS=1,2
((status != 0)) || fail "single with two numbers of workers is not refused"
[[ ! -s $tmp/called && ! -e $tmp/results && ! -e pwned ]] || fail "something ran although a value was refused"

# ── Plan ──
plan_of() { bench plan "$@"; expect_status 0 "plan $*"; cat "$tmp/output"; }
plan_of NODES=1,2,4 SEED=7 >"$tmp/a"
plan_of NODES=1,2,4 SEED=7 >"$tmp/b"
cmp -s "$tmp/a" "$tmp/b" || fail "the same seed plans another order"
plan_of NODES=1,2,4 SEED=8 >"$tmp/b"
[[ $(names "$tmp/a") != $(names "$tmp/b") ]] || fail "another seed plans the same order"
[[ $(names "$tmp/a" | sort) == $(names "$tmp/b" | sort) ]] || fail "another seed plans other runs"
for strategy in uniform dynamic sharded; do
  for nodes in 1 2 4; do printf '%s\n' "$strategy-n$nodes-1000" "$strategy-n$nodes-max"; done
done | sort >"$tmp/cells"
for iteration in 1 2 3; do
  block=$(names "$tmp/a" | sed -n "$((18 * iteration - 17)),$((18 * iteration))s/-i$iteration\$//p" | sort)
  [[ $block == "$(cat "$tmp/cells")" ]] ||
    fail "iteration $iteration does not measure every cell once"
done
[[ $(names "$tmp/a" | sed -n '1,18s/-i1$//p') != $(names "$tmp/a" | sed -n '19,36s/-i2$//p') ]] ||
  fail "two iterations have the same order"
plan_of NODES=1,1,2 STRATEGIES=uniform ITERATIONS=1 RATE=max >"$tmp/b"
(($(wc -l <"$tmp/b") == 2)) || fail "what is named twice is measured twice"

# ── Keys ──
key_of() { plan_of "$@" | sed 's|.*/runs/||; s|/.*||' | sort -u; }
key=$(key_of NODES=1,2)
[[ $key == "$(key_of NODES=1,2,4 STRATEGIES=uniform ITERATIONS=1)" ]] || fail "more cells change the key"
for change in RATE=500 SAMPLES=1 BATCH=8 THREADS=2 SHARDS=4 PAYLOAD=reference CREDIT=3 SEED=2 BACKEND=synthetic \
  MODEL=resnet18-cifar DATA=data/cifar10/test_batch.bin; do
  [[ $key != "$(key_of NODES=1,2 "$change")" ]] || fail "$change does not change the key"
done
echo "// changed" | tee lib/plot/plot.cpp >lib/report/tables.cpp
[[ $key == "$(key_of NODES=1,2)" ]] || fail "another picture changes the key"
echo "// changed" >lib/route/strategy.cpp
[[ $key != "$(key_of NODES=1,2)" ]] || fail "another source does not change the key"

# ── A sweep, in the planned order, one run at a time; then only what is new ──
stub_reset
plan_of NODES=1,2 ITERATIONS=1 >"$tmp/a"
bench -j4 streaming NODES=1,2 ITERATIONS=1
expect_status 0 "a sweep"
[[ $(cat "$tmp/called") == "$(names "$tmp/a")" ]] || fail "the sweep does not follow the plan"
[[ ! -e $tmp/overlaps ]] || fail "two runs overlapped"
expect_output "12 of 12 runs to measure" "a sweep"
expect_output "[12/12] " "a sweep"
expect_output ", iteration 1 … valid, 998/s" "a sweep"
expect_output "summary of 12 runs" "a sweep"
expect_output "wrote $tmp/results/streaming/runs/" "a sweep"
bench streaming NODES=1,2 ITERATIONS=1
expect_status 0 "the same sweep again"
expect_output "all 12 runs are there already" "the same sweep again"
(($(calls) == 12)) || fail "a measured run was measured again"
bench streaming NODES=1,2,4 ITERATIONS=1
(($(calls) == 18)) || fail "more nodes: $(calls) calls instead of 18"
bench streaming NODES=1,2 ITERATIONS=1 RATE=500
(($(calls) == 30)) || fail "another rate was taken for measured"

bench matrix WORKERS=1,2 STRATEGIES=uniform,dynamic ITERATIONS=1
expect_status 0 "matrix"
(($(calls) == 34)) || fail "matrix: $(($(calls) - 30)) calls instead of 4"
expect_output "summary of 4 runs" "matrix"

# A strategy with a parameter has another look as a file, and is itself again as an option.
stub_reset
bench matrix WORKERS=2 STRATEGIES=p2c,ch-bl:key=batch:c=1.5 ITERATIONS=1
expect_status 0 "parameters"
[[ $(sort "$tmp/called") == "$(printf '%s-n2-max-i1\n' ch-bl+key_batch+c_1.5 p2c)" ]] || fail "parameters: $(cat "$tmp/called")"
rm -f "$tmp"/results/matrix/runs/*/p2c-*
bench matrix WORKERS=2 STRATEGIES=ch-bl:key=batch:c=1.5 ITERATIONS=2
grep -qF -e ' --strategy ch-bl:key=batch:c=1.5 ' "$tmp/arguments" || fail "parameters: $(cat "$tmp/arguments")"
stub_reset
bench rates WORKERS=2 RATES=100,1000 STRATEGIES=uniform ITERATIONS=1
expect_status 0 "rates"
expect_output "3 of 3 runs to measure" "rates"
[[ $(tail -n 3 "$tmp/called" | sort) == "$(printf 'uniform-n2-%s-i1\n' 100 1000 max | sort)" ]] || fail "rates: not each of RATES and max"
expect_output "wrote $tmp/results/rates/1000/ (tables)" "rates"
bench rates WORKERS=1,2
((status != 0)) || fail "rates with two numbers of workers is not refused"

bench streaming matrix NODES=1,2 WORKERS=1,2 ITERATIONS=1
expect_status 0 "two sweeps in one call"
expect_output "summary of 12 runs" "two sweeps in one call"
expect_output "wrote $tmp/results/matrix/runs/" "two sweeps in one call"

# ── What is handed to run-local.sh ──
bench single STRATEGY=uniform WORKERS=3 RATE=max SAMPLES=100 CREDIT=5 SEED=4 DATA=data/test_512.bin BACKEND=torch
expect_status 0 "single"
expect_output "throughput  998.2 samples/s" "single"
for argument in "--strategy uniform" "--workers 3" "--rate max" "--samples 100" "--batch-size 32" "--layout shards:16" \
  "--payload inline" "--backend torch" "--model resnet18" "--threads 1" "--seed 5" "--credit 5" \
  "--data data/test_512.bin" "--expected data/weights/resnet18.predictions.bin"; do
  grep -qF -- " $argument " "$tmp/arguments" || fail "run-local.sh is not given $argument"
done
bench single BACKEND=synthetic SERVICE=exp:2ms
grep -qF -- " --service exp:2ms " "$tmp/arguments" || fail "run-local.sh is not given the service time"
! grep -qE -- '--(credit|expected)' "$tmp/arguments" || fail "run-local.sh is given what does not apply"
before=$(calls)
bench single BACKEND=synthetic SERVICE=exp:2ms
(($(calls) == before + 1)) || fail "single does not measure anew"

# ── The sweep of what follows: three runs, of which the second is the victim ──
sweep=(streaming NODES=1 RATE=max ITERATIONS=1)
victim=$(plan_of "${sweep[@]:1}" | names | sed -n 2p)

# ── INVALID runs are kept and counted; the sweep goes on ──
stub_reset
echo "$victim 3" >"$tmp/status"
bench "${sweep[@]}"
expect_status 0 "a sweep with an INVALID run"
(($(calls) == 3)) || fail "an INVALID run ended the sweep"
expect_output "INVALID (not met: stub criterion), 998/s" "an INVALID run"

# ── A failed run stops the sweep; calling again goes on ──
stub_reset
echo "$victim 1" >"$tmp/status"
bench "${sweep[@]}"
((status != 0)) || fail "a failed run is not told by the status"
expect_output "the stub gives up" "a failed run"
expect_output "call make again to go on" "a failed run"
(($(calls) == 2)) || fail "a failed run did not end the sweep"
: >"$tmp/status"
bench "${sweep[@]}"
expect_status 0 "going on after a failure"
(($(calls) == 4)) || fail "going on after a failure measured $(calls) times in all, not 4"

# ── A signal reaches the run, which ends; only it is lost ──
stub_reset
echo "$victim yes" >"$tmp/signal"
bench "${sweep[@]}"
((status != 0)) || fail "an interrupted sweep ends with status 0"
# Make may end before the run has written what it was told.
for _ in {1..400}; do [[ ! -s $tmp/stopped ]] || break; read -rt 0.05 <> <(:) || true; done
[[ $(cat "$tmp/stopped") == "$victim" ]] || fail "the signal did not reach the run"
expect_output "interrupted; call make again to go on" "an interrupted sweep"
[[ -z $(find "$tmp/results" -name "$victim*") ]] || fail "an interrupted run left something"
: >"$tmp/signal"
bench "${sweep[@]}"
expect_status 0 "going on after an interruption"
(($(calls) == 4)) || fail "going on after an interruption measured $(calls) times in all, not 4"

# ── Lost samples are an error of the whole sweep ──
stub_reset
echo "$victim 1" >"$tmp/lost"
bench "${sweep[@]}"
((status != 0)) || fail "lost samples are not told by the status"
expect_output "not accounted for" "lost samples"
echo "Makefile.bench: all checks passed"
