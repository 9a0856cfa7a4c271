// jsq: join the shortest queue. The worker with the fewest outstanding batches gets the batch (Winston 1977); with d, the
// one with the fewest of d distinct workers drawn uniformly (Vvedenskaya, Dobrushin and Karpelevich 1996).
// SPDX-License-Identifier: MIT
#include "route/distinct_draws.hpp"
#include "route/least_scan.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

class ShortestQueue final : public Strategy {
 public:
  ShortestQueue(const StrategySetup& setup, const StrategyParameters& parameters)
      : draws_(setup.seed), choices_(parameters.count("d", 1, 64, 0)) {}

  std::optional<Slot> choose(Time, const BatchMeta&, std::optional<Slot> exclude, const WorkerView& view) override {
    if (choices_ == 0) return least_(view.live_batches(), exclude, draws_);
    const auto& few = candidates_(view.live(), choices_, exclude, draws_);
    return *std::min_element(few.begin(), few.end(),
                             [&](Slot a, Slot b) { return view[a].batches() < view[b].batches(); });
  }

 private:
  Rng draws_;
  std::size_t choices_;  ///< 0: everybody
  LeastScan least_;
  DistinctDraws candidates_;
};

}  // namespace

StrategyKind jsq_strategy() {
  return {.name = "jsq",
          .rule = "the worker with the fewest outstanding batches, of all or of d drawn uniformly",
          .source = "Winston 1977; of d: Vvedenskaya, Dobrushin and Karpelevich 1996",
          .traits = {.elastic = true, .scans = true},
          .parameters = {{"d", "look at d workers, 1 to 64; all unless given"}},
          .make = made<ShortestQueue>};
}

}  // namespace dp
