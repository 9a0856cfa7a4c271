// Paired comparison of strategies, and the sentence that says what came of it.
// SPDX-License-Identifier: MIT
#include "report/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace dp {
namespace {

/// Nothing for the iterations in which one of both runs has no such figure.
template <class Figure>
std::vector<double> paired_differences(const Repetitions& first, const Repetitions& second, Figure figure) {
  std::vector<double> differences;
  for (const auto& [iteration, run] : first) {
    const auto other = second.find(iteration);
    if (other == second.end() || !run->report.valid || !other->second->report.valid) continue;
    const std::optional<double> a = figure(run->report), b = figure(other->second->report);
    if (a && b) differences.push_back(*a - *b);
  }
  return differences;
}

struct Contender {
  const Cell* cell;
  const CellSummary* summary;
};

std::optional<double> capacity_of(const RunReport& r) { return r.rates.completed; }
std::optional<double> data_moved_of(const RunReport& r) { return r.data_moved_mb; }
std::optional<double> p99_of(const RunReport& r) { return r.latency_ms.p99; }

std::vector<double> differences_at_max(const Contender& a, const Contender& b,
                                       std::optional<double> (*figure)(const RunReport&)) {
  return paired_differences(a.cell->at_max, b.cell->at_max, figure);
}

/// Of a percentile that is not stated of either nothing is compared.
std::vector<double> p99_differences(const Contender& a, const Contender& b) {
  if (!a.summary->p99_ms || !b.summary->p99_ms) return {};
  return paired_differences(a.cell->at_rate, b.cell->at_rate, p99_of);
}

std::vector<PairComparison> compare_pairs(const std::vector<Contender>& contenders) {
  std::vector<PairComparison> pairs;
  std::vector<std::vector<double>> capacity, moved, p99;
  for (auto a = contenders.begin(); a != contenders.end(); ++a) {
    for (auto b = a + 1; b != contenders.end(); ++b) {
      capacity.push_back(differences_at_max(*a, *b, capacity_of));
      moved.push_back(differences_at_max(*a, *b, data_moved_of));
      p99.push_back(p99_differences(*a, *b));
      pairs.push_back({a->summary->strategy, b->summary->strategy, capacity.back().size(), {}});
    }
  }
  const std::vector<Difference> capacities = holm(capacity), moves = holm(moved), latencies = holm(p99);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].difference = capacities[i];
    // One worker gets every batch whatever the strategy: what differs is noise.
    if (contenders[0].summary->nodes == 1) pairs[i].difference.significant = false;
    if (!moved[i].empty() && moved[i].size() == pairs[i].iterations) pairs[i].data_moved = moves[i];
    if (!p99[i].empty() && contenders[0].summary->nodes > 1) pairs[i].p99_ms = latencies[i];
  }
  return pairs;
}

/// Whether `better` is told apart from `other`, and in its own favour.
bool beats(const NodeComparison& c, const std::string& better, const std::string& other) {
  return std::any_of(c.pairs.begin(), c.pairs.end(), [&](const PairComparison& p) {
    if (!p.difference.significant) return false;
    return p.difference.mean > 0 ? p.first == better && p.second == other
                                 : p.second == better && p.first == other;
  });
}

std::string with_interval(const Estimate& e) {
  return e.half_width ? fmt::format("{:.0f} ± {:.0f}", e.mean, *e.half_width) : fmt::format("{:.0f}", e.mean);
}

std::string joined(const std::vector<std::string>& names) {
  if (names.size() == 1) return names[0];
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

std::string verdict(const NodeComparison& c, const CellSummary& top) {
  std::vector<std::string> level{top.strategy}, behind;
  for (const CellSummary* cell : c.cells) {
    if (cell != &top) (beats(c, top.strategy, cell->strategy) ? behind : level).push_back(cell->strategy);
  }
  const std::string figure = with_interval(*top.capacity) + " samples/s";
  if (level.size() == 1) return fmt::format("{} has the highest capacity, {}", top.strategy, figure);
  if (behind.empty())
    return fmt::format("{} are indistinguishable by capacity (about {})", joined(level), figure);
  return fmt::format("{} are indistinguishable by capacity (about {}), ahead of {}", joined(level), figure,
                     joined(behind));
}

/// What to do about it.
std::string advice(const NodeComparison& c, const CellSummary& top) {
  if (c.nodes == 1) return " One worker gets every batch: there is nothing to choose.";
  std::vector<std::string> behind;
  for (const CellSummary* cell : c.cells) {
    if (beats(c, top.strategy, cell->strategy)) behind.push_back(cell->strategy);
  }
  if (behind.size() + 1 == c.cells.size()) return fmt::format(" Use {}.", top.strategy);
  if (behind.empty()) return " Any of them will do: choose by latency or by where the data is.";
  return fmt::format(" Use any but {}.", joined(behind));
}

std::string sentence_of(const NodeComparison& c, const CellSummary& top) {
  std::string text = fmt::format("{} node{}: ", c.nodes, c.nodes == 1 ? "" : "s");
  if (c.cells.size() == 1) {
    return text +
           fmt::format("only {} was measured, {} samples/s.", top.strategy, with_interval(*top.capacity));
  }
  text += verdict(c, top);
  std::size_t iterations = SIZE_MAX;
  for (const PairComparison& pair : c.pairs) iterations = std::min(iterations, pair.iterations);
  text += iterations < 2 ? "; that takes two or more valid iterations of each, with the same seeds, to tell."
                         : fmt::format("; {} paired iterations.", iterations) + advice(c, top);
  const bool oversubscribed =
      std::any_of(c.cells.begin(), c.cells.end(), [](const CellSummary* s) { return s->oversubscribed; });
  return oversubscribed ? text + " Oversubscribed: not what that many machines would do." : text;
}

NodeComparison compare(std::uint32_t nodes, const std::vector<Contender>& contenders) {
  NodeComparison c;
  c.nodes = nodes;
  for (const Contender& x : contenders) c.cells.push_back(x.summary);
  c.pairs = compare_pairs(contenders);
  const CellSummary& top =
      **std::max_element(c.cells.begin(), c.cells.end(),
                         [](const auto* a, const auto* b) { return a->capacity->mean < b->capacity->mean; });
  const bool alone_ahead = std::all_of(c.cells.begin(), c.cells.end(), [&](const CellSummary* s) {
    return s == &top || beats(c, top.strategy, s->strategy);
  });
  if (c.cells.size() > 1 && alone_ahead) c.best = top.strategy;
  c.sentence = sentence_of(c, top);
  return c;
}

}  // namespace

std::vector<NodeComparison> compare_strategies(const Sweep& sweep,
                                               const std::vector<CellSummary>& summaries) {
  std::map<std::uint32_t, std::vector<Contender>> by_nodes;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    if (summaries[i].at_max.valid > 0)
      by_nodes[summaries[i].nodes].push_back({&sweep.cells[i], &summaries[i]});
  }
  std::vector<NodeComparison> comparisons;
  for (const auto& [nodes, contenders] : by_nodes) comparisons.push_back(compare(nodes, contenders));
  return comparisons;
}

}  // namespace dp
