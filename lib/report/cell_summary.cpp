// Figures of each cell over its iterations.
// SPDX-License-Identifier: MIT
#include "report/cell_summary.hpp"

#include <algorithm>

#include "stats/summary.hpp"

namespace dp {
namespace {

/// The values of `figure` over the runs that have one.
template <class Figure>
std::vector<double> values_of(const std::vector<const MeasuredRun*>& runs, Figure figure) {
  std::vector<double> values;
  for (const MeasuredRun* run : runs) {
    if (const std::optional<double> value = figure(run->report)) values.push_back(*value);
  }
  return values;
}

template <class Figure>
std::optional<double> mean_over(const std::vector<const MeasuredRun*>& runs, Figure figure) {
  const std::vector<double> values = values_of(runs, figure);
  return values.empty() ? std::nullopt : std::optional(mean_of(values));
}

std::optional<double> completed_rate(const RunReport& r) { return r.rates.completed; }

template <class Flag>
bool any(const std::vector<const MeasuredRun*>& runs, Flag flag) {
  return std::any_of(runs.begin(), runs.end(), [&](const MeasuredRun* run) { return run->report.*flag; });
}

Validity validity_of(const Repetitions& repetitions) {
  Validity v;
  for (const auto& [iteration, run] : repetitions) {
    ++v.runs;
    v.valid += run->report.valid ? 1 : 0;
  }
  return v;
}

/// A percentile is stated only when every run that counts supports it.
std::optional<Estimate> percentile(const std::vector<const MeasuredRun*>& runs,
                                   std::optional<double> Latency::*value,
                                   bool PerPercentile<bool>::*supported) {
  const auto all = std::all_of(runs.begin(), runs.end(), [&](const MeasuredRun* run) {
    return run->report.latency_ms.supported.*supported;
  });
  if (!all) return std::nullopt;
  return estimate_of(values_of(runs, [&](const RunReport& r) { return r.latency_ms.*value; }));
}

void add_latencies(CellSummary& s, const std::vector<const MeasuredRun*>& runs) {
  if (s.overloaded) return;
  s.mean_ms = estimate_of(values_of(runs, [](const RunReport& r) { return r.latency_ms.mean; }));
  s.p50_ms = percentile(runs, &Latency::p50, &PerPercentile<bool>::p50);
  s.p95_ms = percentile(runs, &Latency::p95, &PerPercentile<bool>::p95);
  s.p99_ms = percentile(runs, &Latency::p99, &PerPercentile<bool>::p99);
}

void add_figures_at_rate(CellSummary& s, const std::vector<const MeasuredRun*>& runs) {
  s.rate = mean_over(runs, [](const RunReport& r) { return r.rates.requested; });
  s.throughput = estimate_of(values_of(runs, completed_rate));
  s.overloaded = any(runs, &RunReport::overloaded);
  add_latencies(s, runs);
  s.cpu_percent = estimate_of(values_of(runs, cpu_percent_of));
  s.memory_mb = estimate_of(values_of(runs, memory_mb_of));
  s.duration_s = mean_over(runs, [](const RunReport& r) { return std::optional(r.duration_s); });
  for (const MeasuredRun* run : runs) {
    const Streams streams = streams_of(run->report);
    s.total_inferences += run->report.samples.completed;
    s.successful_streams += streams.successful;
    s.failed_streams += streams.failed;
  }
  if (const std::uint64_t streams = s.successful_streams + s.failed_streams; streams > 0) {
    s.success_percent = 100.0 * static_cast<double>(s.successful_streams) / static_cast<double>(streams);
  }
}

void add_outliers(CellSummary& s, const std::vector<const MeasuredRun*>& runs) {
  for (std::size_t i : outliers_of(values_of(runs, completed_rate))) s.outliers.push_back(runs[i]->file);
}

bool on_one_host(const std::vector<const MeasuredRun*>& runs) {
  return std::all_of(runs.begin(), runs.end(), [](const MeasuredRun* run) { return run->report.one_host; });
}

CellSummary summarize(const Cell& cell) {
  CellSummary s;
  s.strategy = cell.strategy;
  s.nodes = cell.nodes;
  s.at_rate = validity_of(cell.at_rate);
  s.at_max = validity_of(cell.at_max);
  const auto at_rate = counted(cell.at_rate), at_max = counted(cell.at_max);
  auto both = at_rate;
  both.insert(both.end(), at_max.begin(), at_max.end());
  add_figures_at_rate(s, at_rate);
  s.capacity = estimate_of(values_of(at_max, completed_rate));
  const auto& fullest = at_max.empty() ? at_rate : at_max;
  s.load_balancing_efficiency =
      mean_over(fullest, [](const RunReport& r) { return r.balance.load_balancing_efficiency; });
  s.data_moved = estimate_of(values_of(fullest, [](const RunReport& r) { return r.data_moved_mb; }));
  s.top1 = mean_over(both, [](const RunReport& r) { return r.accuracy.top1; });
  s.agreement = mean_over(both, [](const RunReport& r) { return r.accuracy.agreement; });
  s.oversubscribed = any(both, &RunReport::oversubscribed);
  s.coupled = any(both, &RunReport::coupled);
  s.one_host = on_one_host(both);
  add_outliers(s, at_rate);
  add_outliers(s, at_max);
  return s;
}

/// Ratios of completed rate, iteration by iteration, over the iterations valid in both.
std::vector<double> paired_ratios(const Repetitions& cell, const Repetitions& base) {
  std::vector<double> ratios;
  for (const auto& [iteration, run] : cell) {
    const auto other = base.find(iteration);
    if (other == base.end() || !run->report.valid || !other->second->report.valid) continue;
    ratios.push_back(run->report.rates.completed / other->second->report.rates.completed);
  }
  return ratios;
}

void add_speedup(CellSummary& s, const Cell& cell, const CellSummary& base, const Cell& base_cell) {
  if (s.at_max.valid == 0 || base.at_max.valid == 0 || base.capacity->mean == 0) return;
  s.speedup.emplace();
  s.speedup->mean = s.capacity->mean / base.capacity->mean;
  if (&cell != &base_cell) {
    s.speedup->values = paired_ratios(cell.at_max, base_cell.at_max);
    s.speedup->half_width = ci_half_width(s.speedup->values);
  }
  s.efficiency = s.speedup->mean * static_cast<double>(base.nodes) / static_cast<double>(s.nodes);
}

/// A million samples keep all nodes busy for 1e6 ÷ capacity seconds.
void add_cost(CellSummary& s, double price_per_node_hour) {
  if (!s.capacity) return;
  std::vector<double> costs;
  for (const double capacity : s.capacity->values) {
    if (capacity > 0) costs.push_back(price_per_node_hour * s.nodes * 1e6 / capacity / 3600);
  }
  s.cost_per_million = estimate_of(std::move(costs));
}

template <class Part>
std::optional<double> sum_over_processes(const RunReport& r, Part part) {
  std::optional<double> sum;
  const auto add = [&](const auto& process) {
    if (const auto value = part(process)) sum = sum.value_or(0) + *value;
  };
  std::for_each(r.workers.begin(), r.workers.end(), add);
  std::for_each(r.stages.begin(), r.stages.end(), add);
  return sum;
}

}  // namespace

std::optional<Estimate> estimate_of(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  const double mean = mean_of(values);
  const auto half_width = ci_half_width(values);
  return Estimate{std::move(values), mean, half_width};
}

Streams streams_of(const RunReport& report) {
  Streams streams;
  std::uint64_t offered = 0, completed = 0;
  for (std::size_t i = 0; i < report.series.size(); ++i) {
    const SecondOfRun& row = report.series[i];
    offered += row.offered;
    completed += row.completed;
    if (row.offered == 0) continue;
    const std::uint64_t grace = i + 1 < report.series.size() ? report.series[i + 1].completed : 0;
    (completed + grace >= offered ? streams.successful : streams.failed) += row.seconds;
  }
  return streams;
}

std::optional<double> cpu_percent_of(const RunReport& report) {
  return sum_over_processes(report, [](const auto& process) {
    return process.cpu_percent ? std::optional(process.cpu_percent->mean) : std::nullopt;
  });
}

std::optional<double> memory_mb_of(const RunReport& report) {
  return sum_over_processes(report, [](const auto& process) {
    return process.rss_mb ? std::optional(process.rss_mb->mean) : std::nullopt;
  });
}

std::vector<CellSummary> summarize_cells(const Sweep& sweep, std::optional<double> price_per_node_hour) {
  std::vector<CellSummary> summaries;
  for (const Cell& cell : sweep.cells) summaries.push_back(summarize(cell));
  std::size_t base = 0;  // the cells of a strategy are neighbours, the smallest node count first
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    if (sweep.cells[i].strategy != sweep.cells[base].strategy || sweep.cells[base].at_max.empty()) base = i;
    add_speedup(summaries[i], sweep.cells[i], summaries[base], sweep.cells[base]);
    if (price_per_node_hour) add_cost(summaries[i], *price_per_node_hour);
  }
  return summaries;
}

}  // namespace dp
