#!/usr/bin/env bash
# pipelines/run-local.sh: it hands on statuses and messages, and ends exactly what it started.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
cd "$scratch" || exit 1
script=$source_dir/pipelines/run-local.sh
export TMPDIR=$scratch/tmp DP_BIN=$bin
mkdir tmp
quick=(--backend null --data synthetic:1x4x4 --rate max --samples 640)

nothing_left() {
  wait_until 5 "all processes have ended" no_process
  # The folder of sockets for dp-top stays, empty: others may be about to use it.
  [[ -z $(find tmp -mindepth 1 ! -path "tmp/dataparallel-$EUID") ]] || fail "temporary files are left: $(find tmp)"
}
no_process() { [[ -z $(marked) ]]; }

run "$script" --help
expect_status 0
expect_empty err
grep -oP '^    \K--[a-z-]+.*(?=\) )' "$script" | grep -o -- '--[a-z-]*' | grep -vx -e --help -e -- >flags
while read -r flag; do expect_line out "$flag"; done <flags

while IFS='|' read -r arguments wanted; do
  IFS=' ' read -ra words <<<"$arguments"
  IFS=';' read -ra parts <<<"$wanted"
  run "$script" "${words[@]}"
  expect_status 2
  expect_empty out
  expect_line err "${parts[0]}"
  for part in "${parts[@]}"; do expect_line err "$part"; done
  nothing_left
done <<'CASES'
--bogus 1|unknown option '--bogus';--help
stray|unknown option 'stray'
--rate|--rate needs a value
--workers 0|--workers '0';a whole number from 1
--workers two|--workers 'two'
--workers 2 --backend synthetic --data synthetic:1x4x4 --slowdowns 1,4000|w1 failed;--slowdown '4000';0.001 to 1000
--strategy best|dp-route;--strategy 'best';uniform, dynamic, sharded
--backend gpu --data synthetic:1x4x4|dp-infer;--backend 'gpu';torch, null, synthetic
--backend synthetic --service 5ms --data synthetic:1x4x4|dp-infer;--service '5ms';fixed:5ms
--backend null --data synthetic:1x4x4 --rate fast|dp-stream;--rate 'fast'
--backend null --data synthetic:1x4x4 -- --arrivals bursty|dp-stream;--arrivals 'bursty';constant, poisson
--backend null --data synthetic:1x4x4 --wait soon|--wait 'soon'
CASES

# A good run: the report on stdout, nothing on stderr, status 0.
run "$script" "${quick[@]}" --workers 2 --strategy uniform --seed 7
expect_status 0
expect_empty err
jq -e '.valid and .samples.completed == 640 and .strategy == "uniform" and .nodes == 2 and (.workers | length) == 2' out >/dev/null ||
  fail "the report is not what was asked for"
nothing_left

# --out and --logs go where they are told.
run "$script" "${quick[@]}" --out there/run.json --logs logs
expect_status 0
expect_empty out
jq -e .valid there/run.json >/dev/null || fail "no report in --out"
for name in collect route w0 stream; do [[ -f logs/$name.log && -f logs/$name.pid ]] || fail "no log of $name"; done
nothing_left

# A missing data set is dp-stream's and dp-infer's to name.
run "$script" --backend null --data no/such.bin
expect_status 1
expect_line err "no/such.bin" "no such file"
nothing_left

# A worker that dies at once does not leave a run hanging.
run "$script" --backend torch --model resnet18 --threads 0 --data synthetic:3x32x32
expect_status 2
expect_line err "--threads '0'"
nothing_left

# Ctrl-C and SIGTERM: to the script alone, or to its whole group as a terminal does.
ready() { [[ -f logs/stream.log ]] && grep -q READY logs/stream.log; }
for way in INT INT-group TERM; do
  rm -rf logs there
  setsid env --default-signal=INT,TERM "$script" --backend synthetic --service fixed:20ms --data synthetic:1x4x4 --rate 400 \
    --samples 400000 --workers 2 --out there/run.json --logs logs >out 2>err </dev/null &
  started=($!)
  command="run-local.sh and SIG$way"
  wait_until 20 "the run is under way" ready
  began=$SECONDS
  if [[ $way == *-group ]]; then kill -INT -- "-${started[0]}"; else kill -"$way" "${started[0]}"; fi
  wait "${started[0]}"
  status=$?
  started=()
  # Each of its five processes ends when it is told to, or is killed three seconds later.
  ((SECONDS - began <= 20)) || fail "it took $((SECONDS - began)) s to end"
  expect_status 130
  expect_empty out
  [[ -z $(ls -A there 2>/dev/null) ]] || fail "something of an interrupted run was left"
  nothing_left
done
echo "ok"
