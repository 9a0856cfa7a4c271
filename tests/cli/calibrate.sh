#!/usr/bin/env bash
# calibrate.sh with runs of seconds: too short for verdicts on queues, long enough to see that what was measured is what
# the draws make of it, that a stall shows in p99, and that workers slower than theory knows are found.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
export DP_BIN=$bin
calibrate=$source_dir/pipelines/calibrate.sh

# ── What it is given ──
run "$calibrate" --workers 0
expect_status 2
expect_line err "--workers '0'" 'whole numbers from 1'
run "$calibrate" --repeats
expect_status 2
expect_line err '--repeats needs a value'
run "$calibrate" --depth 3
expect_status 2
expect_line err "unknown option '--depth'"
run "$bin/dp-calibrate"
expect_status 2
expect_line err 'no RUN.json given'
run "$bin/dp-calibrate" "$source_dir/tests/cli/data/run.json"
expect_status 1
expect_line err 'tests/cli/data/run.json: config.stream.batch-size is missing'

# ── Runs as they should be ──
run "$calibrate" --workers 2 --seconds 3 --repeats 2 --stall 0.5 --margin 99 --out "$scratch/good" --markdown "$scratch/good.md"
[[ $(find "$scratch/good" -name '*.json' | wc -l) == 9 ]] || fail 'expected 8 runs and calibration.json'
for row in "E_N/M/1 uniform 2 1 mean" "E_N/M/1 uniform 2 8 mean" "M/M/c dynamic 2 1 mean" "stalled uniform 1 1 max"; do
  grep -qF "$row" <(tr -s ' ' <"$scratch/out") || fail "expected a row: $row"
done
grep -q '^\$ pipelines/calibrate.sh --workers 2 --seconds 3' "$scratch/good.md" || fail 'the markdown does not name the command'
# Theory by hand: 28 batches a second, 50 ms each and the hand-off h: utilization r = 14 (50 + h) / 1000 per worker;
# two workers share one queue: (50 + h) / (1 - r^2). More than 2.5 ms (5 %) do not pass as hand-off.
jq -e '[.rows[] | select(.model == "M/M/c") | .runs[] | (50 + ([.handoff_ms, 2.5] | min)) as $s | (14 * $s / 1000) as $r |
  ($s / (1 - $r * $r)) / .theory_ms | . > 0.9999 and . < 1.0001] | length == 2 and all' "$scratch/good/calibration.json" >/dev/null ||
  fail 'the theory of two workers is another'
# Each run is what its draws make of it (single runs stray from theory by far more), unless the machine was too busy
# for a run to count.
jq -e '[.rows[] | select(.model != "stalled") | .runs[] | select(.left_out == null) | .measured_ms / .drawn_ms | . > 0.75 and . < 1.25] | all' \
  "$scratch/good/calibration.json" >/dev/null || fail 'a run strays from its draws'
# The longest time in system is the stall; the service alone shows it in one batch only.
jq -e '[.rows[] | select(.model == "stalled") | .runs[]] | length == 2 and all(.[]; .left_out != null or (.measured_ms / .theory_ms | . > 0.8 and . < 1.2))' \
  "$scratch/good/calibration.json" >/dev/null || fail 'the stall does not show'

# ── A report that belongs to another log ──
cp "$scratch/good/dynamic-2-r1.json" "$scratch/mixed.json"
head -n 20 "$scratch/good/dynamic-2-r1.decisions" >"$scratch/mixed.decisions"
run "$bin/dp-calibrate" "$scratch/mixed.json"
expect_status 1
expect_line err 'mixed.decisions' "another run's log?"

# ── Slower workers than theory knows: one run is enough ──
run "$calibrate" --workers 2 --seconds 2 --repeats 1 --stall 0 --slowdown 1.3 --out "$scratch/slow"
expect_status 3
# On a busy machine the generator may have been late, and the run left out: that is not what is looked at here.
jq '.generator_lateness_ms.p99 = 0' "$scratch/slow/dynamic-2-r1.json" >"$scratch/slow.json"
cp "$scratch/slow/dynamic-2-r1.decisions" "$scratch/slow.decisions"
run "$bin/dp-calibrate" "$scratch/slow.json"
expect_status 3
expect_line out 'M/M/c' 'off: a batch takes' 'longer than drawn'
jq '.generator_lateness_ms.p99 = 50' "$scratch/slow.json" >"$scratch/late.json"
cp "$scratch/slow.decisions" "$scratch/late.decisions"
run "$bin/dp-calibrate" "$scratch/late.json"
expect_status 3
expect_line out '0/1' 'not shown' 'late.json: the generator was 50.00 ms late'
# ── What was kept apart is in no mean, and so the draws could not be held against it ──
jq '.warmup.batches = 7' "$scratch/slow.json" >"$scratch/late.json"
run "$bin/dp-calibrate" "$scratch/late.json"
expect_status 1
expect_line err 'late.json: 7 batches are kept apart' 'without --warmup'
echo ok
