// The summary a person reads: one row a cell, at most 100 columns, and the sentences below it.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"

namespace dp {

/// Plain text ending in a newline; "–" stands for what is not to be stated.
std::string summary_text(const Sweep& sweep, const std::vector<CellSummary>& cells,
                         const std::vector<NodeComparison>& comparisons);

}  // namespace dp
