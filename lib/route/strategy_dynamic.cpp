// dynamic: load-aware and work-conserving. A batch goes to the ready worker with the least expected completion,
// (outstanding samples + this batch) × exponential moving average of its service time per sample; it waits centrally
// while nobody has credit. A new worker starts from the mean of the others.
// SPDX-License-Identifier: MIT
#include "route/least_scan.hpp"
#include "route/service_estimates.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

/// Seconds until each worker would have served the batch, too.
DP_WIDE_VECTORS void expect(const double* outstanding, double samples, const double* seconds,
                            double* __restrict expected, std::size_t workers) {
  for (std::size_t i = 0; i < workers; ++i) expected[i] = (outstanding[i] + samples) * seconds[i];
}

class Dynamic final : public Strategy {
 public:
  explicit Dynamic(const StrategySetup& setup) : ties_(setup.seed) {}

  std::optional<Slot> choose(Time, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView& view) override {
    if (view.ready().size_without(exclude) == 0) return std::nullopt;
    expected_.resize(view.slots());
    expect(view.ready_samples().data(), batch.samples, services_.seconds().data(), expected_.data(), expected_.size());
    return least_(expected_, exclude, ties_);
  }
  void joined(Slot worker, bool resumes) override { services_.joined(worker, resumes); }
  void left(Slot worker) override { services_.left(worker); }
  void observed(Time, Slot worker, std::uint32_t samples, Duration service, Duration) override {
    services_.observed(worker, samples, service);
  }

 private:
  Rng ties_;
  ServiceEstimates services_;
  LeastScan least_;
  std::vector<double> expected_;  ///< by slot
};

}  // namespace

StrategyKind dynamic_strategy() {
  return {.name = "dynamic",
          .rule = "the ready worker with the least expected completion, (outstanding samples + this batch) x its service time a "
                  "sample; waits centrally while nobody is ready",
          .source = "earliest completion time first on unrelated machines (Ibarra and Kim 1977)",
          .traits = {.elastic = true, .needs_feedback = true, .scans = true},
          .parameters = {},
          .make = made<Dynamic>};
}

}  // namespace dp
