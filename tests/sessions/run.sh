#!/usr/bin/env bash
# One pipeline with SESSIONS worker sessions in one process, by reference and as fast as possible. Prints a JSON line of what
# it came to; fails unless every sample is accounted for. Usage: [STRATEGY=dynamic] tests/sessions/run.sh SESSIONS SAMPLES
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

sessions=$1 samples=$2
bin=${DP_BIN:-$(dirname "${BASH_SOURCE[0]}")/../../build/bin}
work=$(mktemp -d)
pids=()
clean_up() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do
    for _ in {1..60}; do kill -0 "$pid" 2>/dev/null || break; read -rt 0.05 <> <(:) || true; done
    kill -KILL "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT

# start NAME COMMAND…: in the background; what it says in NAME.out, what it logs in NAME.log.
start() {
  local name=$1
  shift
  : >"$work/$name.log"
  "$@" >"$work/$name.out" 2>"$work/$name.log" &
  pids+=($!)
}
fail() { cat "$work"/*.log >&2; exit 1; }
# endpoint NAME KEY: of what was started last, once it is ready.
endpoint() {
  until grep -q READY "$work/$1.log"; do
    kill -0 "${pids[-1]}" 2>/dev/null || fail
    read -rt 0.02 <> <(:) || true
  done
  sed -n "s/.*READY.* $2=\([^ ]*\).*/\1/p" "$work/$1.log"
}

data=(--data synthetic:3x32x32) any=tcp://127.0.0.1:0
start collect "$bin/dp-collect" --bind $any --journal none --live none --out "$work/run.json"
collect=$(endpoint collect bind)
start route "$bin/dp-route" --workers "$sessions" --strategy "${STRATEGY:-dynamic}" --stream-bind $any --worker-bind $any --collect "$collect"
stream=$(endpoint route stream)
worker=$(endpoint route worker)
start sessions "$bin/many_sessions" --sessions "$sessions" "${data[@]}" --route "$worker" --collect "$collect"
start stream "$bin/dp-stream" "${data[@]}" --payload reference --rate max --samples "$samples" --route "$stream" --collect "$collect"
# Whoever of them ends badly ends it all: the others would wait for it.
collect_pid=${pids[0]}
while ((${#pids[@]} > 0)); do
  status=0
  wait -n -p ended "${pids[@]}" || status=$?
  for n in "${!pids[@]}"; do ((pids[n] != ended)) || unset "pids[n]"; done
  ((status == 0 || (status == 3 && ended == collect_pid))) || fail
done
jq -c --slurpfile sessions "$work/sessions.out" '
  .batches.completed as $batches | def stage(role): .stages[] | select(.role == role);
  {valid, sessions: $sessions[0].sessions, seen: (.workers | length), batches: $batches, batches_per_s: ($batches / .duration_s),
   route_cpu_us: (stage("route").cpu_percent.mean * 1e4 * .duration_s / $batches), route_anonymous_mb: stage("route").anonymous_mb.peak,
   collect_anonymous_mb: stage("collect").anonymous_mb.peak, sessions_rss_mb: $sessions[0].peak_rss_mb}' "$work/run.json"
jq -e '.samples | .announced == .completed and .failed == 0 and .lost == 0 and .double_counted == 0' "$work/run.json" >/dev/null || fail
