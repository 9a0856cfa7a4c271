// Which pictures are drawn of a sweep: a vega-lite specification each, made from a template by putting rows,
// colours and a title that states the finding in place of the strings that begin with `$`.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plot/plot_cells.hpp"

namespace dp {

struct Picture {
  std::string name;  ///< of the file, without extension
  std::string spec;  ///< vega-lite JSON
};

/// Throughput when something was measured at max, latency when something was measured at a rate. Throws Error
/// naming a template that is missing or not JSON.
std::vector<Picture> make_pictures(const std::vector<PlotCell>& cells,
                                   const std::filesystem::path& templates);

/// What the throughput picture shows, in one sentence.
std::string throughput_finding(const std::vector<PlotCell>& cells);

/// What the latency picture shows, in one sentence.
std::string latency_finding(const std::vector<PlotCell>& cells);

}  // namespace dp
