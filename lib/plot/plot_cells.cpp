// Reads the columns pictures need, by name.
// SPDX-License-Identifier: MIT
#include "plot/plot_cells.hpp"

#include <charconv>

#include "base/error.hpp"

namespace dp {
namespace {

/// One row of a table with typed access by column name.
class Row {
 public:
  Row(const Table& table, std::size_t index, const std::string& source)
      : table_(table), index_(index), source_(source) {}

  const std::string& text(const char* column) const {
    const auto position = table_.find(column);
    if (!position)
      throw Error("{}: no column {} (is it an averaged_results.csv of dp-summarize?)", source_, column);
    return table_.rows[index_][*position];
  }
  std::optional<double> number(const char* column) const {
    const std::string& cell = text(column);
    if (cell.empty()) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc() || end != cell.data() + cell.size()) {
      throw Error("{}: row {}: {} is \"{}\", not a number", source_, index_ + 2, column, cell);
    }
    return value;
  }
  /// Of a column that older tables have not.
  std::optional<double> number_if_there(const char* column) const {
    return table_.find(column) ? number(column) : std::nullopt;
  }
  std::uint64_t count(const char* column) const {
    return static_cast<std::uint64_t>(number(column).value_or(0));
  }
  bool flag(const char* column) const { return text(column) == "true"; }

 private:
  const Table& table_;
  std::size_t index_;
  const std::string& source_;
};

}  // namespace

std::vector<PlotCell> plot_cells(const Table& table, const std::string& source) {
  if (table.rows.empty()) throw Error("{}: no rows to draw", source);
  std::vector<PlotCell> cells;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row row(table, i, source);
    PlotCell& c = cells.emplace_back();
    c.strategy = row.text("strategy");
    c.nodes = static_cast<std::uint32_t>(row.count("nodes"));
    c.rate = row.number("rate");
    c.throughput = row.number("avg_throughput");
    c.throughput_ci95 = row.number("throughput_ci95");
    c.capacity = row.number("capacity");
    c.capacity_ci95 = row.number("capacity_ci95");
    c.speedup = row.number("speedup");
    c.speedup_ci95 = row.number("speedup_ci95");
    c.efficiency = row.number("efficiency");
    c.p50_ms = row.number("p50_ms");
    c.p50_ci95 = row.number("p50_ci95");
    c.p95_ms = row.number("p95_ms");
    c.p95_ci95 = row.number("p95_ci95");
    c.cpu_percent = row.number("avg_cpu_percent");
    c.cpu_percent_ci95 = row.number_if_there("cpu_percent_ci95");
    c.memory_mb = row.number("avg_memory_mb");
    c.memory_mb_ci95 = row.number_if_there("memory_mb_ci95");
    c.runs_at_max = row.count("runs_at_max");
    c.valid_at_max = row.count("valid_at_max");
    c.runs_at_rate = row.count("runs_at_rate");
    c.valid_at_rate = row.count("valid_at_rate");
    c.oversubscribed = row.flag("oversubscribed");
    c.overloaded = row.flag("overloaded");
    c.nodes_are = row.text("nodes_are");
  }
  return cells;
}

}  // namespace dp
