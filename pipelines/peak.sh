#!/usr/bin/env bash
# The highest rate at which each strategy keeps a service level: capacity first, then downwards from it until a rate is
# sustained, then bisection between that and the one before. Downwards, because latency is not monotone: at low rates a
# batch takes long to fill. A rate is sustained when two of at most three runs, each with a seed of its own, are valid
# and meet the SLO.
# Usage: SLO=p99=50ms STRATEGIES=uniform,dynamic WORKERS=2 SAMPLES=8000 … peak.sh        (called by Makefile.bench)
# Writes RESULTS/peak/peak.json and every run file; the table goes to stdout.
# Status: 0 done, 1 a run failed, 130 interrupted.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale
# shellcheck source=pipelines/run-arguments.bash
source "$(dirname "$0")/run-arguments.bash"

fractions=(90 75 60 45 30 15) # % of capacity
steps=3                       # each halves the bracket: about 2 % of capacity in the end
folder=$RESULTS/peak/runs/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$folder"

# Batches that support the percentile asked for (MLPerf's criterion; p90 and below, mean and max: as p90).
case $SLO in
  *p999=* | *p99.9=*) batches=6636 ;;
  *p99=*) batches=662 ;;
  *p95=*) batches=130 ;;
  *) batches=64 ;;
esac
# Batches take so long to fill at this rate that even the mean sample waits longer than the limit.
fills_too_slowly() { # fills_too_slowly RATE
  awk -v slo="$SLO" -v batch="$BATCH" -v rate="$1" 'BEGIN {
    split(slo, part, "="); value = part[2] + 0; unit = part[2]; sub(/^[0-9.]+/, "", unit)
    limit = value * (unit == "s" ? 1 : unit == "ms" ? 1e-3 : unit == "us" ? 1e-6 : 1e-9)
    exit !(batch / rate / 2 > limit) }'
}
BATCH=${BATCH##*..} # the largest, where CONFIG draws them
SAMPLES=$((SAMPLES > batches * BATCH ? SAMPLES : batches * BATCH))

measure() { # measure FILE STRATEGY RATE SEED OPTION…: leaves `status`
  local arguments
  run_arguments --out "$1" --strategy "$2" --workers "$WORKERS" --rate "$3" --seed "$4" "${@:5}"
  status=0
  DP_BIN=$BIN "$RUN_LOCAL" "${arguments[@]}" >"$folder/log" 2>&1 </dev/null || status=$?
  case $status in
    0 | 3) ;;
    130) exit 130 ;;
    *) printf 'failed (status %d)\n' "$status" >&2; tail -n 5 "$folder/log" >&2; exit 1 ;;
  esac
}

# sustained STRATEGY RATE: two runs of three decide. A run that is INVALID for another reason than its load (the
# generator was late, say) decides nothing and is measured again; after three such the rate counts as not sustained,
# and the result says so.
sustained() {
  local strategy=$1 rate=$2 stem yes=0 no=0 unclear=0 try=0 file
  stem=$folder/$(in_name "$strategy")
  while ((yes < 2 && no < 2 && unclear < 3)); do
    try=$((try + 1))
    file=$stem-$rate-$try.json
    printf '%s at %s/s, run %d … ' "$strategy" "$rate" "$try" >&2
    measure "$file" "$strategy" "$rate" "$((SEED + try))" --slo "$SLO"
    if ((status == 0)); then
      yes=$((yes + 1))
    elif jq -e '.overloaded or (.valid and any(.slo[]; .ok | not))' "$file" >/dev/null; then
      no=$((no + 1))
    else
      unclear=$((unclear + 1))
    fi
    jq -r '(if .overloaded then "overloaded, " else "" end) + ([.slo[] | "\(if .ok then "met" else "missed" end): \(.criterion), \(.observed)"] | join(", "))
      + (if .valid then "" else " (INVALID: \([.verdicts[] | select(.ok | not) | .criterion] | join(", ")))" end)' "$file" >&2
  done
  ((unclear < 3)) || undecided=$((undecided + 1))
  ((yes >= 2))
}

peaks=()
IFS=, read -ra strategies <<<"$STRATEGIES"
for strategy in "${strategies[@]}"; do
  printf '%s as fast as possible … ' "$strategy" >&2
  at_max=$folder/$(in_name "$strategy")-max.json
  measure "$at_max" "$strategy" max "$SEED"
  capacity=$(jq '.rates.completed | floor' "$at_max")
  printf '%s/s\n' "$capacity" >&2
  ((capacity > 0)) || { echo "peak.sh: $strategy completed nothing" >&2; exit 1; }
  low=0 high=$capacity undecided=0
  for fraction in "${fractions[@]}"; do
    rate=$((capacity * fraction / 100))
    ((rate > 0)) || break
    if fills_too_slowly "$rate"; then
      echo "$strategy at $rate/s: a batch of $BATCH takes $((1000 * BATCH / rate)) ms to fill; give a smaller BATCH" >&2
      break
    fi
    if sustained "$strategy" "$rate"; then low=$rate; break; fi
    high=$rate
  done
  for ((step = 0; low > 0 && step < steps; ++step)); do
    rate=$(((low + high) / 2))
    if sustained "$strategy" "$rate"; then low=$rate; else high=$rate; fi
  done
  peaks+=("$(jq -n --arg s "$strategy" --argjson w "$WORKERS" --argjson c "$capacity" --argjson l "$low" --argjson h "$high" \
    --argjson u "$undecided" '{strategy: $s, nodes: $w, capacity: $c, sustained: $l, not_sustained: $h, undecided: $u}')")
done

printf '%s\n' "${peaks[@]}" | jq -s --arg slo "$SLO" --arg runs "$folder" --argjson n "$SAMPLES" \
  '{schema: "dp.peak/1", slo: $slo, samples_per_run: $n, runs: $runs, peaks: .}' >"$RESULTS/peak/peak.json.new"
mv "$RESULTS/peak/peak.json.new" "$RESULTS/peak/peak.json"
jq -r '"Highest rate sustained with \(.slo) on \(.peaks[0].nodes) nodes (two runs of three; the next rate tried was not):",
  (.peaks[] | "  \(.strategy): \(.sustained) samples/s, not \(.not_sustained)"
    + " (\(.sustained * 100 / .capacity | round) % of its capacity of \(.capacity))"
    + (if .undecided > 0 then "; \(.undecided) rates were undecided: three INVALID runs each, see their verdicts" else "" end)), "wrote '"$RESULTS"'/peak/peak.json"' "$RESULTS/peak/peak.json"
