#!/usr/bin/env bash
# Are the predictions of timed runs those of an untimed one? One worker in closed loop, one batch at a time, makes the
# reference; then every strategy on WORKERS workers at RATE is compared with it, sample by sample.
# Usage: STRATEGIES=uniform,dynamic WORKERS=2 RATE=1000 … audit-accuracy.sh        (called by Makefile.bench)
# Status: 0 all predictions equal, 1 not, or a run failed.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale
# shellcheck source=pipelines/run-arguments.bash
source "$(dirname "$0")/run-arguments.bash"

[[ $BACKEND == torch ]] || { echo "audit-accuracy.sh: BACKEND=$BACKEND predicts nothing; give torch" >&2; exit 2; }
folder=$RESULTS/audit/accuracy
reference=$folder/untimed.predictions
mkdir -p "$folder"

measure() { # measure NAME OPTION…
  local name=$1 status=0 arguments
  run_arguments --out "$folder/$name.json" --seed "$SEED"
  shift
  printf '%s … ' "$name" >&2
  DP_BIN=$BIN "$RUN_LOCAL" "${arguments[@]}" "$@" >"$folder/$name.log" 2>&1 </dev/null || status=$?
  if ((status != 0 && status != 3)); then
    printf 'failed (status %d)\n' "$status" >&2
    tail -n 5 "$folder/$name.log" >&2
    exit "$((status == 130 ? 130 : 1))"
  fi
  printf '%s samples\n' "$(jq .samples.completed "$folder/$name.json")" >&2
}

measure untimed --workers 1 --predictions "$reference" -- --concurrency 1
off=0
IFS=, read -ra strategies <<<"$STRATEGIES"
for strategy in "${strategies[@]}"; do
  name=$(in_name "$strategy")
  measure "$name" --strategy "$strategy" --workers "$WORKERS" --rate "$RATE" --expected "$reference"
  jq -r --arg s "$strategy" '.accuracy as $a | .samples.completed as $n
    | (if $n > 0 and $a.compared == $n and $a.agreement == 1 then "ok   " else "OFF  " end)
      + "\($s): \($a.compared) of \($n) timed predictions compared, share equal to the untimed run \($a.agreement)"' \
    "$folder/$name.json" | tee "$folder/said"
  grep -q '^ok' "$folder/said" || off=1
done
rm -f "$folder/said"
exit "$off"
