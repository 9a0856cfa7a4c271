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

std::string indistinct(const std::vector<std::pair<double, std::string>>& values, const char* number_format,
                       const char* unit) {
  std::vector<double> numbers;
  for (const auto& value : values) numbers.push_back(value.first);
  return range_text(numbers, number_format, unit) + "; the strategies' intervals overlap";
}

}  // namespace

std::uint32_t telling_nodes(const std::vector<PlotCell>& cells) {
  const std::uint32_t top = largest_nodes(cells, false);
  return top > smallest_nodes(cells) ? top : largest_nodes(cells, true);
}

std::string throughput_finding(const std::vector<PlotCell>& cells) {
  const std::uint32_t base = smallest_nodes(cells);
  const std::uint32_t top = telling_nodes(cells);
  std::vector<std::pair<double, std::string>> values;
  std::vector<const PlotCell*> compared;
  bool oversubscribed = false;
  for (const PlotCell& c : cells) {
    if (c.nodes != top || !c.capacity) continue;
    if (top > base && !c.speedup) continue;
    values.emplace_back(top > base ? *c.speedup : *c.capacity, c.strategy);
    compared.push_back(&c);
    oversubscribed = oversubscribed || c.oversubscribed;
  }
  const std::string mark = oversubscribed ? " (oversubscribed)" : "";
  if (values.empty()) return "Capacity" + mark;
  const bool overlap = all_overlap(compared);
  if (top > base) {
    return fmt::format("From {} to {}{}, capacity grows {}", base, nodes_text(top), mark,
                       overlap ? indistinct(values, "{:.2f}", "×") : per_strategy(values, "{:.2f}×", "with"));
  }
  return fmt::format("Capacity on {}{}: {}", nodes_text(top), mark,
                     overlap ? indistinct(values, "{:.0f}", " samples/s")
                             : per_strategy(values, "{:.0f} samples/s", "with"));
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
