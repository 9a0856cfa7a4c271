#!/usr/bin/env bash
# The search for the highest rate that keeps an SLO, with a stub in place of the runs: it sustains rates from 300 to 700,
# its capacity is 1000, and between 700 and 720 every run is INVALID.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
cd "$scratch" || exit 1

cat >stub.sh <<'EOF'
#!/usr/bin/env bash
args=" $* "
value() { local rest=${args##* $1 }; echo "${rest%% *}"; }
rate=$(value --rate)
echo "$rate" >>called
[[ $(value --samples) == 21184 ]] || exit 1 # 662 batches of 32 support a p99
[[ $rate == max || $(value --slo) == p99=50ms ]] || exit 1
completed=$rate met=true valid=true status=0
[[ $rate != max ]] || completed=1000.7
[[ $rate == max ]] || ((rate >= 300 && rate <= 720)) || met=false status=3
[[ $rate == max ]] || ((rate <= 700 || rate > 720)) || valid=false status=3
jq -n --argjson c "$completed" --argjson met $met --argjson v $valid '{valid: $v, overloaded: false, rates: {completed: $c},
  slo: [{criterion: "SLO", observed: "", ok: $met}], verdicts: [{criterion: "made up", ok: $v}]}' >"$(value --out)"
exit $status
EOF
chmod +x stub.sh
export SLO=p99=50ms STRATEGIES=dynamic WORKERS=2 SAMPLES=8000 BATCH=32 SHARDS=16 PAYLOAD=inline BACKEND=null MODEL=resnet18 \
  THREADS=1 DATA=synthetic:3x32x32 CREDIT='' CONFIG='' FROM_FILE=, SERVICE='' SEED=1 RESULTS=results BIN=. RUN_LOCAL=./stub.sh

# 900, 750 missed, 600 met; then 675 met, 712 undecided, 693 met.
run "$source_dir/pipelines/peak.sh"
expect_status 0
expect_line out "dynamic: 693 samples/s, not 712 (69 % of its capacity of 1000); 1 rates were undecided"
[[ $(sort called | uniq -c | awk '{ printf "%s:%s ", $2, $1 }') == "600:2 675:2 693:2 712:3 750:2 900:2 max:1 " ]] ||
  fail "other rates were tried: $(sort called | uniq -c)"
jq -e '.peaks == [{strategy: "dynamic", nodes: 2, capacity: 1000, sustained: 693, not_sustained: 712, undecided: 1}]' \
  results/peak/peak.json >/dev/null || fail "peak.json: $(<results/peak/peak.json)"

# No rate can keep what a batch needs to fill: half of 32 samples at 900/s are 18 ms.
SLO=p90=10ms run "$source_dir/pipelines/peak.sh"
expect_status 1
sed -i 's/21184/8000/; s/p99=50ms/p90=10ms/' stub.sh && : >called
SLO=p90=10ms run "$source_dir/pipelines/peak.sh"
expect_status 0
expect_line out "dynamic: 0 samples/s, not 1000"
expect_line err "takes 35 ms to fill; give a smaller BATCH"
[[ $(<called) == max ]] || fail "a rate was tried all the same"
echo ok
