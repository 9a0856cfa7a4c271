// Seconds a sample takes at each worker: an exponential moving average of what was observed. A worker of which nothing is
// known yet counts as the mean of the others.
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "route/worker_view.hpp"

namespace dp {

class ServiceEstimates {
 public:
  void joined(Slot slot, bool resumes) {
    if (slot >= seconds_.size()) {
      seconds_.resize(slot + 1);
      before_.resize(slot + 1);
      unknown_.grow(slot + 1);
    }
    unknown_.set(slot, true);
    stale_ = true;
    const double before = std::exchange(before_[slot], 0);
    if (resumes && before > 0) learn(slot, before);
  }
  /// It no longer counts in the mean.
  void left(Slot slot) {
    if (unknown_.contains(slot)) return unknown_.set(slot, false);
    before_[slot] = seconds_[slot];
    sum_ = --known_ == 0 ? 0 : sum_ - seconds_[slot];
    stale_ = true;
  }
  /// Nothing is learned from a batch that took no time.
  void observed(Slot slot, std::uint32_t samples, Duration service) {
    if (samples == 0 || service <= Duration{}) return;
    const double now = to_seconds(service) / samples, before = seconds_[slot];
    learn(slot, unknown_.contains(slot) ? now : before + smoothing * (now - before));
  }
  /// Live workers of which nothing is known.
  const SlotSet& unknown() const { return unknown_; }
  /// Of each live worker, by slot; 1 where nothing is known of anybody.
  std::span<const double> seconds() {
    if (std::exchange(stale_, false)) {
      const double mean = known_ > 0 ? sum_ / static_cast<double>(known_) : 1;
      for (const Slot slot : unknown_.members()) seconds_[slot] = mean;
    }
    return seconds_;
  }

 private:
  static constexpr double smoothing = 0.2;  ///< weight of the newest batch

  void learn(Slot slot, double seconds) {
    if (unknown_.contains(slot)) {
      unknown_.set(slot, false);
      seconds_[slot] = 0;
      ++known_;
    }
    sum_ += seconds - seconds_[slot];
    seconds_[slot] = seconds;
    stale_ = true;
  }

  std::vector<double> seconds_;
  std::vector<double> before_;  ///< of those that left, by slot: they may come back
  SlotSet unknown_;
  double sum_ = 0;  ///< of the known
  std::size_t known_ = 0;
  bool stale_ = true;  ///< the mean is not what the unknown have
};

}  // namespace dp
