// The summary a person reads: one row a cell, at most 100 columns, and the sentences below it.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"

namespace dp {

/// Above cost_sentences.
constexpr const char* cost_heading = "Cost of a million samples at capacity, in the unit of the price:";

/// "uniform: 1 node 61.2 ± 0.9, 2 nodes …", one a strategy; none where a node's hour has no price.
std::vector<std::string> cost_sentences(const std::vector<CellSummary>& cells);

/// What the reader of the rows must know: marks explained, INVALID runs counted, unlike builds or machines.
std::vector<std::string> summary_notes(const Sweep& sweep, const std::vector<CellSummary>& cells);

/// Plain text ending in a newline; "–" stands for what is not to be stated.
std::string summary_text(const Sweep& sweep, const std::vector<CellSummary>& cells,
                         const std::vector<NodeComparison>& comparisons);

}  // namespace dp
