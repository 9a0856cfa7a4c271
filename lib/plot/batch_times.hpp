// The batches of one run with their stations, read back from what dp-collect --events wrote.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "report/sweep.hpp"

namespace dp {

/// Times are ms since the start of the run.
struct BatchTime {
  std::uint64_t id = 0, samples = 0;
  std::string worker;
  double scheduled_ms = 0, routed_ms = 0, started_ms = 0, done_ms = 0, collected_ms = 0;
  double latency_ms = 0;  ///< scheduled to collected
};

struct BatchTimes {
  std::string run_id;
  std::vector<BatchTime> batches;  ///< those that succeeded, by time of routing
};

/// Throws Error naming the file and the line that is not one of dp.events/1. A last line without its end, as a running
/// dp-collect may leave it, is not read.
BatchTimes read_batch_times(const std::filesystem::path& path);

/// Files *.ndjson in the folders of the runs that begin as an events file of one of them, in a stable order.
std::vector<std::filesystem::path> events_beside(const std::vector<MeasuredRun>& runs);

}  // namespace dp
