#!/usr/bin/env bash
# Two builds of the tools, say with two LibTorches: images per second of a bare loop and of the pipeline with one worker
# of one thread, in interleaved pairs. Usage: [REPEATS=5] two_builds.sh BIN_A BIN_B   (both with -DDP_BENCH=ON)
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
a=${1:?folder of the tools of build A} b=${2:?folder of the tools of build B} repeats=${REPEATS:-5}
data=$root/data/fixture/test_512.bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# loop BIN MODEL SAMPLES, pipeline BIN MODEL SAMPLES: print images per second.
loop() { "$1/bare_loop" --model "$2" --weights "$root/data/weights/$2.safetensors" --data "$data" --samples "$3" | jq .images_per_s; }
pipeline() {
  DP_BIN=$1 "$root/pipelines/run-local.sh" --out "$work/run.json" --model "$2" --data "$data" --rate max --samples "$3" \
    --journal none --expected "$root/data/weights/$2.predictions.bin" 2>"$work/stderr" || (($? == 3)) || { cat "$work/stderr" >&2; exit 1; }
  jq .rates.completed "$work/run.json"
  jq -e '.accuracy.agreement >= 0.998' "$work/run.json" >/dev/null || { echo "$1: predictions differ from those shipped" >&2; exit 1; }
}
median() { sort -n | awk '{ v[NR] = $1 } END { printf "%.4g", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

versions() { DP_BIN=$1 "$root/pipelines/run-local.sh" --data "$data" --samples 64 --rate max | jq -r '.versions | "LibTorch \(.libtorch), oneDNN \(.onednn)"' || true; }
printf 'A: %s\nB: %s\n%-28s %10s %10s %18s\n' "$(versions "$a" 2>/dev/null)" "$(versions "$b" 2>/dev/null)" "images/s, medians of $repeats" A B "B/A (min to max)"
for what in loop:resnet18:12800 pipeline:resnet18:12800 loop:resnet18-cifar:1280 pipeline:resnet18-cifar:1280; do
  IFS=: read -r how model samples <<<"$what"
  : >"$work/a" && : >"$work/b"
  for ((i = 0; i < repeats; ++i)); do
    "$how" "$a" "$model" "$samples" >>"$work/a"
    "$how" "$b" "$model" "$samples" >>"$work/b"
  done
  paste "$work/b" "$work/a" | awk '{ print $1 / $2 }' | sort -n >"$work/ratio"
  printf '%-28s %10s %10s %18s\n' "$how, $model" "$(median <"$work/a")" "$(median <"$work/b")" \
    "$(median <"$work/ratio") ($(head -n 1 "$work/ratio" | cut -c 1-5) to $(tail -n 1 "$work/ratio" | cut -c 1-5))"
done
