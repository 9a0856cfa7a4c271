// The lines of latency_percentiles: a cell's latencies as far as its batches support them, and why one has none.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "plot/plot_data.hpp"
#include "report/cell_summary.hpp"

namespace dp {

struct Percentile {
  double p;  ///< 0.5 to 0.999
  const char* name;
};
inline constexpr std::array<Percentile, 5> percentiles{
    {{0.5, "p50"}, {0.9, "p90"}, {0.95, "p95"}, {0.99, "p99"}, {0.999, "p99.9"}}};

/// One strategy on one number of nodes at the rate.
struct PercentileLine {
  PlotCell cell;
  std::vector<Estimate> ms;   ///< of the first so many percentiles: those that every run supports
  std::uint64_t batches = 0;  ///< of the shortest run
};

/// A line for each cell at the rate, without points where no latency may be stated. `data` holds its sweep.
std::vector<PercentileLine> percentile_lines(const PlotData& data);

/// How many percentiles the longest line has.
std::size_t reached(const std::vector<PercentileLine>& lines);

/// The numbers of nodes on which there is a line with points, ascending.
std::vector<std::uint32_t> panels_of(const std::vector<PercentileLine>& lines);

/// Those of the largest number of nodes with lines; an oversubscribed one only where there is no other.
std::vector<PercentileLine> telling_lines(const std::vector<PercentileLine>& lines);

}  // namespace dp
