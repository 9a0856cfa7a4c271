#!/usr/bin/env bash
# A run's report holds the configuration file that repeats it: the same plan, the same settings.
# SPDX-License-Identifier: MIT
# It uses the default ports: a loopback of its own keeps other runs on this machine apart.
((EUID == 0)) && own=(unshare -n) || own=(unshare -rn)
if [[ -z ${DP_OWN_LOOPBACK:-} ]] && "${own[@]}" ip link set lo up 2>/dev/null; then
  # shellcheck disable=SC2016  # for the inner shell
  DP_OWN_LOOPBACK=1 exec "${own[@]}" bash -c 'ip link set lo up && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

run first --strategy sharded --workers 2 --backend synthetic --service exp:2ms --credit 3 --data synthetic:3x8x8 \
  --rate 4000 --samples 3000 --batch-size 8..16 --layout shards:8,zipf:1.2 --arrivals poisson --seed 7 --warmup 100ms
((status == 0 || status == 3)) || die "first: status $status"
check first "$accounted"
jq -r '.config[].toml' "$work/first.json" >"$work/again.toml"
grep -q '^seed = 7$' "$work/again.toml" || die "the plan's seed is not in the file"

tool() { "$DP_BIN/$1" --config "$work/again.toml" "${@:2}" 2>"$work/$1${3:-}.err" & extra_pids+=($!); }
tool dp-route
tool dp-infer --name w0
tool dp-infer --name w1
tool dp-stream
status=0
"$DP_BIN/dp-collect" --config "$work/again.toml" --out "$work/second.json" 2>"$work/second.err" || status=$?
((status == 0 || status == 3)) || die "second: status $status"
check second "$accounted"
for pid in "${extra_pids[@]}"; do wait "$pid" || die "a tool ended with status $?"; done
extra_pids=()

what='.config | map_values(del(.command_line, .bind, .journal))'
diff <(jq "$what" "$work/first.json") <(jq "$what" "$work/second.json") || die "another configuration"
what='[.rates.requested, .rates.scheduled, .samples.announced, .batches.announced, .warmup.seconds, .warmup.batches]'
diff <(jq "$what" "$work/first.json") <(jq "$what" "$work/second.json") || die "another plan"

# run-local.sh takes the file too, and what it is given itself wins.
run third --config "$work/again.toml"
((status == 0 || status == 3)) || die "third: status $status"
check third "$accounted" '.strategy == "sharded"' '.nodes == 2' '.config.infer.credit == "3"' '.samples.announced == 3000'
run fourth --config "$work/again.toml" --strategy uniform --workers 1 --samples 600 --service fixed:1ms
((status == 0 || status == 3)) || die "fourth: status $status"
check fourth "$accounted" '.strategy == "uniform"' '.nodes == 1' '.config.infer.service == "fixed:1ms"' '.samples.announced == 600'
sed 's/^strategy = .*/stratgy = "uniform"/' "$work/again.toml" >"$work/wrong.toml"
run fifth --config "$work/wrong.toml"
((status == 2)) || die "a wrong file: status $status"
grep -q 'wrong.toml:[0-9]*: .*stratgy.*strategy' "$work/fifth.err" || die "a wrong file: $(cat "$work/fifth.err")"
echo ok
