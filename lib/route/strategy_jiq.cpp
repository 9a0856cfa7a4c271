// jiq: join the idle queue. A batch goes to a worker that has nothing to do, each as likely; if there is none, to a worker
// drawn uniformly from all (Lu et al. 2011).
// SPDX-License-Identifier: MIT
#include "route/strategy.hpp"

namespace dp {
namespace {

class IdleQueue final : public Strategy {
 public:
  explicit IdleQueue(const StrategySetup& setup) : draws_(setup.seed) {}

  std::optional<Slot> choose(Time, const BatchMeta&, std::optional<Slot> exclude, const WorkerView& view) override {
    const auto idle = view.idle().draw(draws_, exclude);
    return idle ? idle : view.live().draw(draws_, exclude);
  }

 private:
  Rng draws_;
};

}  // namespace

StrategyKind jiq_strategy() {
  return {.name = "jiq",
          .rule = "an idle worker if there is one, else a worker drawn uniformly",
          .source = "Lu et al. 2011",
          .traits = {.elastic = true},
          .parameters = {},
          .make = made<IdleQueue>};
}

}  // namespace dp
