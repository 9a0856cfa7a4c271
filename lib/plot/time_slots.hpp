// A run cut into equal slots of time: what was offered and completed in each, what was under way, how long batches took.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "plot/shown_run.hpp"

namespace dp {

/// Times are seconds since the start of the run.
struct TimeSlot {
  double from_s = 0, until_s = 0;
  double offered = 0, completed = 0;     ///< samples/s
  double under_way = 0;                  ///< samples offered and not completed at its end
  std::optional<double> p50_ms, max_ms;  ///< of the batches completed in it; absent without any
};

/// Of the events file: at most 120 slots, of 8 batches or more on average.
std::vector<TimeSlot> slots_of(const BatchTimes& times);

/// Of the rows of the report's series.
std::vector<TimeSlot> slots_of(const RunReport& report);

}  // namespace dp
