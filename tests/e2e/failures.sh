#!/usr/bin/env bash
# Workers killed, stopped and continued, the router killed and restarted: the run completes and every sample is
# accounted for exactly once.
# SPDX-License-Identifier: MIT
# Ports below the ephemeral range, on a loopback of its own: on a port that was free, a socket that dials the dead
# router could take its place.
((EUID == 0)) && own=(unshare -n) || own=(unshare -rn)
if [[ -z ${DP_OWN_LOOPBACK:-} ]] && "${own[@]}" ip link set lo up 2>/dev/null; then
  # shellcheck disable=SC2016  # for the inner shell
  DP_OWN_LOOPBACK=1 exec "${own[@]}" bash -c 'ip link set lo up && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
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

# A worker that is well but never done with its batch keeps it no longer than --lease-cap.
printf '[route]\nlease-cap = "500ms"\n' >"$work/capped.toml"  # as --lease-cap 500ms
launch capped --config "$work/capped.toml" --workers 2 --backend synthetic --service fixed:20ms --slowdowns 1,1000 --rate max --samples 640 \
  --heartbeat 200ms "${synthetic[@]}"
wait_for "the cap" logged 'w1 held a batch beyond --lease-cap' route
signal KILL w1  # it would take 20 s to be done with it
finish
((status == 0)) || die "a batch beyond --lease-cap: status $status"
check capped "$accounted" '.samples.completed == 640' 'any(.events[].what; test("w1 held a batch beyond --lease-cap; 2 of its batches go elsewhere"))' \
  '.workers[] | select(.name == "w1") | .samples == 0'
rm -rf "$work/logs"

launch stopped --strategy dynamic --workers 2 --samples 12800 "${slow[@]}"
wait_for "twenty dispatches" lines_at_least 40 "$underway"
signal STOP w1
wait_for "the router to give w1 up" logged 'worker w1 was lost' route
signal CONT w1
finish
((status == 0)) || die "SIGSTOP and SIGCONT: status $status"
check stopped "$accounted" '.samples.completed == 12800' '.samples.double_counted == 0'
rm -rf "$work/logs"

launch rerouted --ports 5601 --strategy dynamic --workers 2 --samples 12800 "${slow[@]}"
wait_for "twenty dispatches" lines_at_least 40 "$underway"
signal KILL route
gone() { ! kill -0 "$(<"$work/logs/route.pid")" 2>/dev/null; }
wait_for "the router's ports to be free" gone
"$DP_BIN/dp-route" --strategy dynamic --workers 2 --heartbeat 200ms 2>"$work/route2.err" &
extra_pids+=($!)
finish
((status == 0)) || die "router killed and restarted: status $status"
wait "${extra_pids[0]}" || die "the second router failed"
check rerouted "$accounted" '.samples.completed == 12800' '[.events[].what | select(test("restarted"))] | length == 1'
echo ok
