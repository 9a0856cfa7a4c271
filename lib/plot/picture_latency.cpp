// streaming_latency: median and 95th percentile at the rate, by nodes and strategy.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "plot/findings.hpp"
#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

std::string note_on(const PlotCell& c) {
  const State state = state_at_rate(c);
  if (state == State::overloaded || state == State::invalid) return text(state);
  if (!c.p50_ms) return "too few batches";
  return c.p95_ms ? "" : "p95: too few batches";
}

PlotJson row_of(const PlotCell& c, const char* percentile, const PlotFigure& ms) {
  PlotJson row = figure_row(c, ms, state_at_rate(c), "ms");
  row["percentile"] = percentile;
  row["note"] = percentile == std::string("p50") ? note_on(c) : "";
  return row;
}

PlotJson rows_of(const std::vector<PlotCell>& cells) {
  PlotJson rows = PlotJson::array();
  for (const PlotCell& c : cells) {
    const bool stated = c.valid_at_rate > 0;
    rows.push_back(row_of(c, "p50", stated ? PlotFigure{c.p50_ms, c.p50_ci95} : PlotFigure{}));
    rows.push_back(row_of(c, "p95", stated ? PlotFigure{c.p95_ms, c.p95_ci95} : PlotFigure{}));
  }
  return rows;
}

std::string explanation(const std::vector<PlotCell>& cells, const PlotJson& rows) {
  return "Lower mark: median, upper mark: 95th percentile, from a sample's scheduled arrival to its recorded "
         "result; " +
         iterations_text(cells, &PlotCell::runs_at_rate) + "." + notes_on(rows, "marks");
}

}  // namespace

std::vector<Picture> latency_picture(const PlotData& data, const Templates& templates) {
  const auto cells = cells_at_rate(data.cells);
  if (cells.empty()) return {};
  Sheet sheet(cells, templates);
  PlotJson rows = rows_of(cells);
  sheet.groups(sheet.strategies().size() > 4 ? 17 : 38, 560);
  sheet.title(latency_finding(cells), explanation(cells, rows), sheet.width());
  sheet.set("$rows", std::move(rows));
  return {templates.fill("streaming_latency", "streaming_latency", sheet.values())};
}

}  // namespace dp
