// A short part of a run, batch by batch: which worker had it when, side by side where several were there at once.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "plot/batch_times.hpp"

namespace dp {

/// Times are ms since the start of the run.
struct TimeWindow {
  double from_ms = 0, until_ms = 0;
};

/// Around the batch in the middle of the run, so long that each of so many workers would compute ten batches; the whole of a
/// short run.
TimeWindow middle_of(const BatchTimes& times, std::size_t workers);

struct LaneBatch {
  BatchTime batch;
  std::size_t lane = 0;  ///< no two batches of a worker share a lane while both are there
};

/// The batches that are at a worker within the window, in the order of routing.
std::vector<LaneBatch> lanes_of(const BatchTimes& times, const TimeWindow& window);

/// All of the run, also those that got no batch: w2 before w10.
std::vector<std::string> workers_of(const RunReport& report);

}  // namespace dp
