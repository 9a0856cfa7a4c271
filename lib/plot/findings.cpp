// The sentences above the pictures. They state what was measured and rank nothing that the table does not
// separate.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plot/findings.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"
#include "report/sweep.hpp"

namespace dp {
namespace {

/// The largest node count measured, oversubscribed ones only if `accept_oversubscribed`; 0 when there is
/// none.
std::uint32_t largest_nodes(const std::vector<PlotCell>& cells, bool accept_oversubscribed) {
  std::uint32_t largest = 0;
  for (const PlotCell& c : cells) {
    if (has_capacity(c) && (accept_oversubscribed || !c.oversubscribed)) largest = std::max(largest, c.nodes);
  }
  return largest;
}

std::uint32_t smallest_nodes(const std::vector<PlotCell>& cells) {
  std::uint32_t smallest = UINT32_MAX;
  for (const PlotCell& c : cells) smallest = has_capacity(c) ? std::min(smallest, c.nodes) : smallest;
  return smallest;
}

std::string range_ms(double low, double high) {
  const std::string from = number_text(low), to = number_text(high);
  return from == to ? from + " ms" : fmt::format("{}–{} ms", from, to);
}

/// A percentile over the strategies of one node count; "" where none may be stated.
std::string latency_at(const std::vector<const PlotCell*>& cells,
                       std::optional<double> PlotCell::*percentile) {
  std::optional<double> low, high;
  for (const PlotCell* c : cells) {
    const std::optional<double>& ms = c->*percentile;
    if (!ms || !stands(state_at_rate(*c))) continue;
    low = std::min(low.value_or(*ms), *ms);
    high = std::max(high.value_or(*ms), *ms);
  }
  return low ? range_ms(*low, *high) : "";
}

/// Those at the rate; oversubscribed ones only where no other has a run that says something.
std::vector<PlotCell> telling_at_rate(const std::vector<PlotCell>& cells) {
  const auto all = cells_at_rate(cells);
  auto sound = all;
  std::erase_if(sound, [](const PlotCell& c) { return c.oversubscribed; });
  const bool telling = std::any_of(sound.begin(), sound.end(),
                                   [](const PlotCell& c) { return c.valid_at_rate > 0 || c.overloaded; });
  return telling ? sound : all;
}

std::string overloaded_at(const std::vector<const PlotCell*>& cells) {
  std::vector<std::string> names;
  for (const PlotCell* c : cells) {
    if (c->overloaded) names.push_back(c->strategy);
  }
  if (names.empty()) return "";
  const std::string who = names.size() == cells.size() ? "" : " with " + listed(names);
  const std::uint32_t nodes = cells.front()->nodes;
  return fmt::format("{}{} {} overloaded", nodes_text(nodes), who, nodes == 1 ? "is" : "are");
}

/// How a figure is written: one of it, and that of a strategy.
struct Style {
  const char* number;
  const char* unit;
};

/// The figure of a strategy, with its interval.
struct Named {
  double value, low, high;
  std::string strategy;
};

/// Groups of figures whose intervals overlap, one into the next; the largest first. Only groups have an order.
std::vector<std::vector<Named>> told_apart(std::vector<Named> figures) {
  std::stable_sort(figures.begin(), figures.end(),
                   [](const Named& a, const Named& b) { return a.high > b.high; });
  std::vector<std::vector<Named>> groups;
  double low = 0;
  for (Named& figure : figures) {
    if (groups.empty() || figure.high < low) {
      groups.emplace_back();
      low = figure.low;
    }
    low = std::min(low, figure.low);
    groups.back().push_back(std::move(figure));
  }
  return groups;
}

/// "4699 samples/s", "4674–4709 samples/s".
std::string range_of(const std::vector<Named>& figures, Style style) {
  std::vector<double> values;
  for (const Named& figure : figures) values.push_back(figure.value);
  return range_text(values, style.number, style.unit);
}

std::string with_names(const std::vector<Named>& group, Style style) {
  std::vector<std::string> names;
  for (const Named& figure : group) names.push_back(figure.strategy);
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::pair(strategy_order(a), a) < std::pair(strategy_order(b), b);
  });
  return fmt::format("{} with {}", range_of(group, style), listed(names));
}

/// The figures of one node count with their strategies, in an order only as far as their intervals prove one: on one
/// node there is nothing to route, and a single iteration has no interval.
std::string by_strategy(const std::vector<PlotCell>& cells, const FigureOf& figure, Style style) {
  std::vector<Named> figures;
  bool intervals = true;
  for (const PlotCell& c : cells) {
    const PlotFigure f = figure(c);
    const double half = f.half_width.value_or(0);
    intervals = intervals && f.half_width;
    figures.push_back({*f.value, *f.value - half, *f.value + half, c.strategy});
  }
  if (figures.size() == 1) return with_names(figures, style);
  if (cells.front().nodes == 1) return range_of(figures, style);
  if (!intervals) return range_of(figures, style) + "; too few iterations to tell the strategies apart";
  const auto groups = told_apart(figures);
  if (groups.size() == 1) return range_of(figures, style) + "; the strategies' intervals overlap";
  if (groups.size() > 3) return with_names(groups.back(), style) + " to " + with_names(groups.front(), style);
  std::vector<std::string> texts;
  for (const auto& group : groups) texts.push_back(with_names(group, style));
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Those of one node count that have the figure.
std::vector<PlotCell> cells_on(const std::vector<PlotCell>& cells, std::uint32_t nodes,
                               const FigureOf& figure) {
  std::vector<PlotCell> those;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(those),
               [&](const PlotCell& c) { return c.nodes == nodes && has_capacity(c) && figure(c).value; });
  return those;
}

