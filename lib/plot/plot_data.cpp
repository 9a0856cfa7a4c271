// SPDX-License-Identifier: MIT
#include "plot/plot_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/file.hpp"
#include "plot/words.hpp"
#include "report/tables.hpp"

namespace dp {
namespace {

using RunsByRate = std::map<double, std::vector<MeasuredRun>>;

bool is_open(const MeasuredRun& run) { return run.report.rate_mode == "open"; }

RunsByRate open_runs(const std::vector<MeasuredRun>& runs) {
  RunsByRate by_rate;
  for (const MeasuredRun& run : runs) {
    if (is_open(run)) by_rate[run.report.rates.requested.value_or(0)].push_back(run);
  }
  return by_rate;
}

/// The rate of the pictures that show one.
double main_rate(const RunsByRate& by_rate) {
  const auto rank = [](const auto& entry) {
    const bool keeps_up = std::none_of(entry.second.begin(), entry.second.end(),
                                   [](const MeasuredRun& run) { return run.report.overloaded; });
    return std::tuple(entry.second.size(), keeps_up, entry.first);
  };
  const auto best = std::max_element(by_rate.begin(), by_rate.end(),
                                     [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return best->first;
}

/// "250, 500 and 1500 samples/s".
std::string rates_but(double rate, const RunsByRate& by_rate) {
  std::vector<std::string> rates;
  for (const auto& [other, runs] : by_rate) {
    if (other != rate) rates.push_back(fmt::format("{:.6g}", other));
  }
  return listed(rates) + " samples/s";
}

std::vector<PlotCell> cells_of(const Sweep& sweep) {
  return plot_cells(averaged_results(summarize_cells(sweep)), "the runs");
}

std::vector<PlotCell> cells_of_each(const RunsByRate& by_rate) {
  std::vector<PlotCell> cells;
  for (const auto& [rate, runs] : by_rate) {
    const auto of_rate = cells_of(group_runs(runs));
    cells.insert(cells.end(), of_rate.begin(), of_rate.end());
  }
  return cells;
}

}  // namespace

PlotData plot_data_of(std::vector<MeasuredRun> runs, const std::filesystem::path& events) {
  check_comparable(runs, RatesMay::differ);
  PlotData data;
  data.shown = shown_run(runs, events);
  const RunsByRate by_rate = open_runs(runs);
  if (by_rate.size() > 1) {
    data.all_rates = cells_of_each(by_rate);
    const double rate = main_rate(by_rate);
    data.other_rates = rates_but(rate, by_rate);
    std::erase_if(runs,
                  [&](const MeasuredRun& run) { return is_open(run) && run.report.rates.requested != rate; });
  }
  if (!data.shown->times) data.shown = shown_run(runs, {});  // of the rate that the others show
  data.sweep = group_runs(std::move(runs));
  data.cells = cells_of(*data.sweep);
  return data;
}

bool is_table(const std::vector<std::string>& arguments) {
  return arguments.size() == 1 && arguments.front().ends_with(".csv");
}

PlotData read_plot_data(const std::vector<std::string>& arguments, const std::filesystem::path& events) {
  const std::string& first = arguments.front();
  if (!is_table(arguments)) return plot_data_of(load_runs(arguments), events);
  PlotData data;
  data.cells = plot_cells(parse_csv(read_text(first), first), first);
  return data;
}

}  // namespace dp
