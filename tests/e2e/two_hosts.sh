#!/usr/bin/env bash
# A worker on another host is one command, with keys or insisting on none: two network namespaces joined by a veth pair
# stand for the hosts.
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

# across NAME: one run with a worker on each host; how each role speaks is in $as_ROLE.
across() {
  local collect
  "$DP_BIN/dp-collect" --bind tcp://10.77.9.1:5603 "${as_collect[@]}" --out "$work/$1.json" 2>"$work/$1-collect.err" &
  collect=$!
  "$DP_BIN/dp-route" --strategy uniform --workers 2 --worker-bind tcp://10.77.9.1:5602 --collect tcp://10.77.9.1:5603 "${as_route[@]}" 2>"$work/$1-route.err" &
  extra_pids+=($!)
  "$DP_BIN/dp-infer" --name near --backend null --route tcp://10.77.9.1:5602 --collect tcp://10.77.9.1:5603 "${as_infer[@]}" 2>"$work/$1-near.err" &
  extra_pids+=($!)
  at_other "$DP_BIN/dp-infer" --name far --backend null --route tcp://10.77.9.1:5602 --collect tcp://10.77.9.1:5603 "${as_infer[@]}" 2>"$work/$1-far.err" &
  extra_pids+=($!)
  "$DP_BIN/dp-stream" --data synthetic:3x32x32 --rate max --samples 6400 --collect tcp://10.77.9.1:5603 "${as_stream[@]}" 2>"$work/$1-stream.err" &
  extra_pids+=($!)
  status=0
  wait "$collect" || status=$?
  ((status == 0)) || die "$1: dp-collect ended with status $status"
  check "$1" "$accounted" '(.workers | map({(.name): .samples}) | add) == {near: 3200, far: 3200}'
  for pid in "${extra_pids[@]:1}"; do wait "$pid" || die "$1: a tool ended with status $?"; done
  extra_pids=("$other")
}

as_collect=(--insecure) as_route=(--insecure) as_infer=(--insecure) as_stream=(--insecure)
across open

# With keys, as dp-keygen --help says.
"$DP_BIN/dp-keygen" --out "$work/keys" || die "dp-keygen"
public=$work/keys/public
as_collect=(--key "$work/keys/collect.key" --allow "$public")
as_route=(--key "$work/keys/route.key" --allow "$public" --server-key "$public")
as_infer=(--key "$work/keys/infer.key" --server-key "$public")
as_stream=(--key "$work/keys/stream.key" --server-key "$public")
across keyed
echo ok
