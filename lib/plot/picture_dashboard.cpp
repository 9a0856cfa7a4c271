// streaming_comprehensive_dashboard: a whole sweep on one sheet.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "plot/findings.hpp"
#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"
#include "report/comparison.hpp"

namespace dp {
namespace {

constexpr std::size_t panel_width = 380;  ///< px

/// The highest mean capacity of each node count, and the strategy that is proven best there, if one is.
PlotJson best_rows(const std::optional<Sweep>& sweep, std::size_t strategies) {
  PlotJson rows = PlotJson::array();
  if (!sweep || strategies == 1) return rows;
  const auto summaries = summarize_cells(*sweep);
  for (const NodeComparison& n : compare_strategies(*sweep, summaries)) {
    double most = 0;
    for (const CellSummary* c : n.cells) most = std::max(most, c->capacity->mean);
    rows.push_back({{"nodes_label", fmt::format("{}", n.nodes)},
                    {"strategy", n.best},
                    {"value", most},
                    {"name", n.best.empty() ? "undecided" : n.best},
                    {"sentence", n.sentence}});
  }
  return rows;
}

/// Of runs that stand.
std::vector<double> numbers(const std::vector<PlotCell>& cells, const std::string& strategy,
                            CellFigure figure, State (*state)(const PlotCell&)) {
  std::vector<double> found;
  for (const PlotCell& c : cells) {
    if (c.strategy == strategy && c.*figure && stands(state(c))) found.push_back(*(c.*figure));
  }
  return found;
}

std::string most(const std::vector<double>& x) {
  return x.empty() ? "–" : number_text(*std::max_element(x.begin(), x.end()));
}
std::string least(const std::vector<double>& x) {
  return x.empty() ? "–" : number_text(*std::min_element(x.begin(), x.end()));
}
std::string mean(const std::vector<double>& x) {
  double sum = 0;
  for (double value : x) sum += value;
  return x.empty() ? "–" : number_text(sum / static_cast<double>(x.size()));
}

/// Efficiencies above the smallest node count, where it is 1 by definition.
std::vector<double> efficiencies(const std::vector<PlotCell>& cells, const std::string& strategy) {
  std::vector<PlotCell> larger = scaled_cells(cells);
  if (larger.empty()) return {};
  std::erase_if(larger, [base = nodes_of(larger).front()](const PlotCell& c) { return c.nodes == base; });
  auto found = numbers(larger, strategy, &PlotCell::efficiency, state_at_max);
  for (double& x : found) x *= 100;
  return found;
}

PlotJson statistics_rows(const std::vector<PlotCell>& cells) {
  PlotJson rows = PlotJson::array();
  for (const std::string& s : strategies_of(cells)) {
    const auto capacity = numbers(cells, s, &PlotCell::capacity, state_at_max);
    const auto add = [&](const char* column, const std::string& text) {
      rows.push_back({{"strategy", s}, {"column", column}, {"text", text}});
    };
    add("max capacity|samples/s", most(capacity));
    add("min capacity|samples/s", least(capacity));
    add("max|efficiency %", most(efficiencies(cells, s)));
    add("mean CPU|% of a core", mean(numbers(cells, s, &PlotCell::cpu_percent, state_at_rate)));
    add("mean memory|MB", mean(numbers(cells, s, &PlotCell::memory_mb, state_at_rate)));
  }
  return rows;
}

PlotJson efficiency_rows(const std::vector<PlotCell>& cells, const Sheet& sheet) {
  const auto scaled = scaled_cells(cells);
  PlotJson rows = nodes_of(scaled).size() < 2 ? PlotJson::array()
                                              : figure_rows(scaled, efficiency_percent, state_at_max, "%");
  sheet.set_apart(rows);
  return rows;
}

std::string explanation(const std::vector<PlotCell>& cells, const PlotJson& marks, bool compared) {
  std::string text = "Capacity and efficiency: as fast as possible. ";
  if (const std::string rate = at_rate_text(cells); !rate.empty())
    text += rate + "CPU (100 %: one core) and memory of all processes. ";
  if (compared)
    text +=
        "Undecided: no strategy whose advantage over every other excludes zero (paired, Holm-corrected). ";
  const std::string iterations = iterations_text(cells, &PlotCell::runs_at_max);
  return text + "Each figure: " + iterations + "." + notes_on(marks, "marks");
}

}  // namespace

std::vector<Picture> dashboard_picture(const PlotData& data, const Templates& templates) {
  const auto cells = cells_at_max(data.cells);
  if (cells.empty()) return {};
  Sheet sheet(cells, templates);
  PlotJson capacity =
      figure_rows(cells, &PlotCell::capacity, &PlotCell::capacity_ci95, state_at_max, "samples/s");
  PlotJson cpu =
      figure_rows(cells, &PlotCell::cpu_percent, &PlotCell::cpu_percent_ci95, state_at_rate, "% of a core");
  PlotJson memory = figure_rows(cells, &PlotCell::memory_mb, &PlotCell::memory_mb_ci95, state_at_rate, "MB");
  PlotJson efficiency = efficiency_rows(cells, sheet),
           best = best_rows(data.sweep, sheet.strategies().size());
  PlotJson marks = capacity;
  marks.insert(marks.end(), cpu.begin(), cpu.end());
  sheet.groups(0, panel_width);
  sheet.title(throughput_finding(cells), explanation(cells, marks, !best.empty()), 2 * panel_width + 60);
  sheet.set("$has_best", !best.empty());
  sheet.set("$has_resources", !cpu.empty() && !memory.empty());
  sheet.set("$has_efficiency", !efficiency.empty());
  sheet.set("$panel_height", 190);
  sheet.set("$table_height", std::max<std::size_t>(60, 20 * sheet.strategies().size()));
  sheet.set("$statistics", statistics_rows(cells));
  sheet.set("$best", std::move(best));
  sheet.set("$capacity", std::move(capacity));
  sheet.set("$cpu", std::move(cpu));
  sheet.set("$memory", std::move(memory));
  sheet.set("$efficiency", std::move(efficiency));
  return {templates.fill("streaming_comprehensive_dashboard", "streaming_comprehensive_dashboard",
                         sheet.values())};
}

}  // namespace dp
