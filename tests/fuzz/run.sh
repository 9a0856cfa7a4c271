#!/usr/bin/env bash
# Runs every libFuzzer target for a while, two at a time, each from its committed corpus; what it adds and what it
# finds stays below build-asan/. Usage: run.sh SECONDS [TARGET]…   (default: all)
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

cd "$(dirname "$0")/../.."
seconds=${1:?SECONDS}
shift
bin=build-asan/bin
(($#)) || for target in "$bin"/*_fuzz; do set -- "$@" "$(basename "$target" _fuzz)"; done

# A report is printed whole; a line on stderr is enough for what went well.
one() {
  local target=$1 seconds=$2 status=0
  local corpus=tests/fuzz/corpus/$target found=build-asan/found/$target log=build-asan/logs/$target.log
  local options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
    -artifact_prefix="build-asan/crashes/$target-")
  case $target in
    safetensors | run_report) options+=(-dict=tests/fuzz/json.dict -max_len=20000) ;;
    cifar10 | npy | image | trace) options+=(-max_len=10000) ;;
  esac
  mkdir -p "$found" build-asan/logs build-asan/crashes
  "build-asan/bin/${target}_fuzz" "${options[@]}" "$found" "$corpus" >"$log" 2>&1 || status=$?
  if ((status)); then
    grep -q '^==' "$log" && sed -n '/runtime error\|^not true\|^==/,$p' "$log" | sed -n 1,60p || tail -n 20 "$log"
    printf 'FAILED: %s ended with status %d\n' "$target" "$status"
    ls -t build-asan/crashes/"$target"-* 2>/dev/null | sed -n "1s|.*|  reproduce: $bin/${target}_fuzz &\n  when mended, add it to $corpus|p"
    return 1
  fi
  awk -v target="$target" '/ cov: / { for (i = 1; i < NF; ++i) if ($i == "cov:") covered = $(i + 1) }
    /number_of_executed_units/ { runs = $2 } /peak_rss_mb/ { rss = $2 }
    END { printf "%-12s %9d inputs, %5d edges covered, %4d MB at most: nothing found\n", target, runs, covered, rss }' "$log"
}
export -f one
export bin UBSAN_OPTIONS=print_stacktrace=1

printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'set -euo pipefail; one {} '"$seconds" >&2 ||
  { echo "fuzzing found something (see above)" >&2; exit 1; }
