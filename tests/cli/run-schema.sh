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

# broken FIELD FILTER: the good file changed by a jq filter is refused, naming the field.
broken() {
  jq "$2" "$good" >"$scratch/broken.json" || fail "jq: $2"
  run "$check" "$scratch/broken.json"
  ((status == 1)) || fail "not refused: $2"
  grep -qF "$1" "$scratch/err" || fail "the field is not named: $2"
}
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
echo '{"schema": ' >"$scratch/broken.json"
run "$check" "$scratch/broken.json"
((status == 1)) && grep -qF "$scratch/broken.json" "$scratch/err" || fail "a torn file is not refused"
echo ok
