// prequal: the hot/cold rule of Wydrowski et al. (NSDI 2024), local to the router. Of 16 distinct workers drawn uniformly
// those are hot that have more batches in flight than 84 % of the 16 (the paper's quantile, 2^-0.25); of the cold ones the
// least expected latency gets the batch, (outstanding samples + this batch) × its service time per sample.
// The paper's servers are probed asynchronously and answer with their requests in flight and the latency they had at that
// many. Here nobody is probed: this router sends everything, so it knows what is in flight, and it has seen every answer.
// So nothing is stale, no probe is reused or removed, and all 16 are never hot at once.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "route/distinct_draws.hpp"
#include "route/service_estimates.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

constexpr std::size_t pool = 16;
constexpr double cold_share = 0.8408964152537145;  // 2^-0.25

class Prequal final : public Strategy {
 public:
  explicit Prequal(const StrategySetup& setup) : draws_(setup.seed) {}

  std::optional<Slot> choose(Time, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView& view) override {
    const auto& drawn = candidates_(view.live(), pool, exclude, draws_);
    const std::uint32_t limit = hot_above(drawn, view);
    const auto seconds = services_.seconds();
    std::optional<Slot> best;
    double least = 0;
    for (const Slot slot : drawn) {
      if (view[slot].batches() > limit) continue;
      const double latency = static_cast<double>(view[slot].samples() + batch.samples) * seconds[slot];
      if (best && latency >= least) continue;
      best = slot;
      least = latency;
    }
    return best;
  }
  void joined(Slot worker, bool resumes) override { services_.joined(worker, resumes); }
  void left(Slot worker) override { services_.left(worker); }
  void observed(Time, Slot worker, std::uint32_t samples, Duration service, Duration) override {
    services_.observed(worker, samples, service);
  }

 private:
  /// Batches in flight at that quantile of those drawn.
  std::uint32_t hot_above(const std::vector<Slot>& drawn, const WorkerView& view) {
    in_flight_.clear();
    for (const Slot slot : drawn) in_flight_.push_back(view[slot].batches());
    const auto rank = static_cast<std::ptrdiff_t>(std::ceil(cold_share * static_cast<double>(in_flight_.size()))) - 1;
    std::nth_element(in_flight_.begin(), in_flight_.begin() + rank, in_flight_.end());
    return in_flight_[static_cast<std::size_t>(rank)];
  }

  Rng draws_;
  DistinctDraws candidates_;
  ServiceEstimates services_;
  std::vector<std::uint32_t> in_flight_;
};

}  // namespace

StrategyKind prequal_strategy() {
  return {.name = "prequal",
          .rule = "of 16 workers drawn uniformly, without those with unusually many batches in flight, the least expected latency",
          .source = "Wydrowski et al., NSDI 2024; without probes",
          .traits = {.elastic = true, .needs_feedback = true},
          .parameters = {},
          .make = made<Prequal>};
}

}  // namespace dp
