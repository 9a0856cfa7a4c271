#!/usr/bin/env bash
# The example at the end of each tool's --help runs as pasted and ends in a valid report.
# SPDX-License-Identifier: MIT
# The examples use the default ports: where it can be had, they get a loopback of their own.
if [[ -z ${DP_OWN_LOOPBACK:-} ]] && unshare -rn ip link set lo up 2>/dev/null; then
  # shellcheck disable=SC2016  # for the inner shell
  DP_OWN_LOOPBACK=1 exec unshare -rn bash -c 'ip link set lo up && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
export PATH=$bin:$PATH

# example_of TOOL: what follows "Example:", up to a heading of its own.
example_of() { "$bin/$1" --help | sed -n '/^Example:$/,$p' | sed '1d' | sed '/^[^ ].*:$/,$d'; }

# Stderr of a good run: READY lines and nothing else. A busy machine may make dp-stream late, and dp-collect say so: that
# is the machine's doing.
late='the generator kept to its schedule'
expect_calm() {
  grep -v -e ': READY' -e "INVALID: $late" err >rest
  [[ ! -s rest ]] || fail "unexpected on stderr: $(head -n 3 rest)"
}

for tool in dp-stream dp-route dp-infer dp-collect dp-keygen; do
  folder=$scratch/$tool
  mkdir "$folder" && cd "$folder" || exit 1
  example_of "$tool" >example
  [[ -s example ]] || fail "$tool --help ends with no example"
  run bash example
  cp "$scratch/out" out
  cp "$scratch/err" err
  expect_status 0
  wait_until 15 "everything that $tool's example started has ended" nothing_left
  expect_calm
  jq -e --arg late "$late" '(.valid or (.verdicts // [] | all(.ok or .criterion == $late)))
    and .samples.announced == 2000 and .samples.completed == 2000 and .samples.lost == 0' out >/dev/null ||
    fail "$tool's example gave no valid report of 2000 samples"
done
cd "$scratch" || exit 1
[[ $(wc -l <dp-route/decisions.ndjson) -ge 63 ]] || fail "the decision log has fewer lines than there are batches"
jq -es 'map(select(.what == "dispatch")) | length >= 63' dp-route/decisions.ndjson >/dev/null || fail "dispatches are missing"

# The tables and pictures of such a run.
mkdir -p results/runs && cp dp-stream/out results/runs/one.json
example_of dp-summarize >example
run bash example
expect_status 0
expect_empty err
[[ -s results/streaming/averaged_results.csv ]] || fail "no averaged_results.csv"
example_of dp-plot >example
run bash example
expect_status 0
[[ -s results/plots/streaming_latency.svg ]] || fail "no picture"
echo "ok"
