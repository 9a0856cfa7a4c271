// dynamic: load-aware and work-conserving. A batch goes to the ready worker with the least expected
// completion, (outstanding samples + this batch) × exponential moving average of its service time per sample;
// it waits centrally while nobody has credit. A new worker starts from the mean of the others. O(W) per
// decision.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "route/strategy.hpp"

namespace dp {
namespace {

constexpr double smoothing = 0.2;  ///< weight of the newest batch in the average

class Dynamic final : public Strategy {
 public:
  explicit Dynamic(const StrategySetup& setup) : ties_(setup.seed) {}

  StrategyTraits traits() const override { return {.adaptive = true}; }

  std::optional<Slot> choose(const BatchMeta& batch, std::span<const Slot> ready) override {
    std::optional<Slot> best;
    double least = 0;
    std::uint64_t equals = 0;
    for (const Slot slot : ready) {
      const double expected = completion(slot, batch.samples);
      if (best && expected > least) continue;
      equals = best && expected == least ? equals + 1 : 1;
      if (equals > 1 && ties_.below(equals) != 0) continue;
      best = slot;
      least = expected;
    }
    return best;
  }
  void joined(Slot worker) override { workers_[worker] = {}; }
  void left(Slot worker) override { workers_.erase(worker); }
  void sent(Slot worker, std::uint32_t samples) override { workers_[worker].outstanding += samples; }
  void done(Slot worker, std::uint32_t samples, Duration service) override {
    Load& load = workers_[worker];
    load.outstanding -= std::min<std::uint64_t>(load.outstanding, samples);
    if (samples == 0 || service <= Duration{}) return;
    const double now = to_seconds(service) / samples;
    load.per_sample = load.per_sample ? *load.per_sample + smoothing * (now - *load.per_sample) : now;
  }

 private:
  struct Load {
    std::uint64_t outstanding = 0;     ///< samples sent and not done
    std::optional<double> per_sample;  ///< seconds
  };

  double completion(Slot slot, std::uint32_t samples) {
    const Load& load = workers_[slot];
    return static_cast<double>(load.outstanding + samples) * load.per_sample.value_or(mean_per_sample());
  }
  double mean_per_sample() const {
    double sum = 0;
    int known = 0;
    for (const auto& [slot, load] : workers_) {
      if (!load.per_sample) continue;
      sum += *load.per_sample;
      ++known;
    }
    return known ? sum / known : 1;
  }

  Rng ties_;
  std::map<Slot, Load> workers_;
};

}  // namespace

std::unique_ptr<Strategy> make_dynamic(const StrategySetup& setup) {
  return std::make_unique<Dynamic>(setup);
}

}  // namespace dp
