// latency_percentiles: what share of the samples was how fast at the rate, up to the last percentile that the batches
// support.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "plot/percentile_lines.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"
#include "stats/percentile_support.hpp"

namespace dp {
namespace {

using Line = PercentileLine;

double place_of(const Percentile& percentile) { return 1 / (1 - percentile.p); }

PlotJson rows_of(const std::vector<Line>& lines, const std::vector<std::string>& strategies) {
  PlotJson rows = PlotJson::array();
  for (const Line& line : lines) {
    const auto found = std::find(strategies.begin(), strategies.end(), line.cell.strategy);
    const double from_middle =
        static_cast<double>(found - strategies.begin()) - static_cast<double>(strategies.size() - 1) / 2;
    for (std::size_t i = 0; i < line.ms.size(); ++i) {
      PlotJson row =
          figure_row(line.cell, {line.ms[i].mean, line.ms[i].half_width}, state_at_rate(line.cell), "ms");
      row["percentile"] = percentiles[i].name;
      row["at"] = place_of(percentiles[i]) * std::pow(1.03, from_middle);
      row["facet"] = nodes_text(line.cell.nodes);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

/// Why a strategy has no line on so many nodes; "" where it has one.
std::string missing(const Line& line) {
  if (!line.ms.empty()) return "";
  const State state = state_at_rate(line.cell);
  return state == State::overloaded || state == State::invalid ? text(state) : "too few batches";
}

using Reasons = std::map<std::string, std::vector<std::string>>;  ///< and the strategies each applies to

std::map<std::uint32_t, Reasons> reasons_of(const std::vector<Line>& lines) {
  std::map<std::uint32_t, Reasons> reasons;
  for (const Line& line : lines) {
    if (const auto why = missing(line); !why.empty())
      reasons[line.cell.nodes][why].push_back(line.cell.strategy);
  }
  return reasons;
}

/// A text in each panel that lacks a line.
void add_notes(PlotJson& rows, const std::vector<Line>& lines, std::size_t width) {
  const auto reasons = reasons_of(lines);
  for (std::uint32_t nodes : panels_of(lines)) {
    std::vector<std::string> texts;
    const auto found = reasons.find(nodes);
    if (found == reasons.end()) continue;
    for (const auto& [why, who] : found->second) {
      const auto broken = lines_of(fmt::format("{}: {}", why, fmt::join(who, ", ")), width / 6);
      texts.insert(texts.end(), broken.begin(), broken.end());
    }
    rows.push_back({{"facet", nodes_text(nodes)}, {"note", texts}});
  }
}

/// " No panel for 1 node: overloaded."
std::string without_panel(const std::vector<Line>& lines) {
  const auto panels = panels_of(lines);
  std::string text;
  for (const auto& [nodes, reasons] : reasons_of(lines)) {
    if (std::find(panels.begin(), panels.end(), nodes) != panels.end()) continue;
    std::vector<std::string> whys;
    for (const auto& [why, who] : reasons) whys.push_back(why);
    text += fmt::format(" No panel for {}: {}.", nodes_text(nodes), fmt::join(whys, " or "));
  }
  return text;
}

std::string finding(const std::vector<PlotCell>& cells, const std::vector<Line>& lines) {
  const auto telling = telling_lines(lines);
  std::size_t last = percentiles.size();
  for (const Line& line : telling) last = std::min(last, line.ms.size());
  std::vector<double> ms, ratios;
  for (const Line& line : telling) {
    ms.push_back(line.ms[last - 1].mean);
    ratios.push_back(line.ms[last - 1].mean / line.ms[0].mean);
  }
  return fmt::format("{}{} latency on {} is {}, {} the median", at_rate_text(cells),
                     percentiles[last - 1].name, nodes_text(telling.front().cell.nodes),
                     range_text(ms, "{:.1f}", " ms"), range_text(ratios, "{:.1f}", " times"));
}

/// "p99 needs 662 batches a run, p99.9 6636": of those that some line lacks.
std::string support_text(const std::vector<Line>& lines) {
  std::size_t least = percentiles.size();
  std::uint64_t fewest = UINT64_MAX;
  for (const Line& line : lines) {
    if (line.ms.empty()) continue;
    least = std::min(least, line.ms.size());
    fewest = std::min(fewest, line.batches);
  }
  if (least == percentiles.size()) return "";
  std::string needs;
  for (std::size_t i = least; i < percentiles.size(); ++i) {
    needs += fmt::format("{}{} {}{}", needs.empty() ? "" : ", ", percentiles[i].name,
                         needs.empty() ? "needs " : "", samples_needed(percentiles[i].p, 1));
  }
  return fmt::format(
      " A line ends where its batches no longer support the percentile: {} batches a run, the shortest "
      "had {}.",
      needs, fewest);
}

std::string explanation(const std::vector<PlotCell>& cells, const std::vector<Line>& lines,
                        const PlotJson& rows) {
  return "Latency of a sample from its scheduled arrival to its recorded result; " +
         iterations_text(cells, &PlotCell::runs_at_rate) + "." + support_text(lines) + without_panel(lines) +
         notes_on(rows, "marks");
}

double highest(const std::vector<Line>& lines) {
  double ms = 0;
  for (const Line& line : lines) {
    for (const Estimate& e : line.ms) ms = std::max(ms, e.mean + e.half_width.value_or(0));
  }
  return ms;
}

void set_axes(Sheet& sheet, const std::vector<Line>& lines, std::size_t width) {
  constexpr double axis_begin = 1.6, label_px = 36;
  PlotJson ticks = PlotJson::array();
  std::string labels;
  const std::size_t shown = std::min(reached(lines) + 1, percentiles.size());
  const double axis_end = place_of(percentiles[shown - 1]) * 1.25;
  const double between_90_and_95 =
      static_cast<double>(width) * std::log(2) / std::log(axis_end / axis_begin);  // px
  for (std::size_t i = 0; i < shown; ++i) {
    const std::string share = fmt::format("{:.6g} %", 100 * percentiles[i].p);
    ticks.push_back(std::round(place_of(percentiles[i])));
    const bool labelled = between_90_and_95 > label_px || percentiles[i].p != 0.95 || i + 1 == shown;
    labels += fmt::format("datum.value == {} ? '{}' : ", ticks.back().dump(), labelled ? share : "");
  }
  sheet.set("$ticks", ticks);
  sheet.set("$tick_labels", labels + "''");
  sheet.set("$axis", {axis_begin, axis_end});
  sheet.set("$highest_ms", 1.06 * highest(lines));
}

}  // namespace

std::vector<Picture> latency_percentiles_picture(const PlotData& data, const Templates& templates) {
  if (!data.sweep) return {};
  const auto lines = percentile_lines(data);
  if (reached(lines) < 2) return {};
  std::vector<PlotCell> cells;
  for (const Line& line : lines) cells.push_back(line.cell);
  const auto panels = panels_of(lines);
  const std::size_t columns = panels.size() == 1 ? 1 : panels.size() == 3 ? 3 : 2;
  const std::size_t width = columns == 1 ? 560 : columns == 2 ? 330 : 270;
  Sheet sheet(cells, templates);
  PlotJson rows = rows_of(lines, sheet.strategies()), order = PlotJson::array();
  for (std::uint32_t nodes : panels) order.push_back(nodes_text(nodes));
  set_axes(sheet, lines, width);
  sheet.title(finding(cells, lines), explanation(cells, lines, rows), columns * width);
  sheet.set("$facets", order);
  sheet.set("$columns", columns);
  sheet.set("$width", width);
  sheet.set("$height", columns == 1 ? 320 : 210);
  add_notes(rows, lines, width);
  sheet.set("$rows", std::move(rows));
  return {templates.fill("latency_percentiles", "latency_percentiles", sheet.values())};
}

}  // namespace dp
