// What a run was asked to achieve (--slo), and whether its report says that it did. Kept apart from validity: a
// valid run may miss its objectives.
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/run_report.hpp"

namespace dp {

/// One service level objective: a sample latency not above `limit` ms, or a throughput of at least `limit`
/// samples/s.
struct Objective {
  std::string figure;  ///< p50, p90, p95, p99, p999, mean, max or throughput
  double limit = 0;
};

/// Reads "p99=50ms", "throughput=1000"; p99.9 is p999. Throws UsageError naming the value.
std::vector<Objective> parse_objectives(std::span<const std::string> texts);

/// One verdict an objective. A percentile that the run does not support is never met, and neither is a latency
/// of an overloaded run.
std::vector<Verdict> judge(std::span<const Objective> objectives, const RunReport& report);

}  // namespace dp
