#!/usr/bin/env bash
# The benchmarks of `make -f Makefile.bench bench`: parts by Google Benchmark, then the pipeline against its rivals,
# interleaved, as ratios of medians over REPEATS pairs.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
bin=${DP_BIN:-$root/build/bin}
export DP_BIN=$bin
repeats=${REPEATS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for bench in codec dispatcher router model; do
  [[ -x $bin/${bench}_bench ]] || continue
  echo "== $bench"
  "$bin/${bench}_bench" --benchmark_min_time=0.2 2>/dev/null
done

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
column() { jq -r "$2" "$work/$1".*.json | median; }

# pipeline NAME REPEAT OPTIONS…: one run, its report in NAME.REPEAT.json.
pipeline() {
  local name=$1 repeat=$2 status=0
  shift 2
  "$root/pipelines/run-local.sh" --out "$work/$name.$repeat.json" "$@" 2>"$work/stderr" || status=$?
  ((status == 0 || status == 3)) || { cat "$work/stderr" >&2; exit 1; }
}

synthetic=(--data synthetic:3x32x32)
for ((i = 1; i <= repeats; ++i)); do
  echo "pair $i of $repeats …" >&2
  "$bin/bare_loop" --data "$root/data/cifar10/test_batch.bin" --weights "$root/data/weights/resnet18.safetensors" --samples 6400 >"$work/loop.$i.json"
  pipeline resnet "$i" --rate max --samples 6400 --journal none
  pipeline journal "$i" --rate max --samples 6400 --journal "$work/journal"
  "$bin/bare_relay" --batches 20000 --window 256 --credit 64 >"$work/relay.$i.json"
  pipeline inline "$i" --journal none --backend null --credit 64 --rate max --samples 640000 "${synthetic[@]}"
  pipeline reference "$i" --journal none --backend null --credit 256 --payload reference --rate max --samples 6400000 "${synthetic[@]}"
  pipeline pace "$i" --backend synthetic --service fixed:5ms --rate 1000 --samples 5000 "${synthetic[@]}"
done

resnet=$(column resnet .rates.completed) loop=$(column loop .images_per_s)
inline=$(column inline '.rates.completed / 32') relay=$(column relay .batches_per_s)
echo "== pipeline against rivals (medians of $repeats interleaved pairs; this host, $(nproc) cores)"
ratio() { paste <(jq -r "$2" "$work/$1".*.json) <(jq -r "$4" "$work/$3".*.json) | awk '{ print $1 / $2 }' | median; }
printf '%-58s %10.0f images/s\n' "ResNet-18 pipeline, batch 32, 1 worker, 1 thread" "$resnet"
printf '%-58s %10.0f images/s\n' "bare LibTorch loop over the same batches" "$loop"
printf '%-58s %10.3f (target 0.95)\n' "  ratio, median of pairs" "$(ratio resnet .rates.completed loop .images_per_s)"
printf '%-58s %10.3f (target 0.9)\n' "  ratio, with a journal to without, median of pairs" \
  "$(ratio journal .rates.completed resnet .rates.completed)"
printf '%-58s %10.0f batches/s\n' "null backend, inline (98 kB), credit 64, window 256" "$inline"
printf '%-58s %10.0f batches/s\n' "bare two-hop ZeroMQ relay, same frames and windows" "$relay"
printf '%-58s %10.3f (target 0.8)\n' "  ratio, median of pairs" "$(ratio inline '.rates.completed / 32' relay .batches_per_s)"
printf '%-58s %10.0f batches/s (target 20000)\n' "null backend, by reference, credit 256" "$(column reference '.rates.completed / 32')"
cpu='([.stages[].cpu_percent.mean, .workers[].cpu_percent.mean] | add) * 1e4 * .duration_s / .batches.completed'
printf '%-58s %10.1f µs of CPU a batch, all processes\n' "" "$(column reference "$cpu")"
printf '%-58s %10.3f ms (limit 1)\n' "rate 1000: generator lateness p99" "$(column pace .generator_lateness_ms.p99)"
printf '%-58s %10.4f %% (limit 0.1)\n' "rate 1000: |released - requested|" \
  "$(column pace '(.rates.released / .rates.requested - 1) * 100 | fabs')"
"$root/tests/sessions/run.sh" 1000 6400000 >"$work/sessions"
printf '%-58s %10.0f batches/s\n' "1,000 worker sessions, by reference, credit 2 each" "$(jq .batches_per_s "$work/sessions")"
printf '%-58s %10.1f µs of CPU of dp-route a batch; dp-route %.0f MB, dp-collect %.0f MB\n' "" \
  "$(jq .route_cpu_us "$work/sessions")" "$(jq .route_anonymous_mb "$work/sessions")" "$(jq .collect_anonymous_mb "$work/sessions")"
for role in stream route collect; do
  printf '%-58s %10.1f MB (limit 64)\n' "largest anonymous RSS of dp-$role in any run above" \
    "$(jq -r ".stages[] | select(.role == \"$role\") | .anonymous_mb.peak" "$work"/{resnet,inline,reference,pace}.*.json | sort -n | tail -n 1)"
done
