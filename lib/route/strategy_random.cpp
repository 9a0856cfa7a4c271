// random: ignores load. Each batch goes to a worker drawn uniformly from those alive.
// SPDX-License-Identifier: MIT
#include "route/strategy.hpp"

namespace dp {
namespace {

class Random final : public Strategy {
 public:
  explicit Random(const StrategySetup& setup) : draws_(setup.seed) {}

  std::optional<Slot> choose(Time, const BatchMeta&, std::optional<Slot> exclude, const WorkerView& view) override {
    return view.live().draw(draws_, exclude);
  }

 private:
  Rng draws_;
};

}  // namespace

StrategyKind random_strategy() {
  return {.name = "random",
          .rule = "a worker drawn uniformly from those alive, whatever the load",
          .source = "random split of a Poisson stream; nginx random",
          .traits = {.elastic = true},
          .parameters = {},
          .make = made<Random>};
}

}  // namespace dp
