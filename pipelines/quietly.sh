#!/usr/bin/env bash
# Runs a long command out of sight: its output goes to LOG, a line every ten seconds tells how far it is, and only a
# failure shows what it printed. Usage: quietly.sh LABEL LOG COMMAND…
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

label=$1 log=$2
shift 2
mkdir -p "$(dirname "$log")"
: >"$log"

# In a process group of its own, so that ending it ends its sleep too.
SECONDS=0
set -m
while sleep 10; do
  printf '%s … %d s  %s\n' "$label" "$SECONDS" "$(tail -n 1 "$log" | tr -d '\r' | cut -c 1-90)" >&2
done &
ticker=$!
set +m
trap 'kill -- -$ticker 2>/dev/null || true' EXIT

status=0
"$@" >"$log" 2>&1 </dev/null || status=$?
if ((status == 0)); then
  if ((SECONDS > 1)); then printf '%s … done in %d s\n' "$label" "$SECONDS" >&2; fi
  exit 0
fi
tail -n 40 "$log" >&2
printf '%s failed (status %d); everything it printed: %s\n' "$label" "$status" "$log" >&2
exit "$status"
