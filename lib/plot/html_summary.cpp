// The top of the page, for a reader who reads nothing else. Its sentences are those of dp-summarize and of the
// pictures; nothing is computed here that the tables do not hold.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plot/html.hpp"
#include "plot/html_sections.hpp"
#include "plot/words.hpp"
#include "report/summary_text.hpp"

namespace dp {
namespace {

using Figure = std::optional<double> (*)(const CellSummary&);

struct Range {
  double low, high;
};

std::optional<Range> range_of(const std::vector<const CellSummary*>& cells, Figure figure) {
  std::optional<Range> range;
  for (const CellSummary* cell : cells) {
    const auto x = figure(*cell);
    if (x) range = range ? Range{std::min(range->low, *x), std::max(range->high, *x)} : Range{*x, *x};
  }
  return range;
}

/// The mean where a run met its conditions.
std::optional<double> mean_of(const std::optional<Estimate>& e, const Validity& of) {
  return e && of.valid > 0 ? std::optional(e->mean) : std::nullopt;
}

/// The most nodes that the host had cores for, or simply the most.
std::uint32_t shown_nodes(const std::vector<CellSummary>& cells) {
  std::uint32_t within = 0, most = 0;
  for (const CellSummary& cell : cells) {
    most = std::max(most, cell.nodes);
    if (!cell.oversubscribed) within = std::max(within, cell.nodes);
  }
  return within > 0 ? within : most;
}

std::vector<const CellSummary*> cells_on(const std::vector<CellSummary>& cells, std::uint32_t nodes) {
  std::vector<const CellSummary*> some;
  for (const CellSummary& cell : cells) {
    if (cell.nodes == nodes) some.push_back(&cell);
  }
  return some;
}

std::string tile(const std::string& label, const std::string& figure, const std::string& unit,
                 const std::string& note) {
  return fmt::format("<div class=\"tile\"><dt>{}</dt><dd><b>{}</b> {}<span>{}</span></dd></div>\n",
                     html_escaped(label), html_escaped(figure), html_escaped(unit), html_escaped(note));
}

std::string range_tile(const std::string& label, const std::optional<Range>& range, const char* number_format,
                       const std::string& unit, const std::string& note) {
  if (!range) return "";
  const auto text = [&](double x) { return fmt::format(fmt::runtime(number_format), x); };
  return tile(label, range_text(text(range->low), text(range->high)), unit, note);
}

std::size_t invalid_runs(const Sweep& sweep) {
  return static_cast<std::size_t>(std::count_if(sweep.runs.begin(), sweep.runs.end(),
                                                [](const MeasuredRun& run) { return !run.report.valid; }));
}

std::string latency_tile(const std::vector<const CellSummary*>& cells, const std::string& on) {
  const Figure percentiles[] = {[](const CellSummary& s) { return mean_of(s.p99_ms, s.at_rate); },
                                [](const CellSummary& s) { return mean_of(s.p95_ms, s.at_rate); },
                                [](const CellSummary& s) { return mean_of(s.p50_ms, s.at_rate); }};
  const char* names[] = {"Latency, p99", "Latency, p95", "Latency, median"};
  double rate = 0;
  for (const CellSummary* cell : cells) rate = cell->rate.value_or(rate);
  for (std::size_t i = 0; i < std::size(percentiles); ++i) {
    const auto range = range_of(cells, percentiles[i]);
    if (range)
      return range_tile(names[i], range, "{:.3g}", "ms", fmt::format("at {:.6g} samples/s, {}", rate, on));
  }
  return "";
}

/// Distinct values in the order in which they come, as `listed`.
class Listed {
 public:
  void add(const std::string& value) {
    if (std::find(values_.begin(), values_.end(), value) == values_.end()) values_.push_back(value);
  }
  std::string text() const { return dp::listed(values_); }

