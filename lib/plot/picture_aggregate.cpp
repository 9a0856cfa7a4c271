// aggregate_<n>w: on n workers, what each strategy reaches and what it costs.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "plot/findings.hpp"
#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

PlotJson latency_rows(const std::vector<PlotCell>& cells) {
  PlotJson rows = PlotJson::array();
  for (const PlotCell& c : cells) {
    if (c.valid_at_rate == 0) continue;
    for (const auto& [percentile, figure] :
         {std::pair("p50", PlotFigure{c.p50_ms, c.p50_ci95}),
          std::pair("p95", PlotFigure{c.p95_ms, c.p95_ci95})}) {
      if (!figure.value) continue;
      PlotJson row = figure_row(c, figure, state_at_rate(c), "ms");
      row["percentile"] = percentile;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

/// Why a strategy has no latency, for those that have none.
PlotJson latency_notes(const std::vector<PlotCell>& cells) {
  PlotJson notes = PlotJson::array();
  for (const PlotCell& c : cells) {
    const bool stated = c.valid_at_rate > 0 && (c.p50_ms || c.p95_ms);
    if (stated) continue;
    const State state = state_at_rate(c);
    const char* why = c.runs_at_rate == 0                                     ? "not measured"
                      : state == State::overloaded || state == State::invalid ? text(state)
                                                                              : "too few batches";
    notes.push_back({{"strategy", c.strategy}, {"note", why}});
  }
  return notes;
}

std::string explanation(const std::vector<PlotCell>& cells, const PlotJson& capacity, const PlotJson& cpu) {
  PlotJson all = capacity;
  all.insert(all.end(), cpu.begin(), cpu.end());
  std::string text =
      fmt::format("Capacity: as fast as possible, {}.", iterations_text(cells, &PlotCell::runs_at_max));
  if (const std::string rate = at_rate_text(cells); !rate.empty())
    text +=
        fmt::format(" {}{}: latency of a sample (filled p50, hollow p95), CPU and memory of all processes.",
                    rate, iterations_text(cells, &PlotCell::runs_at_rate));
  return text + notes_on(all, "bars");
}

Picture aggregate(const std::vector<PlotCell>& cells, std::uint32_t nodes, const Templates& templates) {
  Sheet sheet(cells, templates);
  PlotJson capacity =
      figure_rows(cells, &PlotCell::capacity, &PlotCell::capacity_ci95, state_at_max, "samples/s");
  PlotJson cpu =
      figure_rows(cells, &PlotCell::cpu_percent, &PlotCell::cpu_percent_ci95, state_at_rate, "% of a core");
  PlotJson memory = figure_rows(cells, &PlotCell::memory_mb, &PlotCell::memory_mb_ci95, state_at_rate, "MB");
  PlotJson latency = latency_rows(cells);
  sheet.title(capacity_finding(cells, nodes), explanation(cells, capacity, cpu), 760);
  sheet.set("$at_rate", !cells_at_rate(cells).empty());
  sheet.set("$has_resources", !cpu.empty() && !memory.empty());
  sheet.set("$latency_notes", latency_notes(cells));
  sheet.set("$capacity", std::move(capacity));
  sheet.set("$cpu", std::move(cpu));
  sheet.set("$memory", std::move(memory));
  sheet.set("$latency", std::move(latency));
  return templates.fill(fmt::format("aggregate_{}w", nodes), "aggregate", sheet.values());
}

}  // namespace

std::vector<Picture> aggregate_pictures(const PlotData& data, const Templates& templates) {
  std::vector<Picture> pictures;
  const auto measured = cells_at_max(data.cells);
  for (const std::uint32_t nodes : nodes_of(measured)) {
    std::vector<PlotCell> cells;
    std::copy_if(data.cells.begin(), data.cells.end(), std::back_inserter(cells),
                 [&](const PlotCell& c) { return c.nodes == nodes; });
    pictures.push_back(aggregate(cells, nodes, templates));
  }
  return pictures;
}

}  // namespace dp
