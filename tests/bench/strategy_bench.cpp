// Cost of one routing decision, by strategy and number of workers.
// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <numeric>

#include "route/strategy.hpp"

namespace {

using namespace dp;

void choose(benchmark::State& state, const std::string& name) {
  const auto workers = static_cast<std::uint32_t>(state.range(0));
  const auto strategy = make_strategy(name, {workers, std::vector<std::uint64_t>(64, 500), 1});
  std::vector<Slot> ready(workers);
  std::iota(ready.begin(), ready.end(), Slot{0});
  for (const Slot slot : ready) strategy->joined(slot);
  std::uint64_t batch = 0;
  for (auto _ : state) {
    const auto slot = strategy->choose({BatchId{batch}, static_cast<ShardId>(batch % 64), 32}, ready);
    strategy->sent(*slot, 32);
    strategy->done(*slot, 32, std::chrono::milliseconds(5));
    ++batch;
  }
}

const bool registered = [] {
  for (const std::string& name : strategy_names()) {
    benchmark::RegisterBenchmark(("choose/" + name).c_str(),
                                 [name](benchmark::State& state) { choose(state, name); })
        ->Arg(2)
        ->Arg(16);
  }
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
