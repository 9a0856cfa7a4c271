// streaming_performance_heatmaps: throughput, CPU and memory, strategies by nodes.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

/// Text is white on the darker half of the scale, which begins at 0.
PlotJson shaded(PlotJson rows) {
  double most = 0;
  for (const PlotJson& row : rows) most = std::max(most, row.at("value").get<double>());
  for (PlotJson& row : rows) row["dark"] = row.at("value").get<double>() > 0.55 * most;
  return rows;
}

/// Of the figures that stand; "" when none does.
std::string range_of(const std::vector<PlotCell>& cells, std::optional<double> PlotCell::*figure,
                     State (*state)(const PlotCell&), const char* format, const char* unit) {
  std::vector<double> values;
  for (const PlotCell& c : cells) {
    if (c.*figure && stands(state(c))) values.push_back(*(c.*figure));
  }
  return values.empty() ? "" : range_text(values, format, unit);
}

std::string finding(const std::vector<PlotCell>& cells) {
  const std::string capacity = range_of(cells, &PlotCell::capacity, state_at_max, "{:.0f}", " samples/s");
  const std::string cpu = range_of(cells, &PlotCell::cpu_percent, state_at_rate, "{:.0f}", " %");
  const std::string memory = range_of(cells, &PlotCell::memory_mb, state_at_rate, "{:.0f}", " MB");
  std::string text = capacity.empty() ? "" : "Capacity is " + capacity;
  if (!cpu.empty()) text += (text.empty() ? "CPU is " : ", CPU ") + cpu;
  if (!memory.empty()) text += (text.empty() ? "Memory is " : ", memory ") + memory;
  return text.empty() ? "No run met its conditions" : text;
}

bool any_doubtful(const PlotJson& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const PlotJson& row) { return row.at("state") != ""; });
}

std::string explanation(const std::vector<PlotCell>& cells, bool doubtful) {
  std::string text = "Capacity: as fast as possible. ";
  if (const std::string rate = at_rate_text(cells); !rate.empty())
    text += rate + "CPU (100 %: one core) and memory of all processes. ";
  return text + "Darker is more, white is zero." +
         (doubtful ? " Dashed: not to be trusted as it stands." : "");
}

}  // namespace

std::vector<Picture> performance_heatmaps_picture(const PlotData& data, const Templates& templates) {
  const auto rows = [&](auto figure, auto state, const char* unit) {
    return shaded(figure_rows(
        data.cells,
        [&](const PlotCell& c) {
          return PlotFigure{c.*figure, {}};
        },
        state, unit));
  };
  PlotJson capacity = rows(&PlotCell::capacity, state_at_max, "samples/s");
  PlotJson cpu = rows(&PlotCell::cpu_percent, state_at_rate, "% of a core");
  PlotJson memory = rows(&PlotCell::memory_mb, state_at_rate, "MB");
  if (capacity.empty() && cpu.empty()) return {};
  Sheet sheet(data.cells, templates);
  const bool doubtful = any_doubtful(capacity) || any_doubtful(cpu);
  sheet.groups(0, std::max<std::size_t>(440, 96 * nodes_of(data.cells).size()));
  sheet.title(finding(data.cells), explanation(data.cells, doubtful), sheet.width() + 100);
  sheet.set("$row_step", doubtful ? 40 : 28);
  sheet.set("$has_capacity", !capacity.empty());
  sheet.set("$has_cpu", !cpu.empty());
  sheet.set("$has_memory", !memory.empty());
  sheet.set("$capacity", std::move(capacity));
  sheet.set("$cpu", std::move(cpu));
  sheet.set("$memory", std::move(memory));
  return {templates.fill("streaming_performance_heatmaps", "streaming_performance_heatmaps", sheet.values())};
}

}  // namespace dp
