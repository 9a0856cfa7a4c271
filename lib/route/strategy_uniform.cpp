// uniform: static, ignores load. Batch b goes to worker b mod W, the split of PyTorch's DistributedSampler
// when the layout is distributed:W. A slow worker makes everyone late: that is the point. A lost worker's
// batches are dealt round the survivors (the (b div W)-th of them, cyclically); all others stay where they
// are. O(1) per decision.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "route/strategy.hpp"

namespace dp {
namespace {

class Uniform final : public Strategy {
 public:
  explicit Uniform(const StrategySetup& setup) : workers_(setup.workers) {}

  StrategyTraits traits() const override { return {}; }

  std::optional<Slot> choose(const BatchMeta& batch, std::span<const Slot>) override {
    if (alive_.empty()) return std::nullopt;
    const Slot home = static_cast<Slot>(raw(batch.id) % workers_);
    if (std::binary_search(alive_.begin(), alive_.end(), home)) return home;
    return alive_[raw(batch.id) / workers_ % alive_.size()];
  }
  void joined(Slot worker) override {
    alive_.insert(std::lower_bound(alive_.begin(), alive_.end(), worker), worker);
  }
  void left(Slot worker) override { std::erase(alive_, worker); }

 private:
  std::uint32_t workers_;
  std::vector<Slot> alive_;  ///< ascending
};

}  // namespace

std::unique_ptr<Strategy> make_uniform(const StrategySetup& setup) {
  return std::make_unique<Uniform>(setup);
}

}  // namespace dp
