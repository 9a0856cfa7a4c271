# made_by_TOOL: whether the example of TOOL made what it says, in the folder it ran in; its stdout is the file out.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2317  # for the script that reads this

# report_of FILE SAMPLES: a report in which all samples are accounted for, valid but for a busy machine.
report_of() {
  jq -e --arg late "$late" --argjson samples "$2" '(.valid or (.verdicts // [] | all(.ok or .criterion == $late)))
    and .samples.announced == $samples and .samples.completed == $samples and .samples.lost == 0' "$1" >/dev/null
}
# reports_of SAMPLES FILE…
reports_of() {
  local samples=$1 file
  shift
  for file in "$@"; do report_of "$file" "$samples" || return; done
}
is_png() { [[ $(head -c 8 "$1" | od -An -tx1 | tr -d ' ') == 89504e470d0a1a0a ]]; }
has_rates() { jq -e '.completed > 0' out >/dev/null; }

made_by_dp-stream() { report_of out 2000; }
made_by_dp-infer() { report_of out 2000; }
made_by_dp-collect() { report_of out 2000; }
made_by_dp-keygen() { report_of out 2000 && [[ -s keys/infer.key && -s keys/public ]]; }
# The screen as soon as anything is published, when a slow worker may not be there yet; then the report.
made_by_dp-top() {
  grep -qE '^dp-top  run .*  (running|waiting for peers)  ' out && grep -qE '^(\*WORKER |no workers yet)' out && sed -n '/^{/,$p' out >report && report_of report 2000
}
# 2000 samples in batches of 32 are 63 batches.
made_by_dp-route() {
  report_of out 2000 && jq -es 'map(select(.what == "dispatch")) | length >= 63' decisions.ndjson >/dev/null
}
# 2000 samples in batches of 32 are 63 batches.
made_by_dp-replay() {
  report_of run.json 2000 && jq -es '.[0].exact and .[0].batches_sent >= 63 and (.[1:] | length == 3 and all(.[]; .would != null))' out >/dev/null
}
made_by_dp-audit() { reports_of 8000 runs/{1..8}.json && grep -q '^| capacity, samples/s | 8 |' out; }
made_by_dp-calibrate() { reports_of 112 r{1,2,3}.json && grep -q '^M/M/c dynamic 2 1 mean ' <(tr -s ' ' <out); }
made_by_dp-summarize() {
  reports_of 8000 runs/{uniform,dynamic}.json && grep -q '^uniform .* 1/1$' out && grep -q '^dynamic .* 1/1$' out &&
    [[ $(head -n 1 tables/averaged_results.csv) == *,strategy,nodes,* && $(wc -l <tables/averaged_results.csv) == 3 ]]
}
made_by_dp-plot() {
  is_png pictures/streaming_throughput_comparison.png && [[ -s pictures/streaming_throughput_comparison.svg ]] &&
    grep -q '</html>' report.html
}
made_by_dp-doctor() { grep -q '^ok    toolkit ' out && grep -q '^ok    shipped ' out; }
# A label, and 3 × 1024 pixels: of a black image, of a white one.
made_by_cifar10-from-png() {
  [[ $(od -An -v -tu1 -w1 two.bin | uniq -c | tr -s ' ' | paste -sd ,) == ' 1 3, 3072 0, 1 8, 3072 255' ]]
}
made_by_dp-run-local() { has_rates; }
made_by_dp-fetch-cifar10() { has_rates && cmp -s data/cifar10/test_batch.bin "$fixture"; }
made_by_dp-install-vega() { grep -q "^ok    vega .*$HOME/.local/share/dataparallel/vega" out; }
