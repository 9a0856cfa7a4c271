#!/usr/bin/env bash
# What dp-route --dispatcher-trace records, dp-replay plays again exactly; another strategy is asked about every decision.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
cd "$work" || exit

for strategy in dynamic p2c ch-bl:c=1.5; do
  printf '[route]\ndispatcher-trace = "%s.trace"\nstrategy = "%s"\n' "$strategy" "$strategy" >route.toml
  run "$strategy" --config route.toml --workers 3 --backend synthetic --service exp:1ms --data synthetic:1x4x4 --layout shards:8 --rate max \
    --samples 6400 --decisions "$strategy.decisions"
  ((status == 0)) || die "$strategy: status $status"
  "$DP_BIN/dp-replay" "$strategy.trace" >said || die "$strategy is not replayed exactly"
  jq -e --arg s "$strategy" '.exact and .strategy == $s and .batches_sent == 200' said >/dev/null || die "$strategy: $(<said)"
  # Each decision of the trace that placed a batch is one of the decision log.
  "$DP_BIN/dp-replay" "$strategy.trace" --strategy jsq >asked 2>err || die "$strategy: jsq cannot be asked: $(<err)"
  jq -c 'select(.made != null) | [.batch, .made]' asked >made
  cmp -s made <(jq -c 'select(.what == "assign") | [.batch, .slot]' "$strategy.decisions") || die "$strategy: the trace is not the log"
  jq -es 'all(.[]; .would | type == "number") and any(.[]; .made != .would)' asked >/dev/null || die "$strategy: jsq says nothing of its own"
  grep -qE "[0-9]+ of $(wc -l <asked) decisions of $strategy would have been the same with jsq" err || die "$(<err)"
done

# The same calls lead to the same answers whatever compiler made the dispatcher: the sanitizer's build, which is clang's, plays
# what the router of g++'s build recorded.
other=$root/build/bin-plain
if [[ -x $other/dp-route && $(realpath "$other") != $(realpath "$DP_BIN") ]]; then
  mkdir mixed && ln -s "$DP_BIN"/dp-* mixed/ && ln -sf "$other/dp-route" mixed/
  for strategy in $("$DP_BIN/dp-route" --list-strategies | cut -f 1); do
    printf '[route]\ndispatcher-trace = "other.trace"\nstrategy = "%s"\n' "$strategy" >route.toml
    DP_BIN=$work/mixed run other --config route.toml --workers 3 --backend synthetic --service exp:1ms --data synthetic:1x4x4 \
      --layout shards:8 --rate max --samples 1600
    ((status == 0 || status == 3)) || die "$strategy of the other build: status $status"
    "$DP_BIN/dp-replay" other.trace >said || die "$strategy decides otherwise in the other build"
    rm -f other.trace
  done
fi

head -c 3000 dynamic.trace >torn.trace
"$DP_BIN/dp-replay" torn.trace >said 2>err || die "a torn trace is refused: $(<err)"
grep -q 'bytes of a torn last block are left out' err || die "a torn end is not told of: $(<err)"
printf 'x' | dd of=dynamic.trace bs=1 seek=200 conv=notrunc 2>/dev/null
"$DP_BIN/dp-replay" dynamic.trace >/dev/null 2>err && die "a damaged trace is replayed"
grep -q '^dp-replay: dynamic.trace: byte [0-9]*: the block is damaged' err || die "$(<err)"
"$DP_BIN/dp-replay" nowhere.trace >/dev/null 2>err && die "a trace that is not there"
grep -q nowhere.trace err || die "$(<err)"
echo ok
