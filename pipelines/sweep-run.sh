#!/usr/bin/env bash
# Measures one run of a sweep: takes what to run from the run file's name, starts run-local.sh, says how it went.
# Usage: NODES=1,2 … sweep-run.sh streaming|matrix|single|rates|repeat|audit FILE
# Status: 0 measured (an INVALID run is kept, marked in the file), 1 failed, 130 interrupted.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale
# shellcheck source=pipelines/run-arguments.bash
source "$(dirname "$0")/run-arguments.bash"

kind=$1 file=$2
[[ $file =~ /([a-z0-9][a-z0-9.+_-]*)-n([0-9]+)-([0-9]+|max)-i([0-9]+)\.json$ ]] || {
  echo "sweep-run.sh: $file: no name of a run file" >&2
  exit 2
}
workers=${BASH_REMATCH[2]} rate=${BASH_REMATCH[3]} iteration=${BASH_REMATCH[4]}
strategy=$(strategy_in "${BASH_REMATCH[1]}")
log=${file%.json}.log
# Repetitions are of one and the same run; everything else draws anew each time.
seed=$((SEED + iteration))
[[ $kind != repeat ]] || seed=$SEED

run_arguments --strategy "$strategy" --workers "$workers" --rate "$rate" --seed "$seed" --out "$file"
give WARMUP --warmup "$WARMUP"
# The predictions shipped beside the weights are those for the test images, which the fixture begins with.
if ! in_file EXPECTED && [[ $BACKEND == torch && $MODEL =~ ^resnet18(-cifar)?$ && $DATA =~ (^|/)test_[a-z0-9]+\.bin$ ]]; then
  arguments+=(--expected "data/weights/$MODEL.predictions.bin")
fi

position() {
  pipelines/sweep-plan.sh "$kind" | awk -v file="$file" '$0 == file { at = NR } END { printf "[%*d/%d]", length(NR), at, NR }'
}

outcome() {
  jq -r '(if .valid then "valid" else "INVALID (not met: " + ([.verdicts[]? | select(.ok | not) | .criterion] | join(", ")) + ")" end)
    + ", \(.rates.completed | round)/s" + (if .overloaded then ", overloaded" else "" end)' "$file"
}

plural=s; [[ $workers != 1 ]] || plural=
at="at $rate/s"; [[ $rate != max ]] || at="as fast as possible"
printf '%s %s × %s node%s %s, iteration %s … ' "$(position)" "$strategy" "$workers" "$plural" "$at" "$iteration" >&2

# A process group of its own lets this script pass signals on whoever sends them, and wait until everything has ended.
mkdir -p "$(dirname "$file")"
set -m
DP_BIN=$BIN "$RUN_LOCAL" "${arguments[@]}" >"$log" 2>&1 </dev/null &
child=$!
set +m
interrupted=no
trap 'interrupted=yes; kill -INT "$child" 2>/dev/null || true' INT
trap 'interrupted=yes; kill -TERM "$child" 2>/dev/null || true' TERM HUP
status=0
wait "$child" || status=$?
while kill -0 "$child" 2>/dev/null; do status=0; wait "$child" || status=$?; done

case $status in
  0 | 3)
    [[ -f $file ]] || { printf 'failed\n%s ended with status %d but wrote no %s\n' "$RUN_LOCAL" "$status" "$file" >&2; exit 1; }
    printf '%s\n' "$(outcome)" >&2
    rm -f "$log"
    ;;
  *)
    if [[ $interrupted == yes || $status == 130 ]]; then
      printf 'interrupted; call make again to go on\n' >&2
      rm -f "$log"
      exit 130
    fi
    printf 'failed (status %d):\n' "$status" >&2
    tail -n 20 "$log" >&2
    printf 'Log: %s. Runs measured so far are kept; call make again to go on.\n' "$log" >&2
    exit 1
    ;;
esac
