// The parts of the page, each as HTML that is safe to put in.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "plot/html_report.hpp"

namespace dp {

// Figures as the tables and the summary write them; "–" for what is not to be stated.
std::string rate_text(const std::optional<Estimate>& e);    ///< "1924 ± 31"
std::string ms_text(const std::optional<double>& ms);       ///< three digits
std::string count_text(std::uint64_t n, const char* what);  ///< "2 nodes", "1 node"
std::string range_text(std::string low, std::string high);  ///< "12–14", "12" for equal ends

/// Runs that belong to a cell, in the order of the cells: at the rate, then at max.
struct ListedRun {
  const Cell* cell;
  const Iteration* iteration;
  const MeasuredRun* run;
};
std::vector<ListedRun> listed_runs(const Sweep& sweep);

std::string headline_html(const ReportInputs& inputs);  ///< what to do, in a sentence
std::string measured_html(const ReportInputs& inputs);  ///< what was measured, one paragraph
std::string tiles_html(const ReportInputs& inputs);     ///< the figures to remember
std::string advice_html(const ReportInputs& inputs);
std::string confidence_html(const ReportInputs& inputs);
std::string worth_html(const ReportInputs& inputs);

std::string cells_html(const ReportInputs& inputs);
std::string comparisons_html(const ReportInputs& inputs);
std::string runs_html(const ReportInputs& inputs);

std::string machine_html(const ReportInputs& inputs);
std::string configuration_html(const ReportInputs& inputs);
std::string commands_html(const ReportInputs& inputs);

}  // namespace dp
