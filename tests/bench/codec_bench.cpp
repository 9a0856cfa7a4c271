// Cost of turning messages into frames and back, and of the checksum of a payload.
// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include "base/file.hpp"
#include "wire/codec.hpp"

namespace {

using namespace dp;

Envelope batch_of_32() {
  Batch batch;
  batch.mode = PayloadMode::reference;
  batch.shape = {3, 32, 32};
  batch.ids.resize(32, 1234);
  return {Session{1}, Session{2}, std::move(batch)};
}

void encode_batch(benchmark::State& state) {
  Envelope envelope = batch_of_32();
  Frames frames;
  for (auto _ : state) {
    encode(envelope, frames);
    benchmark::DoNotOptimize(frames.header.data());
  }
}
BENCHMARK(encode_batch);

void decode_batch(benchmark::State& state) {
  Envelope envelope = batch_of_32();
  Frames frames;
  encode(envelope, frames);
  for (auto _ : state) benchmark::DoNotOptimize(decode(frames.header, frames.arrays, Payload{}));
}
BENCHMARK(decode_batch);

void checksum_of_a_payload(benchmark::State& state) {
  const std::vector<std::byte> pixels(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(checksum(pixels));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum_of_a_payload)->Arg(98'304);

}  // namespace

BENCHMARK_MAIN();
