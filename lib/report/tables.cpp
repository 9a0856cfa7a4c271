// The CSV tables. Each column is one line: its name and where its value comes from.
// SPDX-License-Identifier: MIT
#include "report/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "stats/summary.hpp"

namespace dp {
namespace {

std::string text(double x) { return fmt::format("{:.6g}", x); }
std::string text(std::size_t x) { return fmt::format("{}", x); }
std::string text(bool x) { return x ? "true" : "false"; }
std::string text(const std::optional<double>& x) { return x ? text(*x) : ""; }
std::string text(const std::optional<Estimate>& e) { return e ? text(e->mean) : ""; }
std::string ci(const std::optional<Estimate>& e) { return e ? text(e->half_width) : ""; }

template <class Row>
using Columns = std::vector<std::pair<std::string, std::function<std::string(const Row&)>>>;

template <class Row>
Table tabulate(const Columns<Row>& columns, const std::vector<Row>& rows) {
  Table table;
  for (const auto& column : columns) table.columns.push_back(column.first);
  for (const Row& row : rows) {
    auto& cells = table.rows.emplace_back();
    for (const auto& column : columns) cells.push_back(column.second(row));
  }
  return table;
}

std::string nodes_are(const CellSummary& s) { return s.one_host ? "processes of one host" : "hosts"; }

using Cells = Columns<CellSummary>;

const Cells& marks() {
  static const Cells columns{
      {"valid", [](auto& s) { return text(s.valid()); }},
      {"runs", [](auto& s) { return text(s.runs()); }},
      {"oversubscribed", [](auto& s) { return text(s.oversubscribed); }},
      {"coupled", [](auto& s) { return text(s.coupled); }},
      {"nodes_are", nodes_are},
      {"outliers", [](auto& s) { return fmt::format("{}", fmt::join(s.outliers, " ")); }},
  };
  return columns;
}

Cells with_marks(Cells columns) {
  columns.insert(columns.end(), marks().begin(), marks().end());
  return columns;
}

/// Figures of one worker or of a whole cell at max, averaged over iterations.
struct MatrixRow {
  std::string scope, approach;
  std::uint32_t workers = 0;
  std::string node;
  std::map<std::string, std::vector<double>> values;

