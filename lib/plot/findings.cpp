// The sentences above the pictures. They state what was measured and rank nothing that the table does not
// separate.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "plot/findings.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

/// The largest node count measured, oversubscribed ones only if `accept_oversubscribed`; 0 when there is
/// none.
std::uint32_t largest_nodes(const std::vector<PlotCell>& cells, bool accept_oversubscribed) {
  std::uint32_t largest = 0;
  for (const PlotCell& c : cells) {
    if (c.capacity && (accept_oversubscribed || !c.oversubscribed)) largest = std::max(largest, c.nodes);
  }
  return largest;
}

std::uint32_t smallest_nodes(const std::vector<PlotCell>& cells) {
  std::uint32_t smallest = UINT32_MAX;
  for (const PlotCell& c : cells) smallest = c.capacity ? std::min(smallest, c.nodes) : smallest;
  return smallest;
}

std::string range_ms(double low, double high) {
  const std::string from = fmt::format("{:.3g}", low), to = fmt::format("{:.3g}", high);
  return from == to ? from + " ms" : fmt::format("{}–{} ms", from, to);
}

/// A percentile over the strategies of one node count; "" where none may be stated.
std::string latency_at(const std::vector<const PlotCell*>& cells,
                       std::optional<double> PlotCell::*percentile) {
  std::optional<double> low, high;
  for (const PlotCell* c : cells) {
    const std::optional<double>& ms = c->*percentile;
    if (!ms) continue;
    low = std::min(low.value_or(*ms), *ms);
    high = std::max(high.value_or(*ms), *ms);
  }
  return low ? range_ms(*low, *high) : "";
}

std::string overloaded_at(const std::vector<const PlotCell*>& cells) {
  std::vector<std::string> names;
  for (const PlotCell* c : cells) {
    if (c->overloaded) names.push_back(c->strategy);
  }
  if (names.empty()) return "";
  const std::string who = names.size() == cells.size() ? "" : fmt::format(" with {}", fmt::join(names, ", "));
  const std::uint32_t nodes = cells.front()->nodes;
  return fmt::format("{}{} {} overloaded", nodes_text(nodes), who, nodes == 1 ? "is" : "are");
}

/// Several strategies whose confidence intervals of capacity all share a value: no order is to be read into
/// them.
bool all_overlap(const std::vector<const PlotCell*>& cells) {
  double highest_low = 0, lowest_high = std::numeric_limits<double>::infinity();
  for (const PlotCell* c : cells) {
    const double half = c->capacity_ci95.value_or(0);
    highest_low = std::max(highest_low, *c->capacity - half);
    lowest_high = std::min(lowest_high, *c->capacity + half);
  }
  return cells.size() > 1 && highest_low <= lowest_high;
}

/// How a figure is written: one of it, and that of a strategy.
struct Style {
  const char* number;
  const char* unit;
};

/// The figure of each cell with its strategy, or only its range where the capacities' intervals overlap.
std::string by_strategy(const std::vector<const PlotCell*>& cells, double (*figure)(const PlotCell&),
                        Style style) {
  std::vector<std::pair<double, std::string>> named;
  std::vector<double> numbers;
  for (const PlotCell* c : cells) {
    numbers.push_back(figure(*c));
    named.emplace_back(numbers.back(), c->strategy);
  }
  if (all_overlap(cells))
    return range_text(numbers, style.number, style.unit) + "; the strategies' intervals overlap";
  return per_strategy(std::move(named), (std::string(style.number) + style.unit).c_str(), "with");
}

/// Those of one node count that were measured at max, and compared with a smaller node count if `scaled`.
std::vector<const PlotCell*> cells_on(const std::vector<PlotCell>& cells, std::uint32_t nodes, bool scaled) {
  std::vector<const PlotCell*> those;
  for (const PlotCell& c : cells) {
    if (c.nodes == nodes && c.capacity && (c.speedup || !scaled)) those.push_back(&c);
  }
  return those;
}

const char* oversubscribed_mark(const std::vector<const PlotCell*>& cells) {
  const bool any =
      std::any_of(cells.begin(), cells.end(), [](const PlotCell* c) { return c->oversubscribed; });
  return any ? " (oversubscribed)" : "";
}

