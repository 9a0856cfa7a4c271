// Cost of one batch in the dispatcher, by strategy and number of workers: arrive, next, finish and observe.
// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <vector>

#include "route/dispatcher.hpp"

namespace {

using namespace dp;

constexpr ShardId shards = 16'384;

/// Two batches are always outstanding at every worker, and everybody has credit for one more.
void batch(benchmark::State& state, const std::string& strategy) {
  const auto workers = static_cast<Slot>(state.range(0));
  Dispatcher dispatcher(make_strategy(strategy, {workers, std::vector<std::uint64_t>(shards, 500), 1}));
  const Time now{std::chrono::seconds(1)};
  for (Slot slot = 0; slot < workers; ++slot) {
    dispatcher.join(now, slot, false);
    dispatcher.credit(now, slot, 1'000'000'000);
  }
  std::vector<Ticket> outstanding(2 * workers);
  std::uint64_t id = 0;
  const auto arrive = [&] {
    dispatcher.arrive(now, {BatchId{id}, static_cast<ShardId>(id % shards), 32}, 0);
    ++id;
  };
  // What waits because of its rule (jbsq) is sent as others end.
  std::size_t filled = 0;
  while (filled < outstanding.size()) {
    arrive();
    while (const auto ticket = dispatcher.next(now)) {
      if (filled == outstanding.size()) break;
      outstanding[filled++] = *ticket;
    }
  }
  std::size_t oldest = 0;
  for (auto _ : state) {
    const Ticket ended = outstanding[oldest];
    dispatcher.observe(now, ended.slot, 32, std::chrono::microseconds(5000 + ended.slot % 7), std::chrono::milliseconds(6));
    dispatcher.finish(now, ended, AttemptEnd::served);
    arrive();
    if (const auto ticket = dispatcher.next(now)) outstanding[oldest] = *ticket;
    oldest = oldest + 1 == outstanding.size() ? 0 : oldest + 1;
  }
}

const bool registered = [] {
  for (const StrategyKind& kind : strategy_kinds()) {
    benchmark::RegisterBenchmark(fmt::format("batch/{}", kind.name).c_str(),
                                 [name = std::string(kind.name)](benchmark::State& state) { batch(state, name); })
        ->Arg(4)
        ->Arg(256)
        ->Arg(4096);
  }
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
