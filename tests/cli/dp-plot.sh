#!/usr/bin/env bash
# dp-plot: which files it writes and what it says, with stand-ins for the renderers, then with vega-cli where there is one.
# SPDX-License-Identifier: MIT
set -euo pipefail

: "${DP_SOURCE:?}" "${DP_BIN:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
run=$DP_SOURCE/tests/cli/data/run.json
templates=$DP_SOURCE/lib/plot/templates

fail() {
  printf 'FAILED: %s\n%s\n' "$1" "$(cat "$scratch/stderr" 2>/dev/null)" >&2
  exit 1
}
plot() { # ARGUMENT…: leaves `status`
  status=0
  "$DP_BIN/dp-plot" --templates "$templates" "$@" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
}
expect_status() { [[ $status == "$1" ]] || fail "$2: exit status $status, not $1"; }
expect_said() { grep -qF -- "$1" "$scratch/stderr" || fail "does not say '$1'"; }

# Renderers that hand their input on.
mkdir -p "$scratch/vega/node_modules/.bin"
for program in vl2svg vl2png; do
  # shellcheck disable=SC2016 # expanded by the stand-in
  printf '#!/bin/sh\necho "$0 $*" >&2\ncat\n' >"$scratch/vega/node_modules/.bin/$program"
  chmod +x "$scratch/vega/node_modules/.bin/$program"
done

jq '.rate_mode = "max" | .rates.requested = null | .rates.completed = 1500 | .run_id = "m"' "$run" >"$scratch/max.json"
plot --vega "$scratch/vega" --out "$scratch/out" "$run" "$scratch/max.json"
expect_status 0 "two runs"
[[ ! -s $scratch/stderr ]] || fail "unexpected stderr"
for name in streaming_throughput_comparison streaming_latency latency_percentiles streaming_resource_utilization \
  streaming_performance_heatmaps streaming_comprehensive_dashboard "aggregate_$(jq .nodes "$run")w"; do
  for kind in svg png; do
    [[ -s $scratch/out/$name.$kind ]] || fail "no $name.$kind"
    grep -qF "$scratch/out/$name.$kind" "$scratch/stdout" || fail "$name.$kind is not announced"
  done
done
[[ $(jq '.data.values[0].value' "$scratch/out/streaming_throughput_comparison.svg") == 1500 ]] || fail "capacity drawn"
[[ $(jq '.data.values[] | select(.percentile == "p50").value' "$scratch/out/streaming_latency.svg") == 20 ]] || fail "p50 drawn"
[[ $(jq '.data.values[] | select(.percentile == "p95").value' "$scratch/out/streaming_latency.svg") == null ]] || fail "unsupported p95 drawn"
[[ $(jq -c '[.data.values[].percentile]' "$scratch/out/latency_percentiles.svg") == '["p50","p90"]' ]] || fail "percentiles drawn"

# The committed example is drawn again as its README says: fourteen pictures, and the page.
for library in vega vega-lite vega-embed; do
  mkdir -p "$scratch/vega/node_modules/$library/build" && : >"$scratch/vega/node_modules/$library/build/$library.min.js"
done
mkdir "$scratch/redraw" && ln -s "$DP_SOURCE/results" "$scratch/redraw/results"
sed -n '/^To draw them again:/,$p' "$DP_SOURCE/results/example/README.md" | sed -n '/^```sh$/,/^```$/{//!p;}' >"$scratch/redraw/pasted"
(cd "$scratch/redraw" && PATH=$DP_BIN:$PATH DP_VEGA=$scratch/vega bash -e pasted >out 2>err) || fail "results/example: $(tail -n 5 "$scratch/redraw/err")"
[[ $(find "$scratch/redraw/again/plots" -name '*.png' -size +0 | wc -l) == $(find "$DP_SOURCE/results/example" -name '*.png' | wc -l) ]] ||
  fail "results/example: other pictures: $(ls "$scratch/redraw/again/plots")"
grep -q '</html>' "$scratch/redraw/again/report.html" || fail "results/example: no page"

# From the table of the same runs: the same pictures.
"$DP_BIN/dp-summarize" --streaming "$scratch/s" "$run" "$scratch/max.json" >/dev/null
DP_VEGA=$scratch/vega plot --out "$scratch/again" "$scratch/s/averaged_results.csv"
expect_status 0 "a table"
for name in streaming_throughput_comparison streaming_latency; do
  cmp -s "$scratch/out/$name.svg" "$scratch/again/$name.svg" || fail "$name differs between runs and their table"
done

