#!/usr/bin/env bash
# dp-summarize: its tables from runs made of one hand-written report, against values worked out by hand.
# SPDX-License-Identifier: MIT
set -euo pipefail

: "${DP_SOURCE:?}" "${DP_BIN:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
runs=$scratch/runs
mkdir "$runs"

fail() {
  printf 'FAILED: %s\n%s\n' "$1" "$(cat "$scratch/stderr" "$scratch/stdout" 2>/dev/null)" >&2
  exit 1
}

summarize() { # ARGUMENT…: leaves `status`
  status=0
  "$DP_BIN/dp-summarize" "$@" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
}
expect_status() { [[ $status == "$1" ]] || fail "$2: exit status $status, not $1"; }
expect_silent() { [[ ! -s $scratch/stderr ]] || fail "$1: unexpected stderr"; }
expect_said() { grep -qF -- "$1" "$scratch/$2" || fail "does not say '$1'"; }

# A run of STRATEGY on NODES, MODE open or max, ITERATION, COMPLETED samples/s, and what else FILTER changes.
run() {
  jq --arg s "$1" --argjson n "$2" --arg m "$3" --argjson i "$4" --argjson c "$5" '
    .strategy = $s | .nodes = $n | .rate_mode = $m | .config.stream.seed = $i | .rates.completed = $c
    | .run_id = "\($s)-\($n)-\($m)-\($i)" | if $m == "max" then .rates.requested = null else . end'"${6:+ | $6}" \
    "$DP_SOURCE/tests/cli/data/run.json" >"$runs/$1-$2-$3-$4.json"
}

# Cell FILE KEY=VALUE… COLUMN: the value of COLUMN in the row whose columns have these values.
cell() {
  local file=$1 want=${!#}
  shift
  awk -F, -v want="$want" -v keys="${*:1:$#-1}" '
    NR == 1 { for (i = 1; i <= NF; ++i) at[$i] = i; if (!(want in at)) { print "no column " want; exit }; next }
    { n = split(keys, key, " ")
      for (k = 1; k <= n; ++k) { split(key[k], part, "="); if ($at[part[1]] != part[2]) next }
      print $at[want]; exit }' "$file"
}
expect_cell() { # VALUE FILE KEY=VALUE… COLUMN
  local got
  got=$(cell "${@:2}")
  awk -v a="$got" -v b="$1" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a == b || (a != "" && b + 0 == b && d <= 1e-3 * (b < 0 ? -b : b))) }' ||
    fail "${*:2} is '$got', not '$1'"
}
expect_json() { # VALUE FILE FILTER
  local got
  got=$(jq -r "$3" "$2")
  [[ $got == "$1" ]] || fail "$3 of $2 is '$got', not '$1'"
}

# Capacities of one node 990, 1000, 1010; two nodes 1960, 2000, 2040, dynamic 20 more each time, a little unevenly.
# Iteration 3 of uniform on two nodes had a backlog at the rate: its first two seconds were not done a second later.
late='.series[0].completed = 0 | .series[1].completed = 900 | .series[2].completed = 1080 | .series[3].completed = 2020'
for i in 1 2 3; do
  run uniform 1 max $i $((980 + 10 * i))
  run uniform 2 max $i $((1920 + 40 * i))
  run dynamic 1 max $i $((980 + 10 * i))
  run dynamic 2 max $i $((1940 + 40 * i + (i == 2 ? 1 : 0)))
  run uniform 1 open $i 1000 '.overloaded = true'
  run dynamic 1 open $i 1000 '.valid = false | .verdicts[0].ok = false'
  run dynamic 2 open $i $((990 + 5 * i)) ".latency_ms.p50 = 18 + $i | .latency_ms.supported.p95 = true | .oversubscribed = true"
done
run uniform 2 open 1 1000
run uniform 2 open 2 1000
run uniform 2 open 3 1000 "$late"

summarize --streaming "$scratch/s" "$runs"
expect_status 0 "streaming"
expect_silent "streaming"

csv=$scratch/s/averaged_results.csv
names=avg_throughput,avg_cpu_percent,avg_memory_mb,avg_duration,total_inferences,successful_streams,failed_streams
[[ $(head -1 "$csv") == "$names,success_rate,strategy,nodes,"* ]] || fail "the first columns are not the original system's"
[[ $(wc -l <"$csv") == 5 ]] || fail "one row a cell"

