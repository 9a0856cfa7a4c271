#!/usr/bin/env bash
# A worker on another host is one command: two network namespaces joined by a veth pair stand for the hosts.
# SPDX-License-Identifier: MIT
if [[ -z ${DP_OWN_HOST:-} ]]; then
  ((EUID == 0)) && own=(unshare -n) || own=(unshare -rn)
  "${own[@]}" true || { echo "FAILED: this test needs network namespaces (unshare -n)" >&2; exit 1; }
  DP_OWN_HOST=1 exec "${own[@]}" bash "${BASH_SOURCE[0]}"
fi
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

# The other host is a process that holds a namespace open; it ends with this script's end of the pipe.
mkfifo "$work/hold"
unshare -n bash -c "echo here >'$work/there'; read -r <'$work/hold'" &
extra_pids+=($!)
other=$!
exec 9<>"$work/hold"
run_pid=$other
wait_for "the other host" test -s "$work/there"
run_pid=''
at_other() { nsenter -t "$other" -n "$@"; }
ip link set lo up
ip link add head type veth peer name worker netns "$other"
ip addr add 10.77.9.1/24 dev head && ip link set head up
at_other ip addr add 10.77.9.2/24 dev worker && at_other ip link set worker up

"$DP_BIN/dp-collect" --bind tcp://10.77.9.1:5603 --insecure --out "$work/far.json" 2>"$work/collect.err" &
collect=$!
"$DP_BIN/dp-route" --strategy uniform --workers 2 --worker-bind tcp://10.77.9.1:5602 --collect tcp://10.77.9.1:5603 --insecure 2>"$work/route.err" &
extra_pids+=($!)
"$DP_BIN/dp-infer" --name near --backend null --route tcp://10.77.9.1:5602 --collect tcp://10.77.9.1:5603 --insecure 2>"$work/near.err" &
extra_pids+=($!)
at_other "$DP_BIN/dp-infer" --name far --backend null --route tcp://10.77.9.1:5602 --collect tcp://10.77.9.1:5603 --insecure 2>"$work/far.err" &
extra_pids+=($!)
"$DP_BIN/dp-stream" --data synthetic:3x32x32 --rate max --samples 6400 --collect tcp://10.77.9.1:5603 --insecure 2>"$work/stream.err" &
extra_pids+=($!)
status=0
wait "$collect" || status=$?
((status == 0)) || die "dp-collect ended with status $status"
check far "$accounted" '(.workers | map({(.name): .samples}) | add) == {near: 3200, far: 3200}'
echo ok
