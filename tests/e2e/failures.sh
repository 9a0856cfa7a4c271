#!/usr/bin/env bash
# Workers killed, stopped and continued, the router killed and restarted: the run completes and every sample is
# accounted for exactly once.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
slow=(--backend synthetic --service fixed:10ms --rate max --heartbeat 200ms "${synthetic[@]}")
underway=$work/logs/decisions.ndjson

for strategy in dynamic uniform sharded; do
  launch killed --strategy "$strategy" --workers 2 --samples 6400 "${slow[@]}"
  wait_for "twenty dispatches" lines_at_least 40 "$underway"
  signal KILL w1
  finish
  ((status == 0)) || die "kill -9 under $strategy: status $status"
  check killed "$accounted" '.samples.completed == 6400' '.workers[] | select(.name == "w1") | .lost' \
    '[.events[].what | select(test("w1"))] | length > 0'
  rm -rf "$work/logs"
done

launch stopped --strategy dynamic --workers 2 --samples 12800 "${slow[@]}"
wait_for "twenty dispatches" lines_at_least 40 "$underway"
signal STOP w1
wait_for "the router to give w1 up" logged 'worker w1 was lost' route
signal CONT w1
finish
((status == 0)) || die "SIGSTOP and SIGCONT: status $status"
check stopped "$accounted" '.samples.completed == 12800' '.samples.double_counted == 0'
rm -rf "$work/logs"

launch rerouted --strategy dynamic --workers 2 --samples 12800 "${slow[@]}"
wait_for "twenty dispatches" lines_at_least 40 "$underway"
endpoint() { sed -n "s/.*READY.*$1=\([^ ]*\).*/\1/p" "$work/logs/$2.log"; }
stream_at=$(endpoint stream route) worker_at=$(endpoint worker route) collect_at=$(endpoint bind collect)
signal KILL route
"$DP_BIN/dp-route" --strategy dynamic --workers 2 --stream-bind "$stream_at" --worker-bind "$worker_at" \
  --collect "$collect_at" --heartbeat 200ms 2>"$work/route2.err" &
extra_pids+=($!)
finish
((status == 0)) || die "router killed and restarted: status $status"
wait "${extra_pids[0]}" || die "the second router failed"
check rerouted "$accounted" '.samples.completed == 12800' '[.events[].what | select(test("restarted"))] | length == 1'
echo ok
