#!/usr/bin/env bash
# Unauthenticated peers at every open port while a run is under way, and every core kept busy: it ends valid with every sample
# accounted for, the tools stay up, and their memory stays bounded. With keys, and on loopback without any, at once.
# Usage: unauthenticated_peers.sh [keyed|open], to try one of them.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
attack() { python3 "$root/tests/unauthenticated/attack.py" "$@"; }
# A thousand connections are held open at once.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || ulimit -n 4096 2>/dev/null || true
# What THREATS.md has cut (128 MiB of all that were not let in, or 64 MiB more than four times what came), the tool itself, and
# what loopback brings while the guard waits for its turn on a busy machine.
most_kib=$((640 * 1024))
if (($# == 0)); then
  for ((n = $(nproc); n > 0; --n)); do
    (trap - EXIT; while :; do :; done) &
    extra_pids+=($!)
  done
  for kind in keyed open; do
    (trap - EXIT; exec bash "$0" $kind) &
    kinds+=($!)
  done
  for pid in "${kinds[@]}"; do wait "$pid" || status=1; done
  ((${status:-0} == 0)) || die "see above"
  echo ok
  exit
fi
keys=$work/keys samples=400000
"$DP_BIN/dp-keygen" --out "$keys" || die "dp-keygen"
"$DP_BIN/dp-keygen" --out "$work/others" || die "dp-keygen"

# begin NAME OPTIONS…: a run that ends when it is interrupted, and its ports in $doors and $at_…. Drawn service times, so that two workers are
# often busy at once and a third has work.
begin() {
  local name=$1
  shift
  rm -rf "$work/logs"
  launch "$name" --workers 2 --backend synthetic --service exp:20ms --rate 2000 --samples $samples "${synthetic[@]}" "$@"
  wait_for "twenty dispatches" lines_at_least 40 "$work/logs/decisions.ndjson"
  at_collect=$(sed -n 's/.*bind=\([^ ]*\).*/\1/p' "$work/logs/collect.log")
  at_stream=$(sed -n 's/.*stream=\([^ ]*\).*/\1/p' "$work/logs/route.log")
  at_worker=$(sed -n 's/.*worker=\([^ ]*\).*/\1/p' "$work/logs/route.log")
  doors=("$at_collect" "$at_stream" "$at_worker")
}
expect() {
  local said=$1
  shift
  jq -e "$1" <<<"$said" >/dev/null || die "$2: $said"
}
# assail DOOR: whatever comes through a port must not end the tool behind it. The slow handshakes take 5 s of waiting.
assail() {
  together "slow_handshakes $1" "flood $1" "noise $1"
}
slow_handshakes() { attack idle "$1" 700 8 11 >/dev/null || die "slow handshakes at $1"; }
flood() {
  local said attack
  for attack in "oversize $1" "endless $1" "endless $1 1000"; do
    # shellcheck disable=SC2086  # words
    said=$(attack $attack) || die "$attack"
    expect "$said" '.hung_up or .refused' "$attack: it was taken"
  done
  memory
}
noise() {
  attack garbage "$1" 150 >/dev/null || die "garbage at $1"
  attack unread "$1" 1 >/dev/null || die "unread at $1"
  attack hellos "$1" 2 100 >/dev/null || die "hellos at $1"
}
# together COMMAND…: all at once; each must succeed.
together() {
  local command pids=() pid
  for command in "$@"; do
    (trap - EXIT; eval "$command") &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || exit 1; done
}
alive() {
  local tool
  for tool in collect route; do kill -0 "$(cat "$work/logs/$tool.pid")" 2>/dev/null || die "$tool is gone, or the run over already"; done
}
# memory: no tool ever took more than it may.
memory() {
  local tool kib
  for tool in collect route; do
    kib=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(cat "$work/logs/$tool.pid")/status")
    [[ -n $kib ]] || die "$tool is gone, or the run over already"
    ((kib < most_kib)) || die "$tool took $kib KiB"
  done
}
# as_worker WANTED OPTIONS…: a dp-infer that must end with status 1 and say WANTED.
as_worker() {
  local wanted=$1 log=$work/intruder.$BASHPID
  shift
  "$DP_BIN/dp-infer" --backend null --name intruder --wait 2s --route "$at_worker" --collect "$at_collect" "$@" \
    2>"$log" && die "an unlisted worker was served"
  grep -q "$wanted" "$log" || die "an unlisted worker was not told: $wanted"
}
# record NAME OPTIONS…: a third worker for a while, and what it said to route and collect, in $work/NAME.
record() {
  local name=$1 recorder worker via=()
  shift
  mkdir -p "$work/$name"/{route,collect}
  for side in route collect; do
    door=at_worker && [[ $side == collect ]] && door=at_collect
    python3 "$root/tests/unauthenticated/attack.py" record "${!door}" "$work/$name/$side" >"$work/$name/$side.at" &
    recorders+=($!)
    extra_pids+=($!)
    wait_for "the recorder" test -s "$work/$name/$side.at"
    via+=("--$side" "$(jq -r .endpoint "$work/$name/$side.at")")
  done
  "$DP_BIN/dp-infer" --backend synthetic --service fixed:20ms --name third "${via[@]}" "$@" 2>"$work/third.err" &
  worker=$!
  extra_pids+=("$worker")
  wait_for "the third worker's batches" third_served
  kill -TERM $worker
  wait $worker
  for recorder in "${recorders[@]}"; do kill -KILL "$recorder" 2>/dev/null && wait "$recorder" 2>/dev/null; done
  recorders=()
  [[ -s $work/$name/route/0.bytes && -s $work/$name/collect/0.bytes ]] || die "nothing was recorded"
}
third_served() { (($(grep -c '"worker":"third"' "$work/logs/decisions.ndjson") > 20)); }
# replay NAME: at the ports where it was recorded, and at all others.
replay() {
  local door said
  for door in "${doors[@]}"; do
    said=$(attack replay "$door" "$work/$1"/{route,collect}/0.bytes) || die "replay at $door"
    expect "$said" '.sent > 1000' "nothing was replayed"
  done
  alive
}
# stop WHAT: the stream announces no more; what it did announce is accounted for.
stop() {
  memory
  signal TERM stream
  finish
  ((status == 0 || status == 3 || status == 130)) || die "$1: status $status"
}
recorders=()
served='(.workers | map(.name) | sort) == ["third", "w0", "w1"]'

# ---- with keys: whoever has none gets no further than the handshake ----
keyed() {
  begin keyed --keys "$keys"
  # The stream's key under another name: the workers' port refuses it, the collector's takes it for what it is.
  sed 's/^stream/infer/' "$keys/stream.key" >"$work/posing.key" && chmod 600 "$work/posing.key"
  together "as_worker 'give --key and --server-key'" \
    "as_worker 'refuses this key' --key $work/others/infer.key --server-key $keys/public" \
    "as_worker 'ends every handshake' --key $keys/infer.key --server-key $work/others/public" \
    "as_worker 'this key belongs to a dp-stream, not a dp-infer' --key $work/posing.key --server-key $keys/public" \
    "record sealed --key $keys/infer.key --server-key $keys/public"
  logged 'the key of a dp-stream has no business here' route || die "dp-route did not say whom it refused"
  together "replay sealed" "${doors[@]/#/assail }"
  stop "with keys"
  check keyed "$accounted" '.samples.completed > 10000' "$served"
}

# ---- on loopback without keys: unauthenticated peers are heard, and can do no harm to the figures ----
open() {
  begin open
  record plain
  together "replay plain" "${doors[@]/#/assail }"
  stop "without keys"
  check open "$accounted" '.samples.completed > 10000' '(.workers | map(.name)) | contains(["third", "w0", "w1"])'
}
"$1"
echo ok
