#!/usr/bin/env bash
# Ends a sweep: tables, pictures, and on stdout the summary, INVALID runs counted, and the paths of what was written.
# Usage: NODES=1,2 … sweep-report.sh streaming|matrix|single|rates|repeat|audit
# Status: 0 when every run is there and accounts for every sample, even if some are marked INVALID; else 1.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

kind=$1
mapfile -t files < <(pipelines/sweep-plan.sh "$kind")
for file in "${files[@]}"; do
  [[ -f $file ]] || { echo "sweep-report.sh: $file: not measured yet" >&2; exit 1; }
done

show_single() {
  jq -r '
    def ms: if . == null then "–" else "\(. * 100 | round / 100) ms" end;
    def percentile($p): if .supported[$p] then .[$p] | ms else "– (too few batches)" end;
    "run         \(.run_id)   \(if .valid then "valid" else "INVALID" end)\(if .overloaded then ", overloaded" else "" end)",
    "samples     \(.samples.announced) announced, \(.samples.completed) completed, \(.samples.failed) failed, \(.samples.lost) lost, \(.samples.double_counted) counted twice",
    "throughput  \(.rates.completed * 10 | round / 10) samples/s",
    "latency     p50 \(.latency_ms | percentile("p50"))   p95 \(.latency_ms | percentile("p95"))   p99 \(.latency_ms | percentile("p99"))",
    (if .accuracy.top1 then "top-1       \(.accuracy.top1 * 10000 | round / 100) %" else empty end),
    (.workers[]? | "worker      \(.name): \(.samples) samples, \(.service_ms_per_sample | ms) each\(if .failed > 0 then ", \(.failed) attempts failed" else "" end)"),
    (.verdicts[]? | select(.ok | not) | "INVALID     \(.criterion): \(.observed), required \(.required). \(.remedy)")
  ' "${files[0]}"
}

show_spread() {
  "$BIN/dp-audit" --json "${files[@]}" >"$RESULTS/repeat/spread.json"
  "$BIN/dp-audit" "${files[@]}" | tee "$RESULTS/repeat/spread.md"
}

# Runs of odd iterations against those of even ones: other seeds, taken in turn.
show_agreement() {
  local odd=() even=() file
  for file in "${files[@]}"; do
    if [[ $file =~ -i[0-9]*[13579]\.json$ ]]; then odd+=("$file"); else even+=("$file"); fi
  done
  "$BIN/dp-audit" --against "$(IFS=,; echo "${odd[*]}")" "${even[@]}"
}

# dp-summarize has one rate in a table: a folder for each.
summarize_rates() {
  local rate file at=()
  IFS=, read -ra rates <<<"$RATES"
  for rate in "${rates[@]}"; do
    at=()
    for file in "${files[@]}"; do [[ $file =~ -($rate|max)-i[0-9]+\.json$ ]] && at+=("$file"); done
    "$BIN/dp-summarize" --streaming "$RESULTS/rates/$rate" "${at[@]}" >/dev/null  # each would count the runs at max anew
    echo "wrote $RESULTS/rates/$rate/ (tables)"
  done
}

# draw OPTION…: the pictures of the sweep, where there is something to draw them with.
draw() {
  if [[ -x build/vega/node_modules/.bin/vl2png ]]; then
    DP_VEGA=build/vega/node_modules/.bin "$BIN/dp-plot" "$@" "${files[@]}" | sed 's/^/wrote /'
  else
    echo "No pictures: Vega is not installed (run: make -f Makefile.bench deps)" >&2
  fi
}

# What was measured may be too little for a curve.
draw_curve() {
  local said
  said=$(mktemp) || exit 1
  rm -f "$RESULTS/rates/throughput_latency".{svg,png}
  if draw --out "$RESULTS/rates" --only throughput_latency 2>"$said"; then
    cat "$said" >&2
  elif grep -q 'no picture can be drawn' "$said"; then
    echo "No picture: it takes valid runs with batches enough, below capacity, at two rates or more (RATES=$RATES)" >&2
  else
    cat "$said" >&2
    exit 1
  fi
  rm -f "$said"
}

count_invalid() {
  local invalid
  invalid=$(jq -r 'select(.valid | not) | input_filename' "${files[@]}" | wc -l)
  ((invalid == 0)) || echo "$invalid of ${#files[@]} runs are INVALID: their files say why"
}

runs="$(dirname "${files[0]}")/ (${#files[@]} run files)"
disagree=0
case $kind in
  single)
    show_single
    runs=${files[0]}
    ;;
  rates)
    summarize_rates
    count_invalid
    ;;
  repeat) show_spread ;;
  audit)
    "$BIN/dp-summarize" --streaming "$RESULTS/audit" "${files[@]}" >/dev/null
    echo "Other seeds: $STRATEGY on $WORKERS nodes, $ITERATIONS runs against $ITERATIONS"
    show_agreement || disagree=1
    echo "Tables: from the run files once more, by jq"
    pipelines/audit-tables.sh "$RESULTS/audit" || disagree=1
    ;;
  *) "$BIN/dp-summarize" "--$kind" "$RESULTS/$kind" ${PRICE:+--price-per-node-hour "$PRICE"} "${files[@]}" ;;
esac
echo "wrote $runs"
case $kind in
  streaming) draw --out "$RESULTS/plots" --html "$RESULTS/report.html" --made-by "$MADE_BY" ${PRICE:+--price-per-node-hour "$PRICE"} ;;
  rates) draw_curve ;;
esac

unaccounted=$(jq -r 'select(.samples.lost != 0 or .samples.double_counted != 0 or
  .samples.announced != .samples.completed + .samples.failed) | input_filename' "${files[@]}")
if [[ -n $unaccounted ]]; then
  printf 'Samples are not accounted for in:\n%s\n' "$unaccounted" >&2
  exit 1
fi
((disagree == 0)) || { echo "The audit found a disagreement (see above)" >&2; exit 1; }
