#!/usr/bin/env bash
# A worker that stands still is in p99 as the schedule says. 200 batches a second of 2 ms are due throughout the stall,
# whoever waits. Their time in system falls from the stall's length to nothing by (1 - 0.4) of the schedule's time, so
# the 1 % of a run of D seconds that waits longest has waited at least stall - 0.01 D (1 - 0.4).
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
rate=200 samples=700

launch frozen --strategy uniform --workers 1 --credit 1 --backend synthetic --service fixed:2ms --rate $rate --samples $samples \
  --batch-size 1 --heartbeat 10s --lease 60s "${synthetic[@]}"
taken() { [[ -f $work/logs/decisions.ndjson ]] && (($(grep -c '"assign"' "$work/logs/decisions.ndjson") >= $1)); }
micros() { echo "${EPOCHREALTIME/[.,]/}"; }
wait_for "a fifth of the schedule" taken 140
began=$(micros)
signal STOP w0
wait_for "half a second of the schedule to go by" taken 240
stall=$(($(micros) - began))
signal CONT w0
finish
((status == 0 || status == 3)) || die "status $status"

# Standing still in earnest, and no worker was taken for lost.
((stall > 400000)) || die "the schedule waited for the worker: 100 batches were due within $stall us"
check frozen "$accounted" '[.events[] | select(.what | test("lost"))] == []' '.batch_latency_ms.supported.p99'
check frozen ".batch_latency_ms.p99 >= 0.95 * ($stall / 1000 - 0.01 * 1000 * $samples / $rate * 0.6)" \
  ".batch_latency_ms.max >= 0.95 * $stall / 1000"
# What a client sees that measures each batch from the moment it is served: one batch in 700.
check frozen ".stages_ms.compute.p99 < 0.5 * .batch_latency_ms.p99"
echo ok