# 4.30265 = t(0.975; 2); the capacities' standard deviation is 10 and 40.
expect_cell 1000 "$csv" strategy=uniform nodes=1 capacity
expect_cell 24.8414 "$csv" strategy=uniform nodes=1 capacity_ci95
expect_cell 2000 "$csv" strategy=uniform nodes=2 capacity
expect_cell 99.3655 "$csv" strategy=uniform nodes=2 capacity_ci95
expect_cell 2 "$csv" strategy=uniform nodes=2 speedup
expect_cell 1 "$csv" strategy=uniform nodes=2 efficiency
expect_cell 2.02033 "$csv" strategy=dynamic nodes=2 speedup
expect_cell 1000 "$csv" strategy=dynamic nodes=2 avg_throughput
expect_cell 12.4207 "$csv" strategy=dynamic nodes=2 throughput_ci95
# One worker at 90 %, stages at 3 and 5; 200 + 10 + 12 MB.
expect_cell 98 "$csv" strategy=dynamic nodes=2 avg_cpu_percent
expect_cell 222 "$csv" strategy=dynamic nodes=2 avg_memory_mb
expect_cell 4 "$csv" strategy=dynamic nodes=2 avg_duration
expect_cell 12000 "$csv" strategy=dynamic nodes=2 total_inferences
# p50 19, 20, 21; p95 supported in all runs; p99 in none.
expect_cell 20 "$csv" strategy=dynamic nodes=2 p50_ms
expect_cell 2.48414 "$csv" strategy=dynamic nodes=2 p50_ci95
expect_cell 30 "$csv" strategy=dynamic nodes=2 p95_ms
expect_cell "" "$csv" strategy=dynamic nodes=2 p99_ms
expect_cell "" "$csv" strategy=uniform nodes=2 p95_ms
expect_cell "" "$csv" strategy=uniform nodes=1 p50_ms
expect_cell true "$csv" strategy=uniform nodes=1 overloaded
expect_cell true "$csv" strategy=dynamic nodes=2 oversubscribed
expect_cell 3 "$csv" strategy=dynamic nodes=1 valid
expect_cell 6 "$csv" strategy=dynamic nodes=1 runs
expect_cell 0 "$csv" strategy=dynamic nodes=1 valid_at_rate
expect_cell 0.5 "$csv" strategy=uniform nodes=1 top1
# Ten of twelve seconds: in iteration 3 only 900 of 1000 were done a second late, then 1980 of 2000.
expect_cell 10 "$csv" strategy=uniform nodes=2 successful_streams
expect_cell 2 "$csv" strategy=uniform nodes=2 failed_streams
expect_cell 83.3333 "$csv" strategy=uniform nodes=2 success_rate

# On one node the capacities are equal; on two the differences are 20, 21 and 20.
summary=$scratch/s/performance_summary.json
expect_json indistinguishable "$summary" '.nodes[0].best'
expect_json dynamic "$summary" '.nodes[1].best'
expect_json true "$summary" '.nodes[1].pairs[0] | .distinguishable and .iterations == 3'
expect_json -20.333 "$summary" '.nodes[1].pairs[0].capacity_difference * 1000 | round / 1000'
# 12.5 MB in every run.
expect_cell 12.5 "$csv" strategy=uniform nodes=2 data_moved_mb
expect_cell 0 "$csv" strategy=uniform nodes=2 data_moved_mb_ci95
expect_json 0/0/false "$summary" '.nodes[1].pairs[0].data_moved_mb | "\(.difference)/\(.half_width)/\(.distinguishable)"'
details=$scratch/s/detailed_results.json
expect_json 24 "$details" '.runs | length'
expect_json 3 "$details" '[.runs[] | select(.failed_verdicts | length > 0)] | length'
expect_json 40 "$details" '.cells[] | select(.strategy == "uniform" and .nodes == 2) | .capacity.sd'

