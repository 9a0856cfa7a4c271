#!/usr/bin/env bash
# --log-level debug tells of sessions, who comes and goes, retries and back-offs, in every stage, and not of every batch;
# info tells of none of that.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
slow=(--backend synthetic --service fixed:10ms --rate max --heartbeat 200ms --workers 2 --samples 6400 --layout sequential "${synthetic[@]}")

# with_a_killed_worker LEVEL: one run of 200 batches, which loses w1 on its way.
with_a_killed_worker() {
  printf '[common]\nlog-level = "%s"\n' "$1" >"$work/$1.toml"
  launch "$1" --config "$work/$1.toml" "${slow[@]}"
  wait_for "twenty dispatches" lines_at_least 40 "$work/logs/decisions.ndjson"
  signal KILL w1
  finish
  ((status == 0)) || die "$1: status $status"
  check "$1" "$accounted"
}
# tells STAGE PATTERN…: the stage's log has a debug line for each.
tells() {
  local stage=$1 pattern
  shift
  for pattern in "$@"; do
    grep -q "^dp-[a-z]*: debug: $pattern" "$work/logs/$stage.log" || die "$stage's log does not tell: $pattern"
  done
}

with_a_killed_worker debug
tells stream 'dp-route: HELLO, session ' 'dp-route: WELCOME, session .* with .*, run ' 'dp-collect: WELCOME, ' \
  'run [0-9a-f]*: 200 batches' 'all 200 batches are sent: EOS'
tells route 'dp-collect: WELCOME, ' 'dp-stream stream joined: session .* with ' 'dp-infer w0 joined: ' 'dp-infer w1 joined: ' \
  'worker w0 is warm' 'run [0-9a-f]* starts with 2 workers' 'worker w0 has place 0' 'worker w1 has place 1' \
  'batch [0-9]* is tried again in [0-9]* ms: worker lost (1 of 4 attempts charged)' 'everything is settled: FIN' \
  '0 batches are not settled'
tells w0 'dp-route: WELCOME, ' 'dp-collect: WELCOME, ' 'warming up for 3x32x32, 32 samples' 'warm$' 'the run is over'
tells collect 'dp-infer w0 joined: ' 'dp-route route joined: ' 'dp-infer w0 left' 'all 200 batches are settled: FIN'
lines=$(cat "$work"/logs/*.log | grep -c 'debug: ')
((lines < 100)) || die "$lines debug lines for 200 batches"

rm -rf "$work/logs"
with_a_killed_worker info
! grep -H 'debug: ' "$work"/logs/*.log || die "info tells what only debug should"
echo ok
