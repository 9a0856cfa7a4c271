// wrr: smooth weighted round robin, nginx's, with weights that are measured: the samples a second at which each worker
// served its last batches. At each decision every worker gains its weight, the richest gets the batch and pays what all
// gained; so turns interleave, and each worker's share is its share of the weights. Ignores what is outstanding.
// SPDX-License-Identifier: MIT
#include <span>

#include "route/least_scan.hpp"
#include "route/service_estimates.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

/// Every worker gains its weight, that is, owes less. Returns what all gained.
DP_WIDE_VECTORS double gain(const double* weights, double* __restrict debts, std::size_t workers) {
  constexpr std::size_t lanes = 8;  // sums of their own, so that additions have the same order in vectors of any width
  double gained[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= workers; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      debts[i + lane] -= weights[i + lane];
      gained[lane] += weights[i + lane];
    }
  }
  for (; i < workers; ++i) {
    debts[i] -= weights[i];
    gained[0] += weights[i];
  }
  double sum = 0;
  for (const double part : gained) sum += part;
  return sum;
}

class WeightedRoundRobin final : public Strategy {
 public:
  explicit WeightedRoundRobin(const StrategySetup& setup) : ties_(setup.seed) {}

  std::optional<Slot> choose(Time, const BatchMeta&, std::optional<Slot> exclude, const WorkerView&) override {
    weigh(services_.unknown().members());
    const double gained = gain(weights_.data(), debts_.data(), debts_.size());
    const auto chosen = least_(debts_, exclude, ties_);
    debts_[*chosen] += gained;
    return chosen;
  }
  void joined(Slot worker, bool resumes) override {
    services_.joined(worker, resumes);
    if (worker >= debts_.size()) {
      debts_.resize(worker + 1, WorkerView::nobody);
      weights_.resize(worker + 1);
    }
    debts_[worker] = 0;
    weigh(std::span(&worker, 1));
  }
  void left(Slot worker) override {
    services_.left(worker);
    debts_[worker] = WorkerView::nobody;
    weights_[worker] = 0;
  }
  void observed(Time, Slot worker, std::uint32_t samples, Duration service, Duration) override {
    services_.observed(worker, samples, service);
    weigh(std::span(&worker, 1));
  }

 private:
  /// Samples a second.
  void weigh(std::span<const Slot> slots) {
    const auto seconds = services_.seconds();
    for (const Slot slot : slots) weights_[slot] = 1 / seconds[slot];
  }

  Rng ties_;
  ServiceEstimates services_;
  LeastScan least_;
  std::vector<double> debts_, weights_;  ///< by slot; who is not live owes everything and gains nothing
};

}  // namespace

StrategyKind wrr_strategy() {
  return {.name = "wrr",
          .rule = "turns in proportion to the rate at which each worker was measured to serve, whatever is outstanding",
          .source = "nginx's smooth weighted round robin, weights measured",
          .traits = {.elastic = true, .needs_feedback = true, .scans = true},
          .parameters = {},
          .make = made<WeightedRoundRobin>};
}

}  // namespace dp