expect_said "3 of 24 runs are INVALID: generator lateness p99 (3)" stdout
expect_said "overloaded" stdout
expect_said "2 nodes: dynamic has the highest capacity" stdout
expect_said "1 node: uniform and dynamic are indistinguishable" stdout
expect_said "wrote $csv" stdout
[[ $(grep -v "^wrote" "$scratch/stdout" | wc -L) -le 100 ]] || fail "a line is longer than 100 columns"
! grep -q $'\033' "$scratch/stdout" || fail "escape sequences on a pipe"

# The same runs by list, again: the same table, replaced.
cp "$csv" "$scratch/before.csv"
printf '%s\n' "$runs"/*.json >"$scratch/list"
summarize --streaming "$scratch/s" --matrix "$scratch/m" "@$scratch/list"
expect_status 0 "list"
cmp -s "$csv" "$scratch/before.csv" || fail "a list and a folder give different tables"
combined=$scratch/m/combined_results.csv
[[ $(head -1 "$combined") == scope,approach,workers,node,throughput,latency_ms,cpu_percent,memory_mb,* ]] || fail "matrix columns"
expect_cell 2000 "$combined" scope=aggregate approach=uniform workers=2 throughput
expect_cell 22 "$combined" scope=aggregate approach=uniform workers=2 latency_ms
expect_cell 2000 "$combined" scope=node approach=uniform workers=2 node=w0 throughput  # it served all
expect_cell 200 "$combined" scope=node approach=uniform workers=2 node=w0 memory_mb
speedup=$scratch/m/speedup_efficiency.csv
[[ $(head -1 "$speedup") == approach,workers,speedup,efficiency_percent,* ]] || fail "speed-up columns"
expect_cell 100 "$speedup" approach=uniform workers=2 efficiency_percent

# The same table by jq; a figure changed is found.
"$DP_SOURCE/pipelines/audit-tables.sh" "$scratch/s" >"$scratch/stdout" || fail "the tables do not follow from the run files"
expect_said "figures recomputed from the run files, 0 differ" stdout
mkdir "$scratch/t" && cp "$scratch/s/detailed_results.json" "$scratch/t"
sed 's/,2000,/,2001,/' "$csv" >"$scratch/t/averaged_results.csv"
! cmp -s "$csv" "$scratch/t/averaged_results.csv" || fail "no figure was changed"
"$DP_SOURCE/pipelines/audit-tables.sh" "$scratch/t" >"$scratch/stdout" && fail "a changed figure was not found"
expect_said "is 2001 in the table and 2000 from the run files" stdout

# Two nodes at 3.6 an hour and 2000 samples/s: 500 s for a million, 2 × 3.6 × 500 / 3600 = 1.
[[ $(cell "$csv" strategy=uniform nodes=2 cost_per_million) == "" ]] || fail "a cost without a price"
summarize --streaming "$scratch/s" --matrix "$scratch/m" --price-per-node-hour 3.6 "$runs"
expect_status 0 "with a price"
expect_cell 1.00027 "$csv" strategy=uniform nodes=2 cost_per_million
expect_cell 1.00027 "$speedup" approach=uniform workers=2 cost_per_million
expect_said "uniform: 1 node 1 ± 0.025, 2 nodes 1 ± 0.05" stdout
summarize --streaming "$scratch/s" --price-per-node-hour free "$runs"
expect_status 2 "a price that is no number"

# What is refused, and with which status.
summarize --help
expect_status 0 "--help"
expect_said "dp-summarize --streaming" stdout
summarize --streaming "$scratch/s"
expect_status 2 "no runs"
summarize "$runs"
expect_status 2 "no folder to write to"
summarize --streaming "$scratch/s" "$scratch/none.json"
expect_status 1 "a missing file"
expect_said "none.json" stderr
jq 'del(.rates.completed)' "$runs/uniform-1-max-1.json" >"$scratch/broken.json"
summarize --streaming "$scratch/s" "$scratch/broken.json"
expect_status 1 "a field missing"
expect_said "broken.json: rates.completed: missing" stderr
jq '.backend = "null" | .run_id = "x"' "$runs/uniform-1-max-1.json" >"$scratch/other.json"
summarize --streaming "$scratch/s" "$runs" "$scratch/other.json"
expect_status 1 "runs of two backends"
expect_said "not comparable" stderr
