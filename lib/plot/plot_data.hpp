// What pictures are drawn from: the cells of a sweep, and the runs themselves where run files were given.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plot/plot_cells.hpp"
#include "plot/shown_run.hpp"
#include "report/sweep.hpp"

namespace dp {

struct PlotData {
  /// Strategy × nodes at one rate and at max. Of several rates, that which most runs share; of equals, the highest that
  /// overloaded nothing.
  std::vector<PlotCell> cells;
  std::optional<Sweep> sweep;            ///< the runs behind `cells`; absent for a table
  std::vector<PlotCell> all_rates = {};  ///< strategy × nodes × rate; empty unless there are several rates
  std::string other_rates = {};          ///< "250 and 500 samples/s": those in `all_rates` only
  std::optional<ShownRun> shown = {};    ///< of all runs; absent for a table
};

/// One averaged_results.csv, not run files.
bool is_table(const std::vector<std::string>& arguments);

/// From run.json files, `@list` files and folders, or one averaged_results.csv. `events`: of one of the runs; "": those
/// beside them. Throws Error naming the file.
PlotData read_plot_data(const std::vector<std::string>& arguments, const std::filesystem::path& events = {});

/// From runs that differ in nothing but strategy, nodes, rate and seed; throws Error naming two that do.
PlotData plot_data_of(std::vector<MeasuredRun> runs, const std::filesystem::path& events = {});

}  // namespace dp
