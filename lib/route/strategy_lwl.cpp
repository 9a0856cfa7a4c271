// lwl: least work left. The worker with the fewest outstanding samples gets the batch: it knows how large batches are, and
// takes all workers for equally fast (Harchol-Balter, Crovella and Murta 1999).
// SPDX-License-Identifier: MIT
#include "route/least_scan.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

class LeastWorkLeft final : public Strategy {
 public:
  explicit LeastWorkLeft(const StrategySetup& setup) : ties_(setup.seed) {}

  std::optional<Slot> choose(Time, const BatchMeta&, std::optional<Slot> exclude, const WorkerView& view) override {
    return least_(view.live_samples(), exclude, ties_);
  }

 private:
  Rng ties_;
  LeastScan least_;
};

}  // namespace

StrategyKind lwl_strategy() {
  return {.name = "lwl",
          .rule = "the worker with the fewest outstanding samples",
          .source = "Harchol-Balter, Crovella and Murta 1999",
          .traits = {.elastic = true, .scans = true},
          .parameters = {},
          .make = made<LeastWorkLeft>};
}

}  // namespace dp
