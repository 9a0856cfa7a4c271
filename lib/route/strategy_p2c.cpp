// p2c: the power of two choices. Of two distinct workers drawn uniformly the one with fewer outstanding batches gets the
// batch (Mitzenmacher 2001; Ray Serve's and nginx's rule). Draws decide ties, too: the first of the two.
// SPDX-License-Identifier: MIT
#include "route/distinct_draws.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

class TwoChoices final : public Strategy {
 public:
  explicit TwoChoices(const StrategySetup& setup) : draws_(setup.seed) {}

  std::optional<Slot> choose(Time, const BatchMeta&, std::optional<Slot> exclude, const WorkerView& view) override {
    const auto& two = candidates_(view.live(), 2, exclude, draws_);
    return view[two.back()].batches() < view[two.front()].batches() ? two.back() : two.front();
  }

 private:
  Rng draws_;
  DistinctDraws candidates_;
};

}  // namespace

StrategyKind p2c_strategy() {
  return {.name = "p2c",
          .rule = "of two distinct workers drawn uniformly, the one with fewer outstanding batches",
          .source = "Mitzenmacher 2001; Ray Serve, nginx random two",
          .traits = {.elastic = true},
          .parameters = {},
          .make = made<TwoChoices>};
}

}  // namespace dp
