// Which strategy has the highest capacity at each node count, where the runs can tell: paired differences by
// iteration, Holm-corrected over the pairs of that node count.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/cell_summary.hpp"
#include "stats/summary.hpp"

namespace dp {

/// First less second over the iterations valid in both: capacity at max, samples/s; what their workers had to hold at
/// max, MB (absent when some run did not tell); p99 of sample latency at the rate, ms (absent unless stated of both).
struct PairComparison {
  std::string first, second;
  std::size_t iterations = 0;
  Difference difference;  ///< never significant on one node, where there is nothing to route
  std::optional<Difference> data_moved = {}, p99_ms = {};
};

/// The strategies of one node count; only those with valid runs at max take part.
struct NodeComparison {
  std::uint32_t nodes = 0;
  std::vector<const CellSummary*> cells;  ///< those that take part
  std::vector<PairComparison> pairs;
  std::string best;  ///< "" unless its difference to every other strategy excludes zero
  std::string sentence;
};

/// One comparison a node count, ascending; points into `summaries`.
std::vector<NodeComparison> compare_strategies(const Sweep& sweep, const std::vector<CellSummary>& summaries);

}  // namespace dp
