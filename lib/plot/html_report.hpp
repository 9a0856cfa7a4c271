// One self-contained page about a sweep: summary, pictures with tooltips, tables, machine, configuration and the
// commands that repeat it. Skeleton, style and script are templates (report.html, report.css, report.js); the
// page fetches nothing, and its content security policy forbids it.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plot/pictures.hpp"
#include "report/comparison.hpp"

namespace dp {

/// What a page tells of; everything is pointed to.
struct ReportInputs {
  const Sweep& sweep;
  const std::vector<CellSummary>& cells;
  const std::vector<NodeComparison>& comparisons;
  const std::vector<Picture>& pictures;
  std::string made_by;      ///< the command that repeats the sweep; "": not told
  std::string other_rates;  ///< "500 samples/s": runs that only one of the pictures shows; "": none
};

/// The JavaScript that draws the pictures, in the order in which it is to be run: vega, vega-lite, vega-embed.
/// Looked for in each of `folders`, its node_modules and the folders above. Throws Error saying how to install it.
std::vector<std::filesystem::path> find_runtime(const std::vector<std::filesystem::path>& folders);

/// The whole page. Throws Error naming a template or script that cannot be read, or a placeholder without value.
std::string html_report(const ReportInputs& inputs, const std::filesystem::path& templates,
                        const std::vector<std::filesystem::path>& runtime);

}  // namespace dp
