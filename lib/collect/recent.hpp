// Sums over the last few seconds of a run, second by second, in constant memory.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/time.hpp"

namespace dp {

/// `Tally` has `merge(const Tally&)` and is empty when made.
template <class Tally>
class Recent {
 public:
  static constexpr std::int64_t seconds = 5;  ///< whole ones, beside the one that has begun

  /// Where to add what happened so long after t0; nullptr when that is long past.
  Tally* at(Duration after) {
    const std::int64_t second = second_of(after);
    Slot& slot = slots_[static_cast<std::size_t>(second) % slots_.size()];
    if (slot.second > second) return nullptr;
    if (slot.second < second) slot = {second, {}};
    return &slot.tally;
  }
  Tally sum(Duration now) const {
    Tally total;
    for (const Slot& slot : slots_) {
      if (slot.second <= second_of(now) && slot.second >= second_of(now) - seconds) total.merge(slot.tally);
    }
    return total;
  }
  /// The time that `sum` is about.
  static Duration window(Duration now) {
    return now - std::chrono::seconds(std::max<std::int64_t>(0, second_of(now) - seconds));
  }

 private:
  static std::int64_t second_of(Duration after) {
    return std::max<std::int64_t>(0, after / std::chrono::seconds(1));
  }
  struct Slot {
    std::int64_t second = -1;
    Tally tally = {};
  };
  std::array<Slot, seconds + 3> slots_;  ///< two more than are summed: stamps may be a little ahead
};

}  // namespace dp
