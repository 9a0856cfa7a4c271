// peak-ewma: finagle's load metric. Of two distinct workers drawn uniformly the batch goes to the one with the lower cost,
// its response time × (outstanding batches + 1). The response time is a moving average that jumps to every peak at once
// and forgets it over `decay`; a worker that never answered and has something outstanding is the last choice.
// SPDX-License-Identifier: MIT
#include "route/decay.hpp"
#include "route/distinct_draws.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

constexpr double never_answered = 1e9;  ///< seconds

class PeakEwma final : public Strategy {
 public:
  PeakEwma(const StrategySetup& setup, const StrategyParameters& parameters)
      : draws_(setup.seed), decay_seconds_(to_seconds(parameters.duration("decay", std::chrono::seconds(10)))) {}

  std::optional<Slot> choose(Time now, const BatchMeta&, std::optional<Slot> exclude, const WorkerView& view) override {
    const auto& two = candidates_(view.live(), 2, exclude, draws_);
    return cost(now, two.back(), view) < cost(now, two.front(), view) ? two.back() : two.front();
  }
  void joined(Slot worker, bool resumes) override {
    if (worker >= responses_.size()) responses_.resize(worker + 1);
    if (!resumes) responses_[worker] = {};
  }
  void observed(Time now, Slot worker, std::uint32_t, Duration, Duration response) override {
    if (response > Duration{}) learn(now, worker, to_seconds(response));
  }

 private:
  struct Response {
    double seconds = 0;
    Time at{};
  };
  void learn(Time now, Slot worker, double seconds) {
    Response& known = responses_[worker];
    const double kept = decay(std::max(0.0, to_seconds(between(known.at, now))) / decay_seconds_);
    known.seconds = seconds > known.seconds ? seconds : known.seconds * kept + seconds * (1 - kept);
    known.at = now;
  }
  double cost(Time now, Slot worker, const WorkerView& view) {
    const double outstanding = view[worker].batches();
    learn(now, worker, 0);
    const double seconds = responses_[worker].seconds;
    return seconds == 0 && outstanding > 0 ? never_answered + outstanding : seconds * (outstanding + 1);
  }

  Rng draws_;
  double decay_seconds_;
  DistinctDraws candidates_;
  std::vector<Response> responses_;  ///< by slot
};

}  // namespace

StrategyKind peak_ewma_strategy() {
  return {.name = "peak-ewma",
          .rule = "of two distinct workers drawn uniformly, the one with the lower peak-sensitive response time x (outstanding + 1)",
          .source = "Twitter finagle, PeakEwma",
          .traits = {.elastic = true, .needs_feedback = true},
          .parameters = {{"decay", "time over which a peak is forgotten; 10s unless given"}},
          .make = made<PeakEwma>};
}

}  // namespace dp
