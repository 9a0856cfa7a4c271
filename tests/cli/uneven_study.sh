#!/usr/bin/env bash
# pipelines/uneven-study.sh: what it prints follows from its run files, recomputed here by jq alone.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
cd "$scratch" || exit 1
script=$source_dir/pipelines/uneven-study.sh
export DP_BIN=$bin

run "$script" --help
expect_status 0
expect_empty err
while IFS='|' read -r arguments wanted; do
  IFS=' ' read -ra words <<<"$arguments"
  run "$script" "${words[@]}"
  expect_status 2
  expect_line err "$wanted" --help
done <<'CASES'
--bogus 1|unknown option '--bogus'
--seed|--seed needs a value
--iterations 0|--iterations '0'
--iterations few|--iterations 'few'
--scenarios slow,slower|--scenarios 'slower'
--samples -1|--samples '-1'
--rate 100|--rate '100'
--strategies uniform|give two or more
--strategies p2c,jsq,p2c|give each once
--strategies uniform,best|--strategy 'best'
CASES
[[ ! -e results ]] || fail "something was measured although a value was refused"

# Twice through the data set of 4096 samples of 3072 bytes, so that it matters who gets a sample the second time.
run "$script" --out there --markdown doc.md --scenarios slow --iterations 2 --rate no --samples 8192 --seed 5
expect_status 0
expect_line err "wrote doc.md"
runs=(there/slow/runs/*.json)
((${#runs[@]} == 6)) || fail "${#runs[@]} run files, not 3 strategies × 2 iterations"

# The very same work for all: one configuration of dp-stream an iteration.
jq -es 'group_by(.config.stream.seed) | length == 2 and all(.[]; length == 3 and ([.[].config.stream | del(.command_line)] | unique | length == 1))
  and ([.[][].strategy] | unique | length == 3)' "${runs[@]}" >/dev/null || fail "the strategies did not get the same plan"

# Bytes moved, by hand: sharded keeps every sample at one worker; at two, the others move at most twice that.
moved() { jq -s --arg s "$1" '[.[] | select(.strategy == $s).data_moved_mb] | unique | .[]' "${runs[@]}"; }
[[ $(moved sharded) == 12.582912 ]] || fail "sharded moved $(moved sharded) MB, not 4096 × 3072 bytes"
jq -es 'all(.[]; ((.data_moved_mb - ([.workers[].data_mb_peak] | add)) | fabs < 1e-9) and .data_moved_mb <= 25.165824)
  and any(.[]; .strategy == "dynamic" and .data_moved_mb > 12.582912)' "${runs[@]}" >/dev/null || fail "bytes moved are not the workers' sum"

# Each difference: its mean, and its interval. With two iterations t has one degree of freedom, whose quantile at
# 1 - a/2 is tan(pi/2 (1 - a)); Holm gives the largest |t| the level 5 %/3, the next 5 %/2, the last 5 %.
jq -rs '
  def round1: . * 10 | round / 10 | if . == 0 then 0 else . end;
  (group_by(.strategy) | map({(.[0].strategy): (sort_by(.config.stream.seed) | map(.rates.completed))}) | add) as $rates
  | [["dynamic", "uniform"], ["sharded", "uniform"], ["sharded", "dynamic"]]
  | map(. as [$a, $b] | [$rates[$a][0] - $rates[$b][0], $rates[$a][1] - $rates[$b][1]] as [$x, $y]
    | {$a, $b, mean: (($x + $y) / 2), error: (($x - $y) / 2 | fabs), base: (($rates[$b] | add) / 2)})
  | sort_by(-(.mean / .error | fabs)) | to_entries[]
  | (1.5707963267948966 * (1 - 0.05 / (3 - .key))) as $angle
  | .value | "\(.a) \(.b) \(100 * .mean / .base) \(100 * .error * ($angle | sin) / ($angle | cos) / .base)"' "${runs[@]}" >expected
while read -r a b mean half; do
  row=$(grep -F "| slow | $a less $b |" out) || fail "no row for $a less $b"
  read -r shown_mean shown_half < <(awk -F '|' '{ gsub(/[%±]|\(.*/, " ", $4); print $4 }' <<<"$row")
  awk -v a="$mean" -v b="$shown_mean" -v c="$half" -v d="$shown_half" \
    'function near(x, y) { x -= y; return (x < 0 ? -x : x) <= 0.0501 } BEGIN { exit !(near(a, b) && near(c, d)) }' ||
    fail "$a less $b is $mean % ± $half % by the run files; the table says $row"
done <expected

# A finding says "beats" only of what is distinguishable, and repeats the table's figure.
if jq -e '.nodes[0].pairs[] | select(.first == "uniform" and .second == "dynamic").distinguishable' there/slow/performance_summary.json >/dev/null; then
  expect_line out "three times slower, dynamic beats uniform by"
else
  expect_line out "three times slower, dynamic and uniform are indistinguishable"
fi
grep -qF "Made by \`pipelines/uneven-study.sh --out there" doc.md || fail "the document does not say how it was made"
cmp -s <(sed -n '/^## Findings/,$p' doc.md) out || fail "the document is not what was printed"

# Interrupted in the middle of a run: status 130, and no process is left.
under_way() { compgen -G 'cut/slow/runs' >/dev/null && (($(marked | wc -l) > 7)); }
setsid env --default-signal=INT,TERM "$script" --out cut --scenarios slow --iterations 9 >out 2>err </dev/null &
study=$!
command="uneven-study.sh, interrupted"
wait_until 60 "a run is under way" under_way
kill -TERM "$study"
wait "$study"
status=$?
expect_status 130
wait_until 5 "all processes have ended" nothing_left
echo ok