 private:
  std::vector<std::string> values_;
};

template <class Get>
std::string listed(const std::vector<ListedRun>& runs, Get get) {
  Listed values;
  for (const ListedRun& run : runs) values.add(get(run));
  return values.text();
}

std::string nodes_sentence(const ReportInputs& inputs) {
  std::set<std::uint32_t> nodes;
  bool one_host = true;
  for (const CellSummary& cell : inputs.cells) {
    nodes.insert(cell.nodes);
    one_host = one_host && cell.one_host;
  }
  Listed numbers;
  for (const std::uint32_t n : nodes) numbers.add(fmt::format("{}", n));
  return fmt::format("{} node{}{}", numbers.text(), nodes == std::set<std::uint32_t>{1} ? "" : "s",
                     one_host ? " (processes of one host)" : "");
}

std::string pair_sentence(std::uint32_t nodes, const PairComparison& pair) {
  const bool first = pair.difference.mean > 0;
  return fmt::format("On {}, {} completes {:.0f}{} samples/s more than {}.", count_text(nodes, "node"),
                     first ? pair.first : pair.second, std::abs(pair.difference.mean),
                     pair.difference.half_width ? fmt::format(" ± {:.0f}", *pair.difference.half_width) : "",
                     first ? pair.second : pair.first);
}

}  // namespace

std::string rate_text(const std::optional<Estimate>& e) {
  if (!e) return "–";
  return e->half_width ? fmt::format("{:.0f} ± {:.0f}", e->mean, *e->half_width)
                       : fmt::format("{:.0f}", e->mean);
}

std::string ms_text(const std::optional<double>& ms) { return ms ? fmt::format("{:.3g}", *ms) : "–"; }

std::string count_text(std::uint64_t n, const char* what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string range_text(std::string low, std::string high) { return low == high ? low : low + "–" + high; }

std::string headline_html(const ReportInputs& inputs) {
  const std::uint32_t nodes = shown_nodes(inputs.cells);
  for (const NodeComparison& c : inputs.comparisons) {
    if (c.nodes == nodes) return html_escaped(c.sentence);
  }
  return "No strategy was measured validly at full speed: there is nothing to recommend.";
}

std::string measured_html(const ReportInputs& inputs) {
  const auto runs = listed_runs(inputs.sweep);
  const auto first = std::min_element(runs.begin(), runs.end(), [](const ListedRun& a, const ListedRun& b) {
    return a.run->report.started_utc < b.run->report.started_utc;
  });
  const std::string modes = listed(runs, [](const ListedRun& r) {
    const RunReport& report = r.run->report;
    return report.rates.requested ? fmt::format("at {:.6g} samples/s", *report.rates.requested)
                                  : std::string("as fast as possible");
  });
  const auto samples = [](const ListedRun& r) { return fmt::format("{}", r.run->report.samples.announced); };
  const std::string others =
      inputs.other_rates.empty()
          ? ""
          : fmt::format(" Runs at {} are in the throughput–latency picture, and in none at one rate.",
                        inputs.other_rates);
  return html_escaped(
      fmt::format("{} of {} samples each: {} on {}, {}. Data: {}. Backend: {}. First run started {}.{}",
                  count_text(runs.size(), "run"), listed(runs, samples),
                  listed(runs, [](const ListedRun& r) { return r.cell->strategy; }), nodes_sentence(inputs),
                  modes, listed(runs, [](const ListedRun& r) { return r.run->report.data.name; }),
                  listed(runs, [](const ListedRun& r) { return r.run->report.backend; }),
                  first->run->report.started_utc, others));
}

/// Those of the strategies with a valid capacity on the fewest nodes that any has one on.
std::vector<const CellSummary*> scaled(const std::vector<CellSummary>& all,
                                       std::vector<const CellSummary*> cells) {
  const auto measured = [](const CellSummary& s) { return s.capacity && s.at_max.valid > 0; };
  std::uint32_t base = UINT32_MAX;
  for (const CellSummary& s : all) base = measured(s) ? std::min(base, s.nodes) : base;
  std::erase_if(cells, [&](const CellSummary* cell) {
    return std::none_of(all.begin(), all.end(), [&](const CellSummary& s) {
      return s.strategy == cell->strategy && s.nodes == base && measured(s);
    });
  });
  return cells;
}

std::string tiles_html(const ReportInputs& inputs) {
  const std::uint32_t nodes = shown_nodes(inputs.cells);
  const auto cells = cells_on(inputs.cells, nodes);
  std::string on = "on " + count_text(nodes, "node");
  if (cells.front()->oversubscribed) on += ", oversubscribed";
  const std::size_t all = inputs.sweep.runs.size(), invalid = invalid_runs(inputs.sweep);
  std::string html =
      range_tile("Capacity",
                 range_of(cells, [](const CellSummary& s) { return mean_of(s.capacity, s.at_max); }),
                 "{:.0f}", "samples/s", on) +
      latency_tile(cells, on);
  if (nodes > 1) {
    html += range_tile("Speed-up",
                       range_of(scaled(inputs.cells, cells),
                                [](const CellSummary& s) { return mean_of(s.speedup, s.at_max); }),
                       "{:.2f}", "×", on + ", against the fewest measured");
  }
  html +=
      range_tile("Cost of a million samples",
                 range_of(cells, [](const CellSummary& s) { return mean_of(s.cost_per_million, s.at_max); }),
                 "{:.4g}", "", "at capacity, in the unit of the price");
  html += range_tile("Top-1 accuracy", range_of(cells, [](const CellSummary& s) { return s.top1; }), "{:.4f}",
                     "", "of the timed predictions");
  return html + tile("Valid runs", fmt::format("{} of {}", all - invalid, all), "",
                     invalid == 0 ? "every sample accounted for" : "the others are marked below");
}

std::string advice_html(const ReportInputs& inputs) {
  std::vector<std::string> sentences;
  for (const NodeComparison& c : inputs.comparisons) sentences.push_back(c.sentence);
  if (sentences.empty()) sentences.push_back("Nothing to compare: no valid run as fast as possible.");
  return html_list(sentences);
}

std::string confidence_html(const ReportInputs& inputs) {
  std::size_t fewest = SIZE_MAX, most = 0;
  for (const CellSummary& cell : inputs.cells) {
    for (const Validity& validity : {cell.at_rate, cell.at_max}) {
      if (validity.runs == 0) continue;
      fewest = std::min(fewest, validity.valid);
      most = std::max(most, validity.valid);
    }
  }
  std::vector<std::string> sentences{
      fmt::format("Each figure rests on {} valid iteration{}.",
                  range_text(fmt::format("{}", fewest), fmt::format("{}", most)), most == 1 ? "" : "s")};
  sentences.push_back(most < 2
                          ? "One iteration has no interval: measure two or more to know how far chance goes."
                          : "± is half of a 95 % confidence interval over the iterations (Student t).");
  sentences.push_back(
      "Strategies are compared in pairs on the same batches and schedule; a difference counts only where its "
      "interval excludes zero after Holm's correction.");
  for (const std::string& note : summary_notes(inputs.sweep, inputs.cells)) sentences.push_back(note);
  return html_list(sentences);
}

std::string worth_html(const ReportInputs& inputs) {
  std::vector<std::string> sentences;
  for (const NodeComparison& c : inputs.comparisons) {
    for (const PairComparison& pair : c.pairs) {
      if (pair.difference.significant) sentences.push_back(pair_sentence(c.nodes, pair));
    }
  }
  if (sentences.empty())
    sentences.push_back("No choice of strategy gained capacity that these runs can tell from chance.");
  const auto costs = cost_sentences(inputs.cells);
  if (costs.empty()) {
    sentences.push_back(
        "Costs are not known: repeat with PRICE=…, what an hour of a node costs, to see them.");
    return html_list(sentences);
  }
  return html_list(sentences) + "<p>" + html_escaped(cost_heading) + "</p>\n" + html_list(costs);
}

}  // namespace dp
