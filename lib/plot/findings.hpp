// The sentences above the pictures. They state what was measured and rank nothing that the figures do not separate.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "plot/plot_cells.hpp"

namespace dp {

/// Growth of capacity to the largest node count that is not oversubscribed, or the capacity of the only one.
std::string throughput_finding(const std::vector<PlotCell>& cells);

/// Capacity on so many nodes.
std::string capacity_finding(const std::vector<PlotCell>& cells, std::uint32_t nodes);

/// Efficiency on the node count of `telling_nodes`; names no figure where there is but one node count.
std::string efficiency_finding(const std::vector<PlotCell>& cells);

/// Speed-up there, beside the ideal one.
std::string speedup_finding(const std::vector<PlotCell>& cells);

/// p95 at the rate by node count, the median where there are too few batches; what is overloaded.
std::string latency_finding(const std::vector<PlotCell>& cells);

/// The largest node count measured at max that is not oversubscribed; all are when there is no other above the
/// smallest. 0: none.
std::uint32_t telling_nodes(const std::vector<PlotCell>& cells);

}  // namespace dp
