#!/usr/bin/env bash
# Holds this host and RESULTS for a call of make until it has ended, or says who has them.
# Usage: RESULTS=results WAIT=10min sweep-lock.sh PID COMMAND   (PID: make's, whose command is COMMAND)
# Status: 0 held, 1 another has them.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale
# shellcheck source=pipelines/lock.bash
source "$(dirname "$0")/lock.bash"

hold_host "$1" "$2" "${WAIT:-0}" && hold_folder "$RESULTS" "$1" "$2" "${WAIT:-0}"
