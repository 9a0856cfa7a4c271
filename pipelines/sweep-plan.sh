#!/usr/bin/env bash
# The run files of a sweep in the order in which they are measured: one line each, nothing is run.
# Usage: NODES=1,2 … sweep-plan.sh streaming|matrix|single|rates|repeat|audit   (--say: how much there is to do, on stderr)
#
# Order: randomised blocks. Every iteration measures every cell once, in an order drawn from SEED, so that a machine
# that slows down over the hours slows all strategies alike, and a resumed sweep goes on in the same order.
# The folder is a digest of what the figures depend on: configuration, sources and weights; RUNS names it when it is
# known already, so that a sweep keeps its folder to the end even if a source changes meanwhile.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

kind=$1
case $kind in
  streaming) cells=("$STRATEGIES" "$NODES" "$RATE,max") ;;
  matrix) cells=("$STRATEGIES" "$WORKERS" max) ;;
  single) cells=("$STRATEGY" "$WORKERS" "$RATE") ITERATIONS=1 ;;
  rates) cells=("$STRATEGIES" "$WORKERS" "$RATES,max") ;;
  repeat) cells=("$STRATEGY" "$WORKERS" "$RATE,max") ITERATIONS=$REPEATS ;;
  audit) cells=("$STRATEGY" "$WORKERS" "$RATE,max") ITERATIONS=$((2 * ITERATIONS)) ;;
esac

# What makes tables and pictures of finished runs does not change them.
sources() {
  find lib tools CMakeLists.txt "$RUN_LOCAL" -type f -regextype posix-extended \
    ! -regex 'lib/plot/.*|lib/report/(calibration.*|cell_summary|comparison|csv|json_tables|repeatability|summary_text|sweep|tables)\..*' \
    ! -regex 'tools/(dp-audit|dp-calibrate|dp-plot|dp-summarize|dp-top|cifar10-from-png)\..*' -print0 2>/dev/null | LC_ALL=C sort -z
}

# Models and data are files, or names of what comes with the toolkit; CIFAR-10's have their checksums already.
inputs() {
  local file
  for file in "data/weights/$MODEL.safetensors" "$MODEL" ${DATA//,/ } ${CONFIG_FILES:-}; do
    file=${file#npy:}
    if [[ $file == folder:* ]]; then
      find -L "$(realpath -m -- "${file#folder:}")" -type f -printf '%P %s %T@\n' 2>/dev/null | LC_ALL=C sort || true
    elif [[ -f $file && $file != data/cifar10/* ]]; then
      sha256sum -- "$file"
    fi
  done
}

# A LibTorch that is not Debian's.
other_torch() {
  local at
  at=$(sed -n 's/^Torch_DIR:PATH=//p' "$BIN/../CMakeCache.txt" 2>/dev/null) || true
  [[ -z $at || $at == /usr/* ]] || cat "$at/TorchConfigVersion.cmake" 2>/dev/null || echo "$at"
}

key() {
  {
    for name in RATE SAMPLES BATCH MODEL THREADS SHARDS PAYLOAD BACKEND SERVICE CREDIT WARMUP SEED DATA BIN; do
      printf '%s=%s\n' "$name" "${!name}"
    done
    [[ -z $CONFIG ]] || printf 'CONFIG=%s\nFROM_FILE=%s\n' "$CONFIG_SUM" "$FROM_FILE"
    sources | xargs -0 -r sha256sum
    inputs
    other_torch
  } | sha256sum | cut -c 1-12
}

# Fisher-Yates with the minimal standard generator: the same order from every awk.
plan() {
  awk -v prefix="${RUNS:-$RESULTS/$kind/runs/$(key)}" -v strategies="${cells[0]}" -v workers="${cells[1]}" \
    -v rates="${cells[2]}" -v iterations="$ITERATIONS" -v seed="$SEED" '
    function below(n) { state = (16807 * state) % 2147483647; return state % n }
    BEGIN {
      ns = split(strategies, s, ","); nw = split(workers, w, ","); nr = split(rates, r, ",")
      for (i = 1; i <= ns; ++i) for (j = 1; j <= nw; ++j) for (k = 1; k <= nr; ++k) {
        name = s[i] "-n" w[j] "-" r[k]
        gsub(/:/, "+", name); gsub(/=/, "_", name)  # as in_name does
        if (!(name in seen)) cell[++cells] = name
        seen[name] = 1
      }
      for (it = 1; it <= iterations; ++it) {
        state = (seed * 7919 + it) % 2147483646 + 1
        for (i = 0; i < 8; ++i) below(2)
        for (i = cells; i > 1; --i) { j = below(i) + 1; t = cell[i]; cell[i] = cell[j]; cell[j] = t }
        for (i = 1; i <= cells; ++i) print prefix "/" cell[i] "-i" it ".json"
      }
    }'
}

# Roughly: start-up 4 s, then the schedule's length, or 1000 samples/s where there is no schedule.
say() {
  local file rate total=0 left=0 seconds=0
  while read -r file; do
    total=$((total + 1))
    [[ ! -f $file ]] || continue
    left=$((left + 1))
    if [[ $file =~ -([0-9]+)-i[0-9]+\.json$ ]]; then rate=${BASH_REMATCH[1]}; else rate=1000; fi
    seconds=$((seconds + 4 + SAMPLES / rate))
  done < <(plan)
  if ((left == 0)); then
    echo "$kind: all $total runs are there already" >&2
  else
    echo "$kind: $left of $total runs to measure, roughly $(((seconds + 59) / 60)) min;" \
      "interrupting loses only the run under way" >&2
  fi
}

if [[ ${2-} == --say ]]; then say; else plan; fi
