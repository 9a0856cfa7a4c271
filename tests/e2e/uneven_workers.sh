#!/usr/bin/env bash
# One worker three times slower: dynamic serves the faster one about three times as much, uniform half and half, and
# capacity follows (two workers of rates 3 and 1 give 4 against uniform's 2).
# A batch takes 40 or 120 ms, and x ms that a busy machine adds; the shares are as (120 + x) to (40 + x), which is over
# 2 whatever x below 40 ms.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
uneven=(--workers 2 --slowdowns '1,3' --backend synthetic --service fixed:40ms --rate max --samples 2560 "${synthetic[@]}")

# Both at once, with a lock of the host for each: the workers only sleep.
{ DP_LOCK=$work/beside run dynamic --strategy dynamic "${uneven[@]}"; exit "$status"; } &
run uniform --strategy uniform "${uneven[@]}"
((status == 0)) || die "uniform: status $status"
wait $! || die "dynamic: status $?"
share='(.workers | map({(.name): .batches}) | add)'
check dynamic "$accounted" "$share | .w0 / .w1 | . > 2 and . < 3.5"
check uniform "$accounted" "$share | .w0 == .w1"
# Batches served while the slow worker served its half: theory says dynamic needs half of uniform's time, and with such
# an x two thirds.
jq -es '(.[0].workers[] | select(.name == "w1") | .batches) <= 0.67 * (.[1].workers[] | select(.name == "w1") | .batches)' \
  "$work/dynamic.json" "$work/uniform.json" >/dev/null || die "capacity does not follow: the slow worker decides under dynamic too"
echo ok
