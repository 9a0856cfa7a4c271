// uniform: static, ignores load. Batch b goes to worker b mod W, the split of PyTorch's DistributedSampler when the layout
// is distributed:W. A slow worker makes everyone late: that is the point. The batches of a lost worker, or of one that a
// batch failed on, are dealt round the others (to the (b div W)-th of them, cyclically); all others stay where they are.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "route/strategy.hpp"

namespace dp {
namespace {

class Uniform final : public Strategy {
 public:
  explicit Uniform(const StrategySetup& setup) : workers_(setup.workers) {}

  std::optional<Slot> choose(Time, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView& view) override {
    const Slot home = static_cast<Slot>(raw(batch.id) % workers_);
    if (view.live().contains(home) && home != exclude) return home;
    const bool left_out = exclude && view.live().contains(*exclude);
    const std::size_t others = alive_.size() - left_out;
    std::size_t at = raw(batch.id) / workers_ % others;
    if (left_out && alive_[at] >= *exclude) ++at;
    return alive_[at];
  }
  void joined(Slot worker, bool) override {
    alive_.insert(std::lower_bound(alive_.begin(), alive_.end(), worker), worker);
  }
  void left(Slot worker) override { std::erase(alive_, worker); }

 private:
  std::uint32_t workers_;
  std::vector<Slot> alive_;  ///< ascending
};

}  // namespace

StrategyKind uniform_strategy() {
  return {.name = "uniform",
          .rule = "batch b goes to worker b mod W, whatever the load",
          .source = "PyTorch's DistributedSampler",
          .traits = {.others_move = 0},
          .parameters = {},
          .make = made<Uniform>};
}

}  // namespace dp