# With the byte order mark that spreadsheets put in front of a table.
printf '\xEF\xBB\xBF%s\n' "$(<"$scratch/s/averaged_results.csv")" >"$scratch/marked.csv"
plot --vega "$scratch/vega" --out "$scratch/marked" --only streaming_latency "$scratch/marked.csv"
expect_status 0 "a table with a byte order mark"
cmp -s "$scratch/out/streaming_latency.svg" "$scratch/marked/streaming_latency.svg" || fail "the mark changes a picture"

# Events: of the run they name, given or found beside it; of no other.
events=$scratch/events/run.ndjson
mkdir -p "$scratch/events"
cp "$run" "$scratch/events/run.json"
id=$(jq -r .run_id "$run")
jq -cn --arg id "$id" '{type: "run", schema: "dp.events/1", run_id: $id},
  (range(60) * 100 | {type: "batch", id: (. / 100), samples: 32, status: "ok", scheduled_ms: ., routed_ms: (. + 1), started_ms: (. + 5),
    done_ms: (. + 30), collected_ms: (. + 40), latency_ms: 40, worker: "w0"})' >"$events"
plot --vega "$scratch/vega" --out "$scratch/beside" --only latency_over_time --only worker_timeline "$scratch/events/run.json"
expect_status 0 "events beside the run"
[[ $(jq '[.vconcat[0].layer[0].data.values[] | select(.what == "offered").value][0]' "$scratch/beside/latency_over_time.svg") == 320 ]] ||
  fail "offered rate drawn"
[[ $(jq -c '[.data.values[] | select(.stage == "compute").says] | unique' "$scratch/beside/worker_timeline.svg") == '["25.0 ms"]' ]] ||
  fail "compute drawn"
plot --vega "$scratch/vega" --out "$scratch/given" --only worker_timeline --events "$events" "$run" "$scratch/max.json"
expect_status 0 "--events"
plot --vega "$scratch/vega" --out "$scratch/out" --events "$events" "$scratch/max.json"
expect_status 1 "events of another run"
expect_said "is of run $id, which is not among the runs"
plot --vega "$scratch/vega" --out "$scratch/out" --events "$events" "$scratch/s/averaged_results.csv"
expect_status 2 "events and a table"
plot --vega "$scratch/vega" --out "$scratch/out" --only worker_timeline "$run"
expect_status 1 "a timeline without events"
expect_said "--events"

# Runs at several rates: a curve, and its capacity.
jq '.rates.requested = 1200 | .rates.completed = 1190 | .run_id = "r"' "$run" >"$scratch/faster.json"
plot --vega "$scratch/vega" --out "$scratch/curve" --only throughput_latency "$run" "$scratch/faster.json" "$scratch/max.json"
expect_status 0 "two rates"
[[ $(jq -c '[.data.values[] | select(.percentile == "p50").completed] | max' "$scratch/curve/throughput_latency.svg") == 1190 ]] || fail "rates drawn"
[[ $(jq '.data.values[].capacity // empty' "$scratch/curve/throughput_latency.svg") == 1500 ]] || fail "capacity drawn on the curve"

# What is refused, and with which status.
plot "$run"
expect_status 2 "no --out"
plot --out "$scratch/out"
expect_status 2 "nothing to draw"
plot --out "$scratch/out" --only streaming_latencies "$run"
expect_status 2 "a name that no picture has"
expect_said "streaming_resource_utilization"
plot --out "$scratch/out" --only streaming_throughput_comparison --vega "$scratch/vega" "$run"
expect_status 1 "a picture that the run cannot supply"
expect_said "--rate max"
plot --list
expect_status 0 "--list"
mkdir "$scratch/none"
PATH=/nowhere plot --vega "$scratch/none" --out "$scratch/out" "$run"
expect_status 1 "no renderer"
expect_said "make -f Makefile.bench deps"
printf '#!/bin/sh\necho cannot draw >&2\nexit 3\n' >"$scratch/vega/node_modules/.bin/vl2svg"
plot --vega "$scratch/vega" --out "$scratch/out" "$run"
expect_status 1 "a failing renderer"
expect_said "cannot draw"
plot --vega "$scratch/vega" --templates "$scratch/none" --out "$scratch/out" "$run"
expect_status 1 "no templates"
plot --help
expect_status 0 "--help"

# With the real renderers.
vega=${DP_VEGA:-$DP_BIN/../vega}
plot --vega "$vega" --out "$scratch/real" "$run" "$scratch/max.json"
expect_status 0 "vega-cli"
grep -q '<svg' "$scratch/real/streaming_latency.svg" || fail "not an SVG"
[[ $(head -c 8 "$scratch/real/streaming_latency.png" | od -An -tx1 | tr -d ' ') == 89504e470d0a1a0a ]] || fail "not a PNG"
