// A strategy by itself, with workers that a test sets up by hand.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "route/strategy.hpp"

namespace dp {

using namespace std::chrono_literals;

class StrategyRig {
 public:
  StrategyRig(const std::string& strategy, std::uint32_t workers, std::vector<std::uint64_t> shards = {},
              std::uint64_t seed = 1)
      : StrategyRig(make_strategy(strategy, {workers, std::move(shards), seed})) {}
  explicit StrategyRig(std::unique_ptr<Strategy> strategy) : strategy_(std::move(strategy)) {}

  void join(Slot slot, std::uint64_t credit = 1'000'000, bool resumes = false) {
    view_.set_live(slot, true);
    view_.update(slot, [&](WorkerLoad& load) { load.credit = credit; });
    strategy_->joined(slot, resumes);
  }
  void join_all(Slot workers, std::uint64_t credit = 1'000'000) {
    for (Slot slot = 0; slot < workers; ++slot) join(slot, credit);
  }
  void leave(Slot slot) {
    view_.set_live(slot, false);
    view_.update(slot, [](WorkerLoad& load) { load = {}; });
    strategy_->left(slot);
  }
  /// So much is in flight there.
  void set_load(Slot slot, std::uint32_t batches, std::uint64_t samples) {
    view_.update(slot, [&](WorkerLoad& load) { load.in_flight = batches, load.in_flight_samples = samples; });
  }
  void set_credit(Slot slot, std::uint64_t credit) {
    view_.update(slot, [&](WorkerLoad& load) { load.credit = credit; });
  }
  /// Served alone: the response took as long as the service.
  void served(Slot slot, std::uint32_t samples, Duration service) {
    strategy_->observed(now_, slot, samples, service, service);
  }
  void pass(Duration time) { now_ += time; }
  std::optional<Slot> choose(std::uint64_t batch = 0, ShardId shard = 0, std::uint32_t samples = 32,
                             std::optional<Slot> exclude = {}) {
    return strategy_->choose(now_, {BatchId{batch}, shard, samples}, exclude, view_);
  }
  std::optional<Slot> choose_samples(std::uint32_t samples) { return choose(0, 0, samples); }
  Strategy& strategy() { return *strategy_; }
  const WorkerView& view() const { return view_; }

 private:
  std::unique_ptr<Strategy> strategy_;
  WorkerView view_;
  Time now_{1000s};
};

/// Of `counts`, all expected to be equally likely.
inline double chi_squared(const std::vector<int>& counts) {
  double total = 0, sum = 0;
  for (const int count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

}  // namespace dp
