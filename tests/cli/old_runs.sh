#!/usr/bin/env bash
# Run files of older versions: one of each shape that run.json ever had gives the tables and pictures that are due, and the
# example's runs give the example's table.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

kept=("$source_dir"/tests/cli/data/runs/*.json)
example=$source_dir/results/example

# column NAME: what the one row of averaged_results.csv has there.
column() { awk -F, -v want="$1" 'NR == 1 { for (i = 1; i <= NF; ++i) if ($i == want) at = i } NR == 2 { print $at }' "$scratch/table/averaged_results.csv"; }
expect_column() { [[ $(column "$1") == "$2" ]] || fail "$file: $1 is '$(column "$1")', not '$2'"; }

# Renderers that hand their input on.
mkdir -p "$scratch/vega/node_modules/.bin"
for program in vl2svg vl2png; do
  printf '#!/bin/sh\ncat\n' >"$scratch/vega/node_modules/.bin/$program"
  chmod +x "$scratch/vega/node_modules/.bin/$program"
done

for file in "${kept[@]}"; do
  run "$bin/dp-summarize" --streaming "$scratch/table" "$file"
  expect_status 0
  [[ ! -s $scratch/err ]] || fail "$file: unexpected stderr"
  expect_column avg_throughput 1000
  expect_column avg_cpu_percent 98
  expect_column avg_memory_mb 222
  expect_column total_inferences 4000
  expect_column successful_streams 4
  expect_column p50_ms 20
  expect_column p95_ms ''
  expect_column valid 1
  expect_column nodes_are 'processes of one host'
  held=12.5
  [[ $file == */[12]-*.json ]] && held=
  expect_column data_moved_mb "$held"

  rm -rf "$scratch/plots"
  run "$bin/dp-plot" --templates "$source_dir/lib/plot/templates" --vega "$scratch/vega" --out "$scratch/plots" "$file"
  expect_status 0
  [[ ! -s $scratch/err ]] || fail "$file: unexpected stderr"
  [[ $(jq '.data.values[] | select(.percentile == "p50").value' "$scratch/plots/streaming_latency.svg") == 20 ]] || fail "$file: p50 drawn"
done

# The example's own table, whatever columns are added to it.
cd "$scratch" || exit 1
mkdir again
tar -C again -xf "$example/runs.tar.xz"
run "$bin/dp-summarize" --streaming "$scratch/table" again/streaming
expect_status 0
awk -F, '
  FNR == 1 { for (i = 1; i <= NF; ++i) if (NR == FNR) name[i] = $i; else at[$i] = i; if (NR == FNR) columns = NF; next }
  NR == FNR { for (i = 1; i <= columns; ++i) was[FNR, i] = $i; rows = FNR; next }
  { for (i = 1; i <= columns; ++i) if ($at[name[i]] != was[FNR, i]) { print name[i] ", row " FNR ": " $at[name[i]] ", was " was[FNR, i]; wrong = 1 } }
  END { if (FNR != rows) print FNR " rows, was " rows; exit wrong || FNR != rows }' \
  "$example/averaged_results.csv" "$scratch/table/averaged_results.csv" >"$scratch/out" || fail "the example's table is another"
mapfile -t runs < <(find again -name '*.json')
run "$source_dir/tests/schema/check_schema.py" "${kept[@]}" "${runs[@]}"
((status == 0)) || fail "old runs do not meet the schema"
echo ok