const char* oversubscribed_mark(const std::vector<PlotCell>& cells) {
  const bool any =
      std::any_of(cells.begin(), cells.end(), [](const PlotCell& c) { return c.oversubscribed; });
  return any ? " (oversubscribed)" : "";
}

PlotFigure capacity_of(const PlotCell& c) { return {c.capacity, c.capacity_ci95}; }
PlotFigure speedup_of(const PlotCell& c) { return {c.speedup, c.speedup_ci95}; }

}  // namespace

std::uint32_t telling_nodes(const std::vector<PlotCell>& cells) {
  const std::uint32_t top = largest_nodes(cells, false);
  return top > smallest_nodes(cells) ? top : largest_nodes(cells, true);
}

std::string throughput_finding(const std::vector<PlotCell>& cells) {
  const std::uint32_t base = smallest_nodes(cells), top = telling_nodes(cells);
  if (top <= base) return capacity_finding(cells, top);
  const auto compared = cells_on(scaled_cells(cells), top, speedup_of);
  if (compared.empty()) return "Capacity";
  return fmt::format("From {} to {}{}, capacity grows {}", base, nodes_text(top),
                     oversubscribed_mark(compared), by_strategy(compared, speedup_of, {"{:.2f}", "×"}));
}

std::string capacity_finding(const std::vector<PlotCell>& cells, std::uint32_t nodes) {
  const auto compared = cells_on(cells, nodes, capacity_of);
  if (compared.empty()) return "Capacity: no run met its conditions";
  return fmt::format("Capacity on {}{}: {}", nodes_text(nodes), oversubscribed_mark(compared),
                     by_strategy(compared, capacity_of, {"{:.0f}", " samples/s"}));
}

std::string efficiency_finding(const std::vector<PlotCell>& cells) {
  const std::uint32_t base = smallest_nodes(cells), top = telling_nodes(cells);
  const auto compared = cells_on(scaled_cells(cells), top, efficiency_percent);
  if (top <= base || compared.empty()) return "Scaling efficiency";
  return fmt::format("Of a node's capacity on {}, each of {}{} keeps {}", nodes_text(base), nodes_text(top),
                     oversubscribed_mark(compared),
                     by_strategy(compared, efficiency_percent, {"{:.0f}", " %"}));
}

std::string speedup_finding(const std::vector<PlotCell>& cells) {
  const std::uint32_t base = smallest_nodes(cells), top = telling_nodes(cells);
  const auto compared = cells_on(scaled_cells(cells), top, speedup_of);
  if (top <= base || compared.empty()) return "Speed-up";
  return fmt::format("Of an ideal {:.4g}× on {}{}, capacity reaches {}", static_cast<double>(top) / base,
                     nodes_text(top), oversubscribed_mark(compared),
                     by_strategy(compared, speedup_of, {"{:.2f}", "×"}));
}

std::string latency_finding(const std::vector<PlotCell>& cells) {
  std::map<std::uint32_t, std::vector<const PlotCell*>> by_nodes;
  double rate = 0;
  const auto shown = telling_at_rate(cells);
  for (const PlotCell& c : shown) {
    by_nodes[c.nodes].push_back(&c);
    rate = c.rate.value_or(rate);
  }
  const bool has_p95 = std::any_of(shown.begin(), shown.end(),
                                   [](const PlotCell& c) { return c.p95_ms && stands(state_at_rate(c)); });
  const auto percentile = has_p95 ? &PlotCell::p95_ms : &PlotCell::p50_ms;
  std::vector<std::string> stated, overloaded;
  for (const auto& [nodes, at] : by_nodes) {
    if (const auto ms = latency_at(at, percentile); !ms.empty())
      stated.push_back(ms + " on " + nodes_text(nodes));
    if (const auto who = overloaded_at(at); !who.empty()) overloaded.push_back(who);
  }
  std::string text = fmt::format("At {:.6g} samples/s, ", rate);
  if (!stated.empty())
    text += fmt::format("{} latency is {}", has_p95 ? "p95" : "median", fmt::join(stated, ", "));
  if (!overloaded.empty())
    text += fmt::format("{}{}", stated.empty() ? "" : "; ", fmt::join(overloaded, ", "));
  const bool valid =
      std::any_of(shown.begin(), shown.end(), [](const PlotCell& c) { return c.valid_at_rate > 0; });
  if (stated.empty() && overloaded.empty())
    text += valid ? "too few batches to state a latency" : "no run met its conditions";
  return text;
}

}  // namespace dp
