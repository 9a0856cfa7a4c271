// jbsq: join the bounded shortest queue. One central queue, and at most n batches outstanding at each worker: the one with
// the fewest gets the next, while somebody has fewer than n (Kogias et al. 2019, R2P2).
// SPDX-License-Identifier: MIT
#include "route/least_scan.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

class BoundedShortestQueue final : public Strategy {
 public:
  BoundedShortestQueue(const StrategySetup& setup, const StrategyParameters& parameters)
      : ties_(setup.seed), bound_(static_cast<double>(parameters.count("n", 1, 1'000'000, 2))) {}

  std::optional<Slot> choose(Time, const BatchMeta&, std::optional<Slot> exclude, const WorkerView& view) override {
    const auto slot = least_(view.live_batches(), exclude, ties_);
    return slot && view.live_batches()[*slot] < bound_ ? slot : std::nullopt;
  }

 private:
  Rng ties_;
  double bound_;
  LeastScan least_;
};

}  // namespace

StrategyKind jbsq_strategy() {
  return {.name = "jbsq",
          .rule = "one central queue; the worker with the fewest outstanding batches gets the next while it has fewer than n",
          .source = "Kogias et al. 2019 (R2P2)",
          .traits = {.elastic = true, .scans = true},
          .parameters = {{"n", "batches outstanding at a worker, 1 to 1000000; 2 unless given"}},
          .make = made<BoundedShortestQueue>};
}

}  // namespace dp
