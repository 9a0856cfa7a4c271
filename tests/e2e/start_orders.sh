#!/usr/bin/env bash
# All 24 start orders of the four roles work: whoever comes first waits for the others.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

# Endpoints in the file system: known before anyone binds them.
at() { echo "ipc://$work/$1"; }
start() {
  case $1 in
    stream) "$DP_BIN/dp-stream" --data synthetic:3x32x32 --rate max --samples 320 --route "$(at s)" --collect "$(at c)" ;;
    route) "$DP_BIN/dp-route" --stream-bind "$(at s)" --worker-bind "$(at w)" --collect "$(at c)" ;;
    infer) "$DP_BIN/dp-infer" --backend null --route "$(at w)" --collect "$(at c)" ;;
    collect) "$DP_BIN/dp-collect" --bind "$(at c)" --out "$work/run.json" ;;
  esac 2>"$work/$1.err" &
  extra_pids+=($!)
}
ready() { grep -qs READY "$work/$1.err"; }

roles=(stream route infer collect)
orders=0
for a in "${roles[@]}"; do for b in "${roles[@]}"; do for c in "${roles[@]}"; do for d in "${roles[@]}"; do
  [[ $(printf '%s\n' "$a" "$b" "$c" "$d" | sort -u | wc -l) == 4 ]] || continue
  extra_pids=()
  rm -f "$work"/*
  for role in "$a" "$b" "$c" "$d"; do
    start "$role"
    run_pid=${extra_pids[-1]}
    wait_for "$role ready" ready "$role"
    run_pid=''
  done
  for pid in "${extra_pids[@]}"; do wait "$pid" || die "$a $b $c $d: a process ended with status $?"; done
  status=0
  check run "$accounted" '.samples.completed == 320'
  orders=$((orders + 1))
done; done; done; done
((orders == 24)) || die "$orders orders instead of 24"
echo ok
