// Tables of the page: a row a cell, a row a comparison, a row a run.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "plot/html.hpp"
#include "plot/html_sections.hpp"

namespace dp {
namespace {

HtmlCell number_cell(const std::string& text) { return {html_escaped(text), true}; }

std::string badge(const char* kind, const std::string& text) {
  return fmt::format(" <span class=\"badge {}\">{}</span>", kind, html_escaped(text));
}

std::string strategy_html(const std::string& name) {
  return fmt::format("<b class=\"strategy\">{}</b>", html_escaped(name));
}

std::optional<double> mean_ms(const std::optional<Estimate>& e) {
  return e ? std::optional(e->mean) : std::nullopt;
}

std::string percent_text(const std::optional<double>& fraction, int digits = 0) {
  return fraction ? fmt::format("{:.{}f} %", 100 * *fraction, digits) : "–";
}

std::string valid_html(const CellSummary& cell) {
  std::string html = fmt::format("{} of {}", cell.valid(), cell.runs());
  if (cell.valid() < cell.runs()) html += badge(cell.valid() == 0 ? "bad" : "warn", "INVALID");
  if (cell.oversubscribed) html += badge("note", "oversubscribed");
  if (cell.overloaded) html += badge("warn", "overloaded");
  if (cell.coupled) html += badge("note", "coupled");
  return html;
}

HtmlRow cell_row(const CellSummary& s, bool costs) {
  HtmlRow row{{{strategy_html(s.strategy)},
               number_cell(fmt::format("{}", s.nodes)),
               number_cell(rate_text(s.capacity)),
               number_cell(s.speedup ? fmt::format("{:.2f}", s.speedup->mean) : "–"),
               number_cell(percent_text(s.efficiency)),
               number_cell(rate_text(s.throughput)),
               number_cell(s.overloaded ? "–" : ms_text(mean_ms(s.p50_ms))),
               number_cell(s.overloaded ? "–" : ms_text(mean_ms(s.p95_ms))),
               number_cell(s.overloaded ? "–" : ms_text(mean_ms(s.p99_ms))),
               number_cell(s.cpu_percent ? fmt::format("{:.0f} %", s.cpu_percent->mean) : "–"),
               number_cell(s.memory_mb ? fmt::format("{:.0f}", s.memory_mb->mean) : "–"),
               number_cell(s.top1 ? fmt::format("{:.4f}", *s.top1) : "–")},
              s.oversubscribed ? "pale" : ""};
  if (costs)
    row.cells.push_back(
        number_cell(s.cost_per_million ? fmt::format("{:.4g}", s.cost_per_million->mean) : "–"));
  row.cells.push_back({valid_html(s)});
  return row;
}

std::string difference_text(const std::optional<Difference>& d, const char* unit, const char* number_format) {
  if (!d) return "–";
  const auto text = [&](double x) { return fmt::format(fmt::runtime(number_format), x); };
  const std::string half = d->half_width ? fmt::format(" ± {}", text(*d->half_width)) : "";
  return fmt::format("{}{}{} {}", d->mean > 0 ? "+" : "", text(d->mean), half, unit);
}

std::string finding_html(const std::optional<Difference>& d) {
  if (!d) return "";
  return d->significant ? badge("good", "distinguishable") : badge("note", "indistinguishable");
}

HtmlRow pair_row(std::uint32_t nodes, const PairComparison& p) {
  const auto cell = [](const std::optional<Difference>& d, const char* unit, const char* number_format) {
    return HtmlCell{html_escaped(difference_text(d, unit, number_format)) + finding_html(d)};
  };
  return {{number_cell(fmt::format("{}", nodes)),
           {strategy_html(p.first) + " less " + strategy_html(p.second)},
           number_cell(fmt::format("{}", p.iterations)),
           cell(p.difference, "samples/s", "{:.0f}"),
           cell(p.p99_ms, "ms", "{:.2f}"),
           cell(p.data_moved, "MB", "{:.1f}")}};
}

std::string load_text(const RunReport& r) {
  return r.rates.requested ? fmt::format("{:.6g}/s", *r.rates.requested) : "max";
}

/// A percentile that enough batches support, in a run that kept up.
std::string percentile_text(const RunReport& r, std::optional<double> Latency::*value,
                            bool PerPercentile<bool>::*supported) {
  if (r.overloaded || r.rate_mode == "max" || !(r.latency_ms.supported.*supported)) return "–";
  return ms_text(r.latency_ms.*value);
}

std::string status_html(const RunReport& r) {
  std::string html = r.valid ? badge("good", "valid") : badge("bad", "INVALID");
  if (r.overloaded) html += badge("warn", "overloaded");
  if (r.coupled) html += badge("note", "coupled");
  if (r.steady_state.steady == false) html += badge("warn", "not steady");
  for (const Verdict& v : r.slo)
    html += badge(v.ok ? "good" : "warn", v.criterion + (v.ok ? " kept" : " missed"));
  return html;
}

std::string reason_html(const Verdict& v) {
  return fmt::format("<b>{}</b>: {}; required {}.{}", html_escaped(v.criterion), html_escaped(v.observed),
                     html_escaped(v.required),
                     v.remedy.empty() ? "" : " <span class=\"remedy\">" + html_escaped(v.remedy) + "</span>");
}

/// A row below a run's, as wide as the table.
HtmlRow told_row(const std::string& html) {
  return {{{fmt::format("<div class=\"told\">{}</div>", html), false, 12}}, "reason"};
}

void add_run(const ListedRun& listed, std::vector<HtmlRow>& rows) {
  const RunReport& r = listed.run->report;
  HtmlRow row{
      {{strategy_html(r.strategy)},
       number_cell(fmt::format("{}", r.nodes)),
       number_cell(load_text(r)),
       number_cell(listed.iteration->seed),
       number_cell(fmt::format("{:.0f}", r.rates.completed)),
       number_cell(percentile_text(r, &Latency::p50, &PerPercentile<bool>::p50)),
       number_cell(percentile_text(r, &Latency::p95, &PerPercentile<bool>::p95)),
       number_cell(percentile_text(r, &Latency::p99, &PerPercentile<bool>::p99)),
       number_cell(r.accuracy.top1 ? fmt::format("{:.4f}", *r.accuracy.top1) : "–"),
       number_cell(r.host.steal_percent.during ? fmt::format("{:.1f} %", *r.host.steal_percent.during) : "–"),
       {status_html(r)},
       {"<code>" + html_escaped(std::filesystem::path(listed.run->file).filename().string()) + "</code>"}},
      r.valid ? "" : "invalid"};
  rows.push_back(std::move(row));
  for (const auto* verdicts : {&r.verdicts, &r.slo}) {
    for (const Verdict& v : *verdicts) {
      if (!v.ok) rows.push_back(told_row(reason_html(v)));
    }
  }
  for (const RunEvent& event : r.events) {
    rows.push_back(told_row(fmt::format("{:.1f} s: {}", event.t_s, html_escaped(event.what))));
  }
}

HtmlCell head(const char* title, bool numeric = true) { return {title, numeric}; }

}  // namespace

std::vector<ListedRun> listed_runs(const Sweep& sweep) {
  std::vector<ListedRun> runs;
  for (const Cell& cell : sweep.cells) {
    for (const Repetitions* repetitions : {&cell.at_rate, &cell.at_max}) {
      for (const auto& [iteration, run] : *repetitions) runs.push_back({&cell, &iteration, run});
    }
  }
  return runs;
}

std::string cells_html(const ReportInputs& inputs) {
  bool costs = false;
  for (const CellSummary& cell : inputs.cells) costs = costs || cell.cost_per_million;
  HtmlTable table{"cells",
                  "Each strategy on each number of nodes, mean over iterations",
                  {head("strategy", false), head("nodes"), head("capacity,<br>samples/s"), head("speed-up"),
                   head("efficiency"), head("completed<br>at the rate"), head("p50,<br>ms"),
                   head("p95,<br>ms"), head("p99,<br>ms"), head("CPU"), head("memory,<br>MB"), head("top-1")},
                  {}};
  if (costs) table.head.push_back(head("cost of<br>a million"));
  table.head.push_back(head("valid runs", false));
  for (const CellSummary& cell : inputs.cells) table.rows.push_back(cell_row(cell, costs));
  return html_table(table);
}

std::string comparisons_html(const ReportInputs& inputs) {
  HtmlTable table{"comparisons",
                  "Strategies in pairs, by iteration",
                  {head("nodes"), head("pair", false), head("iterations"), head("capacity at max", false),
                   head("p99 at the rate", false), head("data moved", false)},
                  {}};
  for (const NodeComparison& c : inputs.comparisons) {
    for (const PairComparison& pair : c.pairs) table.rows.push_back(pair_row(c.nodes, pair));
  }
  if (table.rows.empty()) return "<p>There is no pair to compare.</p>\n";
  return html_table(table);
}

std::string runs_html(const ReportInputs& inputs) {
  HtmlTable table{
      "runs",
      "Every run, and what was not met",
      {head("strategy", false), head("nodes"), head("load"), head("seed"), head("completed,<br>samples/s"),
       head("p50,<br>ms"), head("p95,<br>ms"), head("p99,<br>ms"), head("top-1"), head("CPU time<br>stolen"),
       head("verdict", false), head("file", false)},
      {}};
  for (const ListedRun& run : listed_runs(inputs.sweep)) add_run(run, table.rows);
  return html_table(table);
}

}  // namespace dp