double capacity_of(const PlotCell& c) { return *c.capacity; }
double speedup_of(const PlotCell& c) { return *c.speedup; }
double efficiency_percent_of(const PlotCell& c) { return 100 * c.efficiency.value_or(0); }

}  // namespace

std::uint32_t telling_nodes(const std::vector<PlotCell>& cells) {
  const std::uint32_t top = largest_nodes(cells, false);
  return top > smallest_nodes(cells) ? top : largest_nodes(cells, true);
}

std::string throughput_finding(const std::vector<PlotCell>& cells) {
  const std::uint32_t base = smallest_nodes(cells), top = telling_nodes(cells);
  if (top == base) return capacity_finding(cells, top);
  const auto compared = cells_on(cells, top, true);
  const char* mark = oversubscribed_mark(compared);
  if (compared.empty()) return "Capacity";
  return fmt::format("From {} to {}{}, capacity grows {}", base, nodes_text(top), mark,
                     by_strategy(compared, speedup_of, {"{:.2f}", "×"}));
}

std::string capacity_finding(const std::vector<PlotCell>& cells, std::uint32_t nodes) {
  const auto compared = cells_on(cells, nodes, false);
  if (compared.empty()) return "Capacity";
  return fmt::format("Capacity on {}{}: {}", nodes_text(nodes), oversubscribed_mark(compared),
                     by_strategy(compared, capacity_of, {"{:.0f}", " samples/s"}));
}

std::string efficiency_finding(const std::vector<PlotCell>& cells) {
  const std::uint32_t base = smallest_nodes(cells), top = telling_nodes(cells);
  const auto compared = cells_on(cells, top, true);
  if (top == base || compared.empty()) return "Scaling efficiency";
  return fmt::format("Of a node's capacity on {}, each of {}{} keeps {}", nodes_text(base), nodes_text(top),
                     oversubscribed_mark(compared),
                     by_strategy(compared, efficiency_percent_of, {"{:.0f}", " %"}));
}

std::string speedup_finding(const std::vector<PlotCell>& cells) {
  const std::uint32_t base = smallest_nodes(cells), top = telling_nodes(cells);
  const auto compared = cells_on(cells, top, true);
  if (top == base || compared.empty()) return "Speed-up";
  return fmt::format("Of an ideal {:.4g}× on {}{}, capacity reaches {}", static_cast<double>(top) / base,
                     nodes_text(top), oversubscribed_mark(compared),
                     by_strategy(compared, speedup_of, {"{:.2f}", "×"}));
}

std::string latency_finding(const std::vector<PlotCell>& cells) {
  std::map<std::uint32_t, std::vector<const PlotCell*>> by_nodes;
  double rate = 0;
  for (const PlotCell& c : cells) {
    if (c.runs_at_rate == 0) continue;
    by_nodes[c.nodes].push_back(&c);
    rate = c.rate.value_or(rate);
  }
  const bool has_p95 =
      std::any_of(cells.begin(), cells.end(), [](const PlotCell& c) { return c.p95_ms.has_value(); });
  const auto percentile = has_p95 ? &PlotCell::p95_ms : &PlotCell::p50_ms;
  std::vector<std::string> stated, overloaded;
  const bool all_oversubscribed =
      std::all_of(cells.begin(), cells.end(), [](const PlotCell& c) { return c.oversubscribed; });
  for (const auto& [nodes, at] : by_nodes) {
    if (at.front()->oversubscribed && !all_oversubscribed) continue;
    if (const auto ms = latency_at(at, percentile); !ms.empty())
      stated.push_back(ms + " on " + nodes_text(nodes));
    if (const auto who = overloaded_at(at); !who.empty()) overloaded.push_back(who);
  }
  std::string text = fmt::format("At {:.6g} samples/s, ", rate);
  if (!stated.empty())
    text += fmt::format("{} latency is {}", has_p95 ? "p95" : "median", fmt::join(stated, ", "));
  if (!overloaded.empty())
    text += fmt::format("{}{}", stated.empty() ? "" : "; ", fmt::join(overloaded, ", "));
  if (stated.empty() && overloaded.empty()) text += "too few batches to state a latency";
  return text;
}

}  // namespace dp
