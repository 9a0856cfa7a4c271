// streaming_throughput_comparison: capacity by nodes and strategy.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "plot/findings.hpp"
#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"

namespace dp {
namespace {

/// Capacity that the strategy's smallest node count promises.
std::optional<double> ideal_of(const PlotCell& cell, const std::vector<PlotCell>& cells) {
  const PlotCell* base = &cell;
  for (const PlotCell& c : cells) {
    if (c.strategy == cell.strategy && has_capacity(c) && c.nodes < base->nodes) base = &c;
  }
  if (base == &cell) return std::nullopt;
  return *base->capacity * cell.nodes / base->nodes;
}

/// Ideal scaling is promised only where the host has the cores for it.
PlotJson ideal_field(const PlotCell& c, const std::vector<PlotCell>& cells) {
  const auto ideal = ideal_of(c, cells);
  return ideal && !c.oversubscribed ? PlotJson(*ideal) : PlotJson(nullptr);
}

std::string explanation(const std::vector<PlotCell>& cells, const PlotJson& rows) {
  const bool ideal =
      std::any_of(rows.begin(), rows.end(), [](const PlotJson& row) { return !row["ideal"].is_null(); });
  return "As fast as possible; " + iterations_text(cells, &PlotCell::runs_at_max) + "." +
         notes_on(rows, "bars") + (ideal ? " Black ticks: ideal scaling." : "");
}

}  // namespace

std::vector<Picture> throughput_comparison_picture(const PlotData& data, const Templates& templates) {
  const auto cells = cells_at_max(data.cells);
  if (cells.empty()) return {};
  Sheet sheet(cells, templates);
  PlotJson rows = PlotJson::array();
  for (const PlotCell& c : cells) {
    if (!c.capacity) continue;
    rows.push_back(figure_row(c, {c.capacity, c.capacity_ci95}, state_at_max(c), "samples/s"));
    rows.back()["ideal"] = ideal_field(c, cells);
  }
  sheet.set_apart(rows);
  sheet.groups(sheet.strategies().size() > 4 ? 17 : 38, 560);
  sheet.title(throughput_finding(cells), explanation(cells, rows), sheet.width());
  sheet.set("$rows", std::move(rows));
  return {
      templates.fill("streaming_throughput_comparison", "streaming_throughput_comparison", sheet.values())};
}

}  // namespace dp
