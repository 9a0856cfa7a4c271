#!/usr/bin/env bash
# Makes the corpora anew: seeds from real data (README.md says which), what build-asan/found/ holds of earlier runs, and
# the corpora as they are, reduced by libFuzzer to the smallest files that reach as much.
# Usage: corpus.sh [TARGET]…   (default: all; needs `make -f Makefile.bench build fuzz`)
# SPDX-License-Identifier: MIT
set -euo pipefail

cd "$(dirname "$0")/../.."
bin=build-asan/bin
export DP_BIN=${DP_BIN:-build/bin}
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
mkdir "$seeds"/{wire,journal,stages,safetensors,cifar10,npy,image,run_report,trace}

"$bin/fuzz_seeds" "$seeds" data/weights/resnet18.safetensors data/weights/resnet18-cifar.safetensors

for records in 1 2; do head -c $((3073 * records)) data/fixture/test_512.bin >"$seeds/cifar10/$records"; done
head -c 3000 data/fixture/test_512.bin >"$seeds/cifar10/torn"
tail -c 3073 data/fixture/test_512.bin >"$seeds/cifar10/last"

cp tests/cli/data/run.json "$seeds/run_report/example"
cp tests/cli/data/runs/*.json "$seeds/run_report/"
for strategy in $("$DP_BIN/dp-route" --list-strategies | cut -f 1); do
  pipelines/run-local.sh --backend null --data synthetic:1x8x8 --rate max --samples 640 --workers 2 --strategy "$strategy" \
    --out "$seeds/run_report/$strategy"
  sed -i "s|$seeds/run_report/||; "'s|"[^" ]*/\(dp-[a-z]* \)|"\1|' "$seeds/run_report/$strategy"  # where the tools stand is nobody's business
done

# The records of a trace, without the blocks around them; the two bytes before them name strategies.
number=0
for strategy in $("$DP_BIN/dp-route" --list-strategies | cut -f 1); do
  printf '[route]\ndispatcher-trace = "%s"\n' "$seeds/whole" >"$seeds/route.toml"
  pipelines/run-local.sh --config "$seeds/route.toml" --backend null --data synthetic:1x4x4 --layout shards:4 --rate max --samples 80 \
    --batch-size 4 --workers 2 --strategy "$strategy" --out "$seeds/run.json"
  head=$(od -An -tu4 -N4 "$seeds/whole")
  { printf "\\x$(printf %02x $number)\\x$(printf %02x $((number + 1)))"; tail -c "+$((head + 25))" "$seeds/whole"; } >"$seeds/trace/$strategy"
  number=$((number + 1))
done
rm -f "$seeds"/{whole,route.toml,run.json}

(($#)) || set -- "$seeds"/*
for target in "${@##*/}"; do
  corpus=tests/fuzz/corpus/$target
  mkdir -p "$corpus" "$seeds/small" "build-asan/found/$target"
  options=(-set_cover_merge=1 -max_len=8192)
  "$bin/${target}_fuzz" "${options[@]}" "$seeds/small" "$seeds/$target" "$corpus" "build-asan/found/$target" 2>"$seeds/log" ||
    { cat "$seeds/log"; exit 1; }
  rm -rf "$corpus"
  mv "$seeds/small" "$corpus"
  printf '%-12s %4d files, %6d bytes\n' "$target" "$(find "$corpus" -type f | wc -l)" "$(cat "$corpus"/* | wc -c)"
done
