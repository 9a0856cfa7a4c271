#!/usr/bin/env bash
# Recomputes averaged_results.csv of a sweep from its run files with jq alone, and compares every figure.
# Usage: audit-tables.sh FOLDER        (one that dp-summarize --streaming wrote, such as results/streaming)
# Status: 0 all figures agree to five digits, 1 not, or a file is missing.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

folder=$1
table=$folder/averaged_results.csv
for file in "$table" "$folder/detailed_results.json"; do
  [[ -f $file ]] || { echo "audit-tables.sh: $file: no such file (run: make -f Makefile.bench streaming)" >&2; exit 1; }
done
mapfile -t runs < <(jq -r '.runs[].file' "$folder/detailed_results.json")

# One line a figure: strategy nodes column value.
recomputed() {
  jq -rs '
    def mean: if length == 0 then null else add / length end;
    # Student t, 97.5 %, by degrees of freedom, from printed tables.
    def t: [null, 12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.30600, 2.26216, 2.22814,
      2.20099, 2.17881, 2.16037, 2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302][length - 1];
    def ci: if length < 2 or t == null then null else mean as $m
      | (map((. - $m) * (. - $m)) | add / (length - 1) | sqrt) * t / (length | sqrt) end;
    def counted: if any(.valid) then map(select(.valid)) else . end;
    def percentile($p): if all(.latency_ms.supported[$p]) and (any(.overloaded) | not)
      then map(.latency_ms[$p] // empty) else [] end;
    # Seconds in which something was offered, and how many of them were done a second later. In long runs it is several.
    def streams: .series as $s | [range($s | length) | . as $i | select($s[$i].offered > 0)
      | (($s[: $i + 1] | map(.offered) | add) <= ($s[: $i + 2] | map(.completed) | add)) as $done
      | range($s[$i].seconds // 1) | $done];
    group_by([.strategy, .nodes])[]
    | (map(select(.rate_mode == "open")) | counted) as $rate | (map(select(.rate_mode == "max")) | counted) as $max
    | ($rate | map(streams[])) as $streams
    | {avg_throughput: ($rate | map(.rates.completed) | mean), throughput_ci95: ($rate | map(.rates.completed) | ci),
       avg_duration: ($rate | map(.duration_s) | mean), total_inferences: ($rate | map(.samples.completed) | add // 0),
       successful_streams: ($streams | map(select(.)) | length), failed_streams: ($streams | map(select(. | not)) | length),
       capacity: ($max | map(.rates.completed) | mean), capacity_ci95: ($max | map(.rates.completed) | ci),
       p50_ms: ($rate | percentile("p50") | mean), p95_ms: ($rate | percentile("p95") | mean),
       p95_ci95: ($rate | percentile("p95") | ci), p99_ms: ($rate | percentile("p99") | mean),
       top1: ($rate + $max | map(.accuracy.top1 // empty) | mean),
       valid: (map(select(.valid)) | length), runs: length} as $row
    | "\(.[0].strategy) \(.[0].nodes)" as $cell | $row | to_entries[] | "\($cell) \(.key) \(.value // "")"
  ' "${runs[@]}"
}

recomputed | awk -F'[ ]' -v table="$table" '
  BEGIN {
    getline line < table
    columns = split(line, name, ",")
    for (i = 1; i <= columns; ++i) at[name[i]] = i
    while ((getline line < table) > 0) {
      split(line, cell, ",")
      for (i = 1; i <= columns; ++i) ours[cell[at["strategy"]], cell[at["nodes"]], name[i]] = cell[i]
    }
  }
  {
    if (!(($1, $2, $3) in ours)) { printf "%s on %s: no column %s\n", $1, $2, $3; ++off; next }
    a = ours[$1, $2, $3]; b = $4; d = a - b; if (d < 0) d = -d
    scale = b < 0 ? -b : b
    ++compared
    if (!(a == b || (a != "" && b != "" && d <= 2e-5 * scale))) {
      printf "%s on %s: %s is %s in the table and %s from the run files\n", $1, $2, $3, a, b
      ++off
    }
  }
  END {
    if (!compared) { print "nothing to compare"; exit 1 }
    printf "%s %s: %d figures recomputed from the run files, %d differ\n", off ? "OFF " : "ok  ", table, compared, off
    exit off > 0
  }'
