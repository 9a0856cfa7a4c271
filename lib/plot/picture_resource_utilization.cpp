// streaming_resource_utilization: CPU and memory of all processes at the rate, by nodes and strategy.
// SPDX-License-Identifier: MIT
#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

/// "196–197 MB on 1 node to 686–688 MB on 4 nodes", over the strategies of a node count whose runs stand.
std::string growth(const std::vector<PlotCell>& cells, std::optional<double> PlotCell::*figure,
                   const char* format, const char* unit) {
  std::vector<std::string> ends;
  for (std::uint32_t n : nodes_of(cells)) {
    std::vector<double> values;
    for (const PlotCell& c : cells) {
      if (c.nodes == n && c.*figure && stands(state_at_rate(c))) values.push_back(*(c.*figure));
    }
    if (!values.empty()) ends.push_back(range_text(values, format, unit) + " on " + nodes_text(n));
  }
  if (ends.empty()) return "not stated";
  return ends.size() == 1 ? ends[0] : "from " + ends.front() + " to " + ends.back();
}

std::string finding(const std::vector<PlotCell>& cells) {
  return at_rate_text(cells) + "CPU is " + growth(cells, &PlotCell::cpu_percent, "{:.0f}", " %") +
         ", memory " + growth(cells, &PlotCell::memory_mb, "{:.0f}", " MB");
}

}  // namespace

std::vector<Picture> resource_utilization_picture(const PlotData& data, const Templates& templates) {
  const auto cells = cells_at_rate(data.cells);
  PlotJson cpu =
      figure_rows(cells, &PlotCell::cpu_percent, &PlotCell::cpu_percent_ci95, state_at_rate, "% of a core");
  PlotJson memory = figure_rows(cells, &PlotCell::memory_mb, &PlotCell::memory_mb_ci95, state_at_rate, "MB");
  if (cpu.empty() || memory.empty()) return {};
  Sheet sheet(cells, templates);
  sheet.groups(sheet.strategies().size() > 4 ? 15 : 30, 560);
  sheet.title(finding(cells),
              "CPU (100 %: one core) and resident memory, summed over dp-stream, dp-route, dp-collect and "
              "the workers; " +
                  iterations_text(cells, &PlotCell::runs_at_rate) + "." + notes_on(cpu, "bars"),
              sheet.width());
  sheet.set("$cpu", std::move(cpu));
  sheet.set("$memory", std::move(memory));
  return {templates.fill("streaming_resource_utilization", "streaming_resource_utilization", sheet.values())};
}

}  // namespace dp
