// throughput_latency: what latency each rate costs, up to where the system no longer keeps up.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

using Cells = std::vector<PlotCell>;
using Percentile = std::optional<double> PlotCell::*;

std::optional<double> capacity_of(const Cells& cells, const std::string& strategy, std::uint32_t nodes) {
  for (const PlotCell& c : cells) {
    if (c.strategy == strategy && c.nodes == nodes && c.valid_at_max > 0) return c.capacity;
  }
  return std::nullopt;
}

/// The cells of node counts that were measured at several rates. Above capacity latency is but the length of the run.
Cells curves_of(const Cells& all_rates, const Cells& cells_at_max) {
  std::map<std::uint32_t, std::set<double>> rates;
  for (const PlotCell& c : all_rates) rates[c.nodes].insert(c.rate.value_or(0));
  Cells cells;
  std::copy_if(all_rates.begin(), all_rates.end(), std::back_inserter(cells),
               [&](const PlotCell& c) { return rates.at(c.nodes).size() > 1 && c.throughput; });
  for (PlotCell& c : cells) {
    const auto capacity = capacity_of(cells_at_max, c.strategy, c.nodes);
    c.overloaded = c.overloaded || (capacity && c.rate > capacity);
  }
  return cells;
}

bool stated(const PlotCell& c) { return !c.overloaded && c.valid_at_rate > 0 && c.p50_ms; }

PlotJson row_of(const PlotCell& c, const char* percentile, const PlotFigure& ms, State state) {
  PlotJson row = figure_row(c, ms, state, "ms");
  row["panel"] = nodes_text(c.nodes);
  row["percentile"] = percentile;
  row["completed"] = *c.throughput;
  row["load"] = fmt::format("{:.6g} samples/s offered, {} completed", c.rate.value_or(0),
                            with_interval(*c.throughput, c.throughput_ci95, "samples/s"));
  return row;
}

/// An overloaded cell has a place on the axis of rates, and no latency.
PlotJson rows_of(const Cells& cells) {
  PlotJson rows = PlotJson::array();
  for (const PlotCell& c : cells) {
    if (c.overloaded) rows.push_back(row_of(c, "none", {}, State::overloaded));
    if (!stated(c)) continue;
    rows.push_back(row_of(c, "p50", {c.p50_ms, c.p50_ci95}, state_at_rate(c)));
    if (c.p95_ms) rows.push_back(row_of(c, "p95", {c.p95_ms, c.p95_ci95}, state_at_rate(c)));
  }
  return rows;
}

bool has_curve(const Cells& cells, std::uint32_t nodes) {
  return std::any_of(cells.begin(), cells.end(),
                     [&](const PlotCell& c) { return c.nodes == nodes && stated(c); });
}

/// Vertical rules in the panels.
PlotJson capacity_rows(const Cells& cells_at_max, const Cells& cells) {
  PlotJson rows = PlotJson::array();
  for (const PlotCell& c : cells_at_max) {
    if (!c.capacity || c.valid_at_max == 0 || !has_curve(cells, c.nodes)) continue;
    rows.push_back(figure_row(c, {c.capacity, c.capacity_ci95}, state_at_max(c), "samples/s"));
    rows.back()["panel"] = nodes_text(c.nodes);
  }
  return rows;
}

/// The rates around a strategy's least latency at which it is at most twice that. Below them batches take longer to fill.
struct OperatingRange {
  double from = 0, to = 0;
  bool from_lowest = false;     ///< no lower rate has a latency
  std::optional<double> share;  ///< `to` in % of capacity
};

std::optional<OperatingRange> operating_range(const Cells& cells, const std::string& strategy, Percentile percentile,
                               const std::optional<double>& capacity) {
  std::map<double, const PlotCell*> curve;
  for (const PlotCell& c : cells) {
    if (c.strategy == strategy && stated(c) && c.*percentile) curve[c.rate.value_or(0)] = &c;
  }
  if (curve.empty()) return std::nullopt;
  const auto ms = [&](const auto& point) { return *(point.second->*percentile); };
  const auto least = std::min_element(curve.begin(), curve.end(),
                                      [&](const auto& a, const auto& b) { return ms(a) < ms(b); });
  auto first = least, last = least;
  while (first != curve.begin() && ms(*std::prev(first)) <= 2 * ms(*least)) --first;
  while (std::next(last) != curve.end() && ms(*std::next(last)) <= 2 * ms(*least)) ++last;
  OperatingRange range{first->first, last->first, first == curve.begin(), {}};
  if (capacity) range.share = 100 * *last->second->throughput / *capacity;
  return range;
}

