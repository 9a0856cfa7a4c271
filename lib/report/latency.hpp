// From a histogram of latencies to the figures of run.json: percentiles, whether each is supported, upper
// bounds.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "report/run_report.hpp"
#include "stats/histogram.hpp"

namespace dp {

/// Figures in ms of a histogram in ns. `batches` is how many of the values count as independent: support and
/// bounds come from it, and a bound's rank is scaled to the values recorded.
Latency latency_of(const Histogram& ns, std::uint64_t batches);

}  // namespace dp
