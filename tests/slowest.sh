#!/usr/bin/env bash
# Names the ten slowest tests of ctest's last run in a build folder, and how long all took together. Usage: slowest.sh BUILD
# SPDX-License-Identifier: MIT
set -euo pipefail

log=${1:?a build folder}/Testing/Temporary/LastTest.log
[[ -f $log ]] || { echo "slowest.sh: $log: no such file (ctest writes it)" >&2; exit 1; }
# A test may print anything; ctest's own line comes last.
awk '
  function tell() { if (name != "") printf "%8.1f s  %s\n", seconds, name }
  /^[0-9]+\/[0-9]+ Testing: / { tell(); name = $0; sub(/^[^:]*: /, "", name) }
  /^Test time = / { seconds = $4 }
  END { tell() }' "$log" | sort -rn |
  awk '{ all += $1 } NR <= 10 { line[NR] = $0 }
    END {
      printf "The slowest of %d tests, which took %.0f s one after the other:\n", NR, all
      for (i = 1; i in line; ++i) print line[i]
    }'
