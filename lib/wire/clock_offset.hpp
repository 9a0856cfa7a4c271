// The difference between two hosts' clocks, from PING and PONG: ((t2−t1)+(t3−t4))/2 of the exchange with the
// smallest round trip in a sliding window, with its error bound.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/time.hpp"

namespace dp {

class ClockOffset {
 public:
  /// One exchange: sent at t1, received there at t2, answered at t3, back at t4.
  void add(Time t1, Time t2, Time t3, Time t4) {
    if (t4 < t1 || t3 < t2 || (t4 - t1) < (t3 - t2)) return;
    window_[count_++ % window_.size()] = {(t4 - t1) - (t3 - t2), ((t2 - t1) + (t3 - t4)) / 2, t4};
  }
  bool known() const { return count_ > 0; }
  /// Their clock − ours.
  Duration offset(Time now) const { return known() ? best(now).offset : Duration{}; }
  /// Half the round trip, plus drift for as long as the exchange is past.
  Duration bound(Time now) const { return known() ? bound_of(best(now), now) : Duration{}; }

 private:
  struct Exchange {
    Duration round_trip{}, offset{};
    Time at{};
  };
  static constexpr std::int64_t drift_divisor = 20'000;  ///< 50 ppm, twice what a crystal is sold with

  static Duration bound_of(const Exchange& e, Time now) {
    return e.round_trip / 2 + (now - e.at) / drift_divisor;
  }
  const Exchange& best(Time now) const {
    const auto last = window_.begin() + static_cast<std::ptrdiff_t>(std::min(count_, window_.size()));
    return *std::min_element(window_.begin(), last, [&](const Exchange& a, const Exchange& b) {
      return bound_of(a, now) < bound_of(b, now);
    });
  }
  std::array<Exchange, 16> window_{};
  std::size_t count_ = 0;
};

}  // namespace dp
