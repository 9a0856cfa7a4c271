#!/usr/bin/env bash
# The page of dp-plot --html, in a browser: every picture is drawn, nothing is fetched, hostile names stay text, and it
# reads well on a desk, on a phone, in the dark and on paper. Screenshots stay in the build folder (html/).
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

one=$source_dir/tests/cli/data/run.json
vega=${DP_VEGA:-$bin/../vega}
page=$scratch/report.html
hostile='</script><script>console.error("ran")</script><img src=x onerror=alert(1)>&amp;'

cd "$scratch" || exit 1
number=0
# a_run FILTER: a run file made from the committed one.
a_run() { jq --arg hostile "$hostile" --arg id "r$((++number))" ".run_id = \$id | $1" "$one" >"run-$number.json"; }
for iteration in 1 2 3; do
  for strategy in uniform dynamic; do
    for nodes in 1 2; do
      of=".strategy = \"$strategy\" | .nodes = $nodes"
      a_run "$of"
      a_run "$of | .rate_mode = \"max\" | .rates.requested = null | .rates.completed = $((nodes * 1000 + 7 * iteration))"
    done
  done
done
for strategy in uniform dynamic; do
  a_run ".strategy = \"$strategy\" | .nodes = 2 | .rates.requested = 500 | .rates.completed = 499"
done
a_run '.config.stream.toml = "[stream]\nrate = 1000\n" | .workers[0].name = $hostile | .host.cpu = $hostile | .valid = false | .verdicts[0] |= (.ok = false | .observed = $hostile | .remedy = $hostile)'
jq -cn --arg id "r$number" --arg hostile "$hostile" '{type: "run", schema: "dp.events/1", run_id: $id},
  (range(60) * 100 | {type: "batch", id: (. / 100), samples: 32, status: "ok", scheduled_ms: ., routed_ms: (. + 1), started_ms: (. + 25),
    done_ms: (. + 66), collected_ms: (. + 90), latency_ms: 90, worker: $hostile})' >events.ndjson

run "$bin/dp-plot" --html "$page" --vega "$vega" --made-by "make $hostile" run-*.json
expect_status 0
expect_line err "runs at 500 samples/s are in throughput_latency, and in no picture at one rate"
(($(wc -l <"$scratch/err") == 1)) || fail "more on stderr than that"
expect_line out "$page"
grep -qF '<script>console.error' "$page" && fail "a hostile name became markup"
grep -qiE '(src|href)="?(https?:)?//' "$page" && fail "the page fetches something"
expect_page() { grep -qF -- "$1" "$page" || fail "the page does not have: $1"; }
expect_page 'make &lt;/script&gt;'
expect_page 'INVALID'
expect_page 'Runs at 500 samples/s are in the throughput–latency picture, and in none at one rate.'
expect_page "run-$number.json&#39; &gt; again.toml"
grep -qF '<dt>toml</dt>' "$page" && fail 'the options are shown twice'

"$source_dir/tests/html/look_at_page.py" "$page" "$bin/../html" --expect streaming_throughput_comparison=1014 --expect worker_timeline='41.0 ms' >seen 2>&1 ||
  fail "$(cat seen)"
for picture in streaming_latency latency_percentiles throughput_latency latency_over_time worker_timeline; do
  grep -q "$picture" seen || fail "no $picture: $(cat seen)"
done

run "$bin/dp-plot" --html "$page" --vega /nowhere "run-1.json"
expect_status 1
expect_line err "vega"
run "$bin/dp-plot" --html "$page" table.csv
expect_status 2
expect_line err "--html"
echo ok
