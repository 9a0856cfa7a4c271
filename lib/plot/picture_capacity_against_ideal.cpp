// capacity_against_ideal: speed-up by nodes on log scales beside the line of ideal scaling.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <map>

#include "plot/findings.hpp"
#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

PlotJson ideal_rows(const std::vector<std::uint32_t>& nodes) {
  PlotJson rows = PlotJson::array();
  for (std::uint32_t n : nodes) rows.push_back({{"nodes_at", n}, {"ideal", 1.0 * n / nodes.front()}});
  return rows;
}

/// From between the last node count that has its cores and the first that has not, to beyond the last.
PlotJson crowded_rows(const std::vector<PlotCell>& cells, const std::vector<std::uint32_t>& nodes) {
  double last_sound = 0, first_crowded = 0;
  for (const PlotCell& c : cells) {
    if (!c.oversubscribed) last_sound = std::max<double>(last_sound, c.nodes);
    else if (first_crowded == 0 || c.nodes < first_crowded) first_crowded = c.nodes;
  }
  if (first_crowded <= last_sound) return PlotJson::array();
  const double from = last_sound > 0 ? std::sqrt(last_sound * first_crowded) : first_crowded / 1.2;
  return PlotJson::array({{{"from", from}, {"to", 1.2 * nodes.back()}}});
}

PlotJson rows_of(const std::vector<PlotCell>& cells, const Sheet& sheet) {
  PlotJson rows = figure_rows(cells, &PlotCell::speedup, &PlotCell::speedup_ci95, state_at_max, "×");
  const double gap = 0.12 / static_cast<double>(std::max<std::size_t>(sheet.strategies().size(), 4));
  for (PlotJson& row : rows)
    row["nodes_at"] = row.at("nodes").get<double>() * std::exp(gap * sheet.from_middle(row.at("strategy")));
  return rows;
}

/// A logarithmic axis has no zero, and an interval that comes near it would squeeze all else: whiskers end at a quarter of
/// the least speed-up. True if one was cut; its tooltip has the whole interval.
bool cut_whiskers(PlotJson& rows) {
  double least = rows.front().at("value");
  for (const PlotJson& row : rows) least = std::min(least, row.at("value").get<double>());
  bool cut = false;
  for (PlotJson& row : rows) {
    if (row.at("low").is_null() || row.at("low").get<double>() >= least / 4) continue;
    row["low"] = least / 4;
    cut = true;
  }
  return cut;
}

}  // namespace

std::vector<Picture> capacity_against_ideal_picture(const PlotData& data, const Templates& templates) {
  const auto cells = scaled_cells(data.cells);
  const auto nodes = nodes_of(cells);
  if (nodes.size() < 2) return {};
  Sheet sheet(cells, templates);
  PlotJson rows = rows_of(cells, sheet);
  if (rows.empty()) return {};
  const bool cut = cut_whiskers(rows);
  sheet.groups(0, 620);
  sheet.title(speedup_finding(cells),
              "Speed-up: capacity over that of the same strategy on " + nodes_text(nodes.front()) + "; " +
                  iterations_text(cells, &PlotCell::runs_at_max) + "." + notes_on(rows, "points") +
                  " Dashed: ideal scaling. Both axes are logarithmic" +
                  (cut ? ", and whiskers that come near zero are cut." : ".") + unscaled_text(data.cells),
              sheet.width());
  sheet.set("$rows", std::move(rows));
  sheet.set("$ideal", ideal_rows(nodes));
  sheet.set("$crowded", crowded_rows(cells, nodes));
  sheet.set("$x_domain", {nodes.front() / 1.2, nodes.back() * 1.2});
  return {templates.fill("capacity_against_ideal", "capacity_against_ideal", sheet.values())};
}

}  // namespace dp
