#!/usr/bin/env bash
# Warm-up is kept apart: its batches are accounted for and counted nowhere else, and one that leaves nothing to measure
# is INVALID and says so.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

# 1000 samples/s in batches of 20: the schedule puts 50 of the 150 batches into the first second.
run open --workers 2 --backend synthetic --service fixed:2ms --rate 1000 --batch-size 20 --layout sequential --samples 3000 \
  --warmup 1s "${synthetic[@]}"
((status == 0 || status == 3)) || die "status $status"
check open "$accounted" '.samples.completed == 3000' '.warmup.seconds == 1' '.warmup.batches + .batch_latency_ms.n == 150' \
  '.warmup.batches - 50 | fabs <= 1' '(.workers | map(.batches) | add) == .batch_latency_ms.n' \
  '(.service_ms | map(.[1]) | add) == .batch_latency_ms.n' '(.series | map(.completed) | add) == 3000' \
  '.warmup.batch_latency_ms.n == .warmup.batches' '.steady_state.steady == null' '.one_host' \
  '.host.steal_percent.during != null' '.host.cpu_busy_percent.max <= 100' '.config.collect.warmup == "1s"'

run nothing --workers 1 --backend null --rate max --samples 640 --warmup 1min "${synthetic[@]}"
((status == 3)) || die "nothing but warm-up: status $status instead of 3"
check nothing "$accounted" '.warmup.samples == 640' '.batch_latency_ms.n == 0' '.latency_ms.p50 == null' \
  '[.verdicts[] | select(.ok | not) | .criterion] == ["something was measured"]'
grep -q 'INVALID.*warm-up' "$work/nothing.err" || die "stderr does not say so"
echo ok