/// Those of the largest number of nodes with a curve; an oversubscribed one only where there is no other.
Cells telling_cells(const Cells& cells) {
  std::uint32_t sound = 0, any = 0;
  for (const PlotCell& c : cells) {
    if (!stated(c)) continue;
    any = std::max(any, c.nodes);
    if (!c.oversubscribed) sound = std::max(sound, c.nodes);
  }
  Cells telling;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(telling),
               [&](const PlotCell& c) { return c.nodes == (sound > 0 ? sound : any); });
  return telling;
}

std::string finding(const Cells& all, const Cells& cells_at_max) {
  const Cells cells = telling_cells(all);
  const std::uint32_t nodes = cells.front().nodes;
  const bool p95 =
      std::any_of(cells.begin(), cells.end(), [](const PlotCell& c) { return stated(c) && c.p95_ms; });
  std::vector<double> froms, tos, shares;
  bool from_lowest = true;
  for (const std::string& strategy : strategies_of(cells)) {
    const auto range = operating_range(cells, strategy, p95 ? &PlotCell::p95_ms : &PlotCell::p50_ms,
                                 capacity_of(cells_at_max, strategy, nodes));
    if (!range) continue;
    froms.push_back(range->from);
    tos.push_back(range->to);
    from_lowest = from_lowest && range->from_lowest;
    if (range->share) shares.push_back(*range->share);
  }
  const std::string from = from_lowest ? "up to " : "from " + range_text(froms, "{:.6g}", " to ");
  std::string text = fmt::format("On {}, {} latency stays within twice its least {}{}", nodes_text(nodes),
                                 p95 ? "p95" : "median", from, range_text(tos, "{:.6g}", " samples/s"));
  if (shares.size() == tos.size()) text += ", " + range_text(shares, "{:.0f}", " % of capacity");
  return text;
}

std::string explanation(const Cells& cells, const PlotJson& rows, bool capacity) {
  const auto left_out = std::count_if(cells.begin(), cells.end(),
                                      [](const PlotCell& c) { return !c.overloaded && !stated(c); });
  const bool overloaded =
      std::any_of(cells.begin(), cells.end(), [](const PlotCell& c) { return c.overloaded; });
  const bool p95 =
      std::any_of(rows.begin(), rows.end(), [](const PlotJson& row) { return row["percentile"] == "p95"; });
  std::string text = p95 ? "Thick lines: p95, thin lines: p50; " : "Lines: p50; ";
  Cells drawn;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(drawn), stated);
  text += "a mark for each rate, " + iterations_text(drawn, &PlotCell::runs_at_rate) + ".";
  if (capacity) text += " Vertical lines: capacity, as fast as possible.";
  if (overloaded) text += " Empty marks at the upper edge: overloaded, or more offered than capacity.";
  if (left_out > 0) text += fmt::format(" Left out: {} without a valid run of enough batches.", left_out);
  PlotJson marks = PlotJson::array();
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(marks),
               [](const PlotJson& row) { return row["percentile"] != "none"; });
  return text + notes_on(marks, "marks");
}

double highest(const PlotJson& rows) {
  double ms = 0;
  for (const PlotJson& row : rows) {
    for (const char* field : {"value", "high"}) {
      if (!row[field].is_null()) ms = std::max(ms, row[field].get<double>());
    }
  }
  return ms;
}

}  // namespace

std::vector<Picture> throughput_latency_picture(const PlotData& data, const Templates& templates) {
  Cells cells = curves_of(data.all_rates, data.cells);
  std::erase_if(cells, [all = cells](const PlotCell& c) { return !has_curve(all, c.nodes); });
  if (cells.empty()) return {};
  const std::size_t panels = nodes_of(cells).size(), columns = panels == 1 ? 1 : 2;
  const std::size_t width = columns == 1 ? 560 : 330;
  Sheet sheet(cells, templates);
  PlotJson rows = rows_of(cells), capacities = capacity_rows(cells_at_max(data.cells), cells),
           order = PlotJson::array();
  for (std::uint32_t nodes : nodes_of(cells)) order.push_back(nodes_text(nodes));
  sheet.title(finding(cells, data.cells), explanation(cells, rows, !capacities.empty()), columns * width);
  sheet.set("$panels", order);
  sheet.set("$columns", columns);
  sheet.set("$width", width);
  sheet.set("$height", columns == 1 ? 320 : 220);
  sheet.set("$highest_ms", 1.15 * highest(rows));
  for (PlotJson& row : capacities) {
    row["capacity"] = row["value"];
    row["value"] = nullptr;
    row["low"] = nullptr;
    rows.push_back(std::move(row));
  }
  sheet.set("$rows", std::move(rows));
  return {templates.fill("throughput_latency", "throughput_latency", sheet.values())};
}

}  // namespace dp