  void add(const std::string& name, const std::optional<double>& value) {
    if (value) values[name].push_back(*value);
  }
};

/// `throughput` of all workers is shared by what each of them served of `samples`.
void add_worker(MatrixRow& row, const WorkerReport& w, double throughput, std::uint64_t samples) {
  if (samples > 0)
    row.add("throughput", throughput * static_cast<double>(w.samples) / static_cast<double>(samples));
  row.add("failed", static_cast<double>(w.failed));
  row.add("cpu_percent", w.cpu_percent ? std::optional(w.cpu_percent->mean) : std::nullopt);
  row.add("memory_mb", w.rss_mb ? std::optional(w.rss_mb->mean) : std::nullopt);
  row.add("service_ms_per_sample", w.service_ms_per_sample);
  row.add("utilization", w.utilization);
}

void add_matrix_rows(const Cell& cell, std::vector<MatrixRow>& rows) {
  MatrixRow aggregate{"aggregate", cell.strategy, cell.nodes, "all", {}};
  std::map<std::string, MatrixRow> nodes;
  for (const MeasuredRun* run : counted(cell.at_max)) {
    const RunReport& r = run->report;
    aggregate.add("throughput", r.rates.completed);
    aggregate.add("latency_ms", r.latency_ms.mean);
    aggregate.add("cpu_percent", cpu_percent_of(r));
    aggregate.add("memory_mb", memory_mb_of(r));
    std::uint64_t served = 0, failed = 0;
    for (const WorkerReport& w : r.workers) {
      served += w.samples;
      failed += w.failed;
    }
    aggregate.add("failed", static_cast<double>(failed));
    for (const WorkerReport& w : r.workers) {
      const auto row =
          nodes.try_emplace(w.name, MatrixRow{"node", cell.strategy, cell.nodes, w.name, {}}).first;
      add_worker(row->second, w, r.rates.completed, served);
    }
  }
  rows.push_back(std::move(aggregate));
  for (auto& [name, row] : nodes) rows.push_back(std::move(row));
}

std::function<std::string(const MatrixRow&)> mean_column(std::string name) {
  return [name](const MatrixRow& row) {
    const auto found = row.values.find(name);
    return found == row.values.end() ? "" : text(mean_of(found->second));
  };
}

}  // namespace

Table averaged_results(const std::vector<CellSummary>& cells) {
  static const Cells columns = with_marks({
      {"avg_throughput", [](auto& s) { return text(s.throughput); }},
      {"avg_cpu_percent", [](auto& s) { return text(s.cpu_percent); }},
      {"avg_memory_mb", [](auto& s) { return text(s.memory_mb); }},
      {"avg_duration", [](auto& s) { return text(s.duration_s); }},
      {"total_inferences", [](auto& s) { return text(s.total_inferences); }},
      {"successful_streams", [](auto& s) { return text(s.successful_streams); }},
      {"failed_streams", [](auto& s) { return text(s.failed_streams); }},
      {"success_rate", [](auto& s) { return text(s.success_percent); }},
      {"strategy", [](auto& s) { return s.strategy; }},
      {"nodes", [](auto& s) { return text(std::size_t{s.nodes}); }},
      {"rate", [](auto& s) { return text(s.rate); }},
      {"throughput_ci95", [](auto& s) { return ci(s.throughput); }},
      {"cpu_percent_ci95", [](auto& s) { return ci(s.cpu_percent); }},
      {"memory_mb_ci95", [](auto& s) { return ci(s.memory_mb); }},
      {"capacity", [](auto& s) { return text(s.capacity); }},
      {"capacity_ci95", [](auto& s) { return ci(s.capacity); }},
      {"speedup", [](auto& s) { return text(s.speedup); }},
      {"speedup_ci95", [](auto& s) { return ci(s.speedup); }},
      {"efficiency", [](auto& s) { return text(s.efficiency); }},
      {"cost_per_million", [](auto& s) { return text(s.cost_per_million); }},
      {"cost_per_million_ci95", [](auto& s) { return ci(s.cost_per_million); }},
      {"mean_ms", [](auto& s) { return text(s.mean_ms); }},
      {"p50_ms", [](auto& s) { return text(s.p50_ms); }},
      {"p50_ci95", [](auto& s) { return ci(s.p50_ms); }},
      {"p95_ms", [](auto& s) { return text(s.p95_ms); }},
      {"p95_ci95", [](auto& s) { return ci(s.p95_ms); }},
      {"p99_ms", [](auto& s) { return text(s.p99_ms); }},
      {"p99_ci95", [](auto& s) { return ci(s.p99_ms); }},
      {"overloaded", [](auto& s) { return text(s.overloaded); }},
      {"top1", [](auto& s) { return text(s.top1); }},
      {"agreement", [](auto& s) { return text(s.agreement); }},
      {"load_balancing_efficiency", [](auto& s) { return text(s.load_balancing_efficiency); }},
      {"data_moved_mb", [](auto& s) { return text(s.data_moved); }},
      {"data_moved_mb_ci95", [](auto& s) { return ci(s.data_moved); }},
      {"runs_at_rate", [](auto& s) { return text(s.at_rate.runs); }},
      {"valid_at_rate", [](auto& s) { return text(s.at_rate.valid); }},
      {"runs_at_max", [](auto& s) { return text(s.at_max.runs); }},
      {"valid_at_max", [](auto& s) { return text(s.at_max.valid); }},
  });
  return tabulate(columns, cells);
}

Table combined_results(const Sweep& sweep, const std::vector<CellSummary>& cells) {
  Columns<MatrixRow> columns{
      {"scope", [](auto& row) { return row.scope; }},
      {"approach", [](auto& row) { return row.approach; }},
      {"workers", [](auto& row) { return text(std::size_t{row.workers}); }},
      {"node", [](auto& row) { return row.node; }},
  };
  for (const char* name :
       {"throughput", "latency_ms", "cpu_percent", "memory_mb", "service_ms_per_sample", "utilization"}) {
    columns.emplace_back(name, mean_column(name));
  }
  columns.emplace_back("throughput_ci95", [](auto& row) {
    const auto found = row.values.find("throughput");
    return found == row.values.end() ? "" : text(ci_half_width(found->second));
  });
  columns.emplace_back("failed", mean_column("failed"));
  std::map<std::pair<std::string, std::uint32_t>, const CellSummary*> summary_of;
  for (const CellSummary& s : cells) summary_of[{s.strategy, s.nodes}] = &s;
  for (const auto& mark : marks()) {
    columns.emplace_back(mark.first, [summary_of, mark](auto& row) {
      return mark.second(*summary_of.at({row.approach, row.workers}));
    });
  }
  std::vector<MatrixRow> rows;
  for (const Cell& cell : sweep.cells) {
    if (!cell.at_max.empty()) add_matrix_rows(cell, rows);
  }
  return tabulate(columns, rows);
}

Table speedup_efficiency(const std::vector<CellSummary>& cells) {
  static const Cells columns = with_marks({
      {"approach", [](auto& s) { return s.strategy; }},
      {"workers", [](auto& s) { return text(std::size_t{s.nodes}); }},
      {"speedup", [](auto& s) { return text(s.speedup); }},
      {"efficiency_percent", [](auto& s) { return s.efficiency ? text(100 * *s.efficiency) : ""; }},
      {"speedup_ci95", [](auto& s) { return ci(s.speedup); }},
      {"capacity", [](auto& s) { return text(s.capacity); }},
      {"capacity_ci95", [](auto& s) { return ci(s.capacity); }},
      {"cost_per_million", [](auto& s) { return text(s.cost_per_million); }},
      {"cost_per_million_ci95", [](auto& s) { return ci(s.cost_per_million); }},
  });
  return tabulate(columns, cells);
}

}  // namespace dp
