#!/usr/bin/env bash
# Offered four times what the worker can do: the report says overloaded, does not blame the generator, and the memory
# of stream, router and collector stays bounded.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

run overloaded --workers 1 --backend synthetic --service fixed:4ms --rate 32000 --samples 64000 "${synthetic[@]}"
((status == 3)) || die "status $status instead of 3"
check overloaded "$accounted" '.overloaded' '.valid | not' \
  '[.verdicts[] | select(.ok | not) | .criterion] == ["the pipeline keeps up with the offered load"]' \
  '[.stages[].anonymous_mb.peak] | max < 64' '.rates.released / .rates.requested | . > 0.995 and . < 1.005'
grep -q 'INVALID.*overloaded' "$work/overloaded.err" || die "stderr does not say so"
echo ok
