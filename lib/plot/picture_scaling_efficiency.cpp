// streaming_scaling_efficiency: share of ideal scaling by nodes, and against the capacity it is paid with.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "plot/findings.hpp"
#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

PlotJson rows_of(const std::vector<PlotCell>& cells) {
  PlotJson rows = PlotJson::array();
  for (const PlotCell& c : cells) {
    const PlotFigure efficiency = efficiency_percent(c);
    if (!efficiency.value) continue;
    PlotJson row = figure_row(c, efficiency, state_at_max(c), "%");
    const PlotJson capacity = figure_row(c, {c.capacity, c.capacity_ci95}, state_at_max(c), "samples/s");
    for (const char* field : {"value", "low", "high", "says"})
      row[std::string("capacity_") + field] = capacity.at(field);
    rows.push_back(std::move(row));
  }
  return rows;
}

/// One a node count, in the middle of its points and above their intervals.
PlotJson labels_of(const PlotJson& rows) {
  std::map<std::uint32_t, std::vector<PlotJson>> by_nodes;
  for (const PlotJson& row : rows) by_nodes[row.at("nodes")].push_back(row);
  PlotJson labels = PlotJson::array();
  for (const auto& [nodes, at] : by_nodes) {
    double capacity = 0, top = 0;
    for (const PlotJson& row : at) {
      capacity += row.at("capacity_value").get<double>() / static_cast<double>(at.size());
      top = std::max(top, row.at(row.at("high").is_null() ? "value" : "high").get<double>());
    }
    labels.push_back({{"nodes_text", nodes_text(nodes)}, {"capacity_value", capacity}, {"value", top}});
  }
  return labels;
}

}  // namespace

std::vector<Picture> scaling_efficiency_picture(const PlotData& data, const Templates& templates) {
  const auto cells = scaled_cells(data.cells);
  PlotJson rows = rows_of(cells);
  if (rows.empty() || nodes_of(cells).size() < 2) return {};
  Sheet sheet(cells, templates);
  sheet.set_apart(rows);
  sheet.groups(0, 620);
  sheet.title(efficiency_finding(cells),
              "Efficiency: speed-up of capacity divided by how many times the nodes; " +
                  iterations_text(cells, &PlotCell::runs_at_max) + "." + notes_on(rows, "points") +
                  " Below, each line follows one strategy from few nodes to many." +
                  unscaled_text(data.cells),
              sheet.width());
  sheet.set("$node_labels", labels_of(rows));
  sheet.set("$rows", std::move(rows));
  return {templates.fill("streaming_scaling_efficiency", "streaming_scaling_efficiency", sheet.values())};
}

}  // namespace dp
