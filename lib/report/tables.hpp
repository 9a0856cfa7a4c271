// The tables over many runs that dp-summarize writes: the first columns are those of the original system, so
// that what read its tables still can. An empty cell means: not measured, or not to be stated (too few
// batches for the percentile, an overloaded run). Times are ms, rates samples/s, top1 and agreement
// fractions, *_ci95 half-widths.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"
#include "report/csv.hpp"

namespace dp {

/// Row per strategy × nodes: averaged_results.csv.
Table averaged_results(const std::vector<CellSummary>& cells);

/// Every run and the statistics of every cell as JSON: detailed_results.json.
std::string detailed_results(const Sweep& sweep, const std::vector<CellSummary>& cells);

/// Per node count the capacities, their paired comparison and a recommendation as JSON:
/// performance_summary.json.
std::string performance_summary(const std::vector<NodeComparison>& comparisons);

/// Rows of scope `aggregate` (a cell) and `node` (one worker of it), at max: combined_results.csv.
Table combined_results(const Sweep& sweep, const std::vector<CellSummary>& cells);

/// Speed-up of capacity against the same strategy's smallest worker count: speedup_efficiency.csv.
Table speedup_efficiency(const std::vector<CellSummary>& cells);

}  // namespace dp
