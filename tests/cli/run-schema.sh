#!/usr/bin/env bash
# The schema of run.json is strict and explains every key; a good run file passes, and each way of breaking one is seen
# and named.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

check=$source_dir/tests/schema/check_schema.py
good=$source_dir/tests/cli/data/run.json
run "$check"
((status == 0)) || fail "the schema has loose ends"
run "$check" "$good"
((status == 0)) || fail "a good run file is refused"

# broken SAID FILTER: the good file changed by a jq filter is to be refused, naming the field.
broken() {
  jq "$2" "$good" >"$scratch/${#said[@]}.json" || fail "jq: $2"
  said+=("$1") filters+=("$2")
}
said=() filters=()
broken "'lost' is a required property" 'del(.samples.lost)'
broken "'median' was unexpected" '.latency_ms.median = 1'
broken 'nodes: ' '.nodes = "2"'
broken 'workers.0.busy_s: ' '.workers[0].busy_s = null'
broken 'samples.completed: ' '.samples.completed = -1'
broken 'rate_mode: ' '.rate_mode = "fast"'
broken 'schema: ' '.schema = "dp.run/9"'
broken 'series.1.queue: ' '.series[1].queue = 0.5'
broken 'config.stream.seed: ' '.config.stream.seed = {}'
broken 'service_ms.0: ' '.service_ms[0] = [1]'
run "$check" "$scratch"/[0-9]*.json
((status == 1)) || fail "broken files are taken"
for i in "${!said[@]}"; do
  [[ $(grep -F "/$i.json: " "$scratch/err") == *"${said[i]}"* ]] || fail "not refused, or the field is not named: ${filters[i]}"
done
echo '{"schema": ' >"$scratch/torn.json"
run "$check" "$scratch/torn.json"
((status == 1)) && grep -qF "$scratch/torn.json" "$scratch/err" || fail "a torn file is not refused"
echo ok
