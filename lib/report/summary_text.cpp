// Lays out the summary; widths are in characters, not bytes (fmt counts code points).
// SPDX-License-Identifier: MIT
#include "report/summary_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/options.hpp"

namespace dp {
namespace {

constexpr std::size_t width = 100;
constexpr const char* row_format = "{:<{}} {:>6}  {:>15}  {:>8}  {:>26}  {:>9}  {:>6}  {:>5}\n";
constexpr const char* nothing = "–";

std::string with_interval(const std::optional<Estimate>& e) {
  if (!e) return nothing;
  return e->half_width ? fmt::format("{:.0f} ± {:.0f}", e->mean, *e->half_width)
                       : fmt::format("{:.0f}", e->mean);
}

std::string milliseconds(const std::optional<Estimate>& e) {
  return e ? fmt::format("{:.{}f}", e->mean, e->mean < 100 ? 1 : 0) : nothing;
}

std::string fraction(const std::optional<double>& x) { return x ? fmt::format("{:.4f}", *x) : nothing; }

/// Breaks a sentence at spaces so that no line is longer than `width`.
std::string wrapped(const std::string& sentence) {
  std::string text, line;
  for (const std::string& word : split(sentence, ' ')) {
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      text += line + "\n";
      line = "  " + word;
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
  }
  return text + line + "\n";
}

std::size_t name_width(const std::vector<CellSummary>& cells) {
  std::size_t longest = 8;
  for (const CellSummary& s : cells) longest = std::max(longest, s.strategy.size());
  return longest;
}

std::string latencies(const std::string& p50, const std::string& p95, const std::string& p99) {
  return fmt::format("{:>8} {:>8} {:>8}", p50, p95, p99);
}

std::string latencies(const CellSummary& s) {
  if (s.overloaded) return "overloaded";
  return latencies(milliseconds(s.p50_ms), milliseconds(s.p95_ms), milliseconds(s.p99_ms));
}

std::string row_of(const CellSummary& s, std::size_t names) {
  const std::string nodes = fmt::format("{}{}", s.nodes, s.oversubscribed ? "*" : " ");
  const std::string valid = fmt::format("{}/{}", s.valid(), s.runs());
  const std::string speedup = s.speedup ? fmt::format("{:.2f}", s.speedup->mean) : nothing;
  const std::string completed = s.throughput ? fmt::format("{:.0f}", s.throughput->mean) : nothing;
  return fmt::format(fmt::runtime(row_format), s.strategy, names, nodes, with_interval(s.capacity), speedup,
                     latencies(s), completed, fraction(s.top1), valid);
}

std::string header(const std::vector<CellSummary>& cells, std::size_t names) {
  std::string at;
  for (const CellSummary& s : cells) {
    if (s.rate) at = fmt::format("at {:.6g}/s", *s.rate);
  }
  return fmt::format(fmt::runtime(row_format), "strategy", names, "nodes ", "capacity ± 95 %", "speed-up",
                     latencies("p50", "p95", "p99"), "completed", "top-1", "valid") +
         fmt::format(fmt::runtime(row_format), "", names, "", "samples/s", "", latencies("ms", "ms", "ms"),
                     at, "", "runs");
}

template <class Member>
bool any(const std::vector<CellSummary>& cells, Member member) {
  return std::any_of(cells.begin(), cells.end(), [&](const CellSummary& s) { return s.*member; });
}

/// Verdicts that were not met, with how many runs each spoiled; nothing when all runs are valid.
void add_invalid(const Sweep& sweep, std::vector<std::string>& notes) {
  std::map<std::string, std::size_t> reasons;
  std::size_t invalid = 0;
  for (const MeasuredRun& run : sweep.runs) {
    if (run.report.valid) continue;
    ++invalid;
    for (const Verdict& v : run.report.verdicts) {
      if (!v.ok) ++reasons[v.criterion];
    }
  }
  if (invalid == 0) return;
  std::vector<std::string> parts;
  for (const auto& [criterion, count] : reasons) parts.push_back(fmt::format("{} ({})", criterion, count));
  notes.push_back(
      fmt::format("{} of {} runs are INVALID: {}. Their figures count only where a row has no valid run.",
                  invalid, sweep.runs.size(), fmt::join(parts, ", ")));
}

/// Names what differs between runs although it should not matter; two machines or builds are no sweep.
void add_mixture(const Sweep& sweep, std::vector<std::string>& notes) {
  std::set<std::string> builds, hosts;
  for (const MeasuredRun& run : sweep.runs) {
    builds.insert(run.report.versions.git + (run.report.versions.dirty ? " (dirty)" : ""));
    hosts.insert(run.report.host.cpu);
  }
  if (builds.size() > 1)
    notes.push_back(fmt::format("The runs come from different builds: {}.", fmt::join(builds, ", ")));
  if (hosts.size() > 1)
    notes.push_back(fmt::format("The runs come from different machines: {}.", fmt::join(hosts, ", ")));
}

}  // namespace

std::vector<std::string> cost_sentences(const std::vector<CellSummary>& cells) {
  std::map<std::string, std::vector<std::string>> by_strategy;
  std::vector<std::string> order, sentences;
  for (const CellSummary& s : cells) {
    if (!s.cost_per_million) continue;
    auto& line = by_strategy[s.strategy];
    if (line.empty()) order.push_back(s.strategy);
    const Estimate& cost = *s.cost_per_million;
    line.push_back(fmt::format("{} node{}{} {:.4g}{}", s.nodes, s.nodes == 1 ? "" : "s",
                               s.oversubscribed ? "*" : "", cost.mean,
                               cost.half_width ? fmt::format(" ± {:.2g}", *cost.half_width) : ""));
  }
  for (const std::string& strategy : order)
    sentences.push_back(fmt::format("{}: {}", strategy, fmt::join(by_strategy[strategy], ", ")));
  return sentences;
}

std::vector<std::string> summary_notes(const Sweep& sweep, const std::vector<CellSummary>& cells) {
  std::vector<std::string> notes;
  if (any(cells, &CellSummary::oversubscribed)) {
    notes.push_back(
        "* oversubscribed: more threads than cores; the row shows this host's limit, not the strategy's.");
  }
  if (any(cells, &CellSummary::overloaded)) {
    notes.push_back(
        "overloaded: the rate is above capacity, the queue grew, and no latency is a property of the "
        "system.");
  }
  if (any(cells, &CellSummary::coupled)) {
    notes.push_back(
        "Some runs were coupled: a full buffer let one worker hold up the others (column coupled).");
  }
  if (any(cells, &CellSummary::one_host)) notes.push_back("Nodes are processes of one host.");
  add_invalid(sweep, notes);
  add_mixture(sweep, notes);
  return notes;
}

std::string summary_text(const Sweep& sweep, const std::vector<CellSummary>& cells,
                         const std::vector<NodeComparison>& comparisons) {
  const std::size_t names = name_width(cells);
  std::string text = header(cells, names);
  for (const CellSummary& s : cells) text += row_of(s, names);
  text += "\n";
  for (const NodeComparison& c : comparisons) text += wrapped(c.sentence);
  const auto costs = cost_sentences(cells);
  if (!costs.empty()) text += std::string(cost_heading) + "\n";
  for (const std::string& cost : costs) text += wrapped("  " + cost);
  for (const std::string& note : summary_notes(sweep, cells)) text += wrapped(note);
  return text;
}

}  // namespace dp
