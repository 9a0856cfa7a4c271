// The rows a picture is drawn from: averaged_results.csv read back into numbers.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/csv.hpp"

namespace dp {

/// One strategy on one number of nodes; absent figures were not measured or must not be stated.
struct PlotCell {
  std::string strategy;
  std::uint32_t nodes = 0;
  std::optional<double> rate;                         ///< samples/s
  std::optional<double> throughput, throughput_ci95;  ///< completed at that rate, samples/s
  std::optional<double> capacity, capacity_ci95;      ///< samples/s
  std::optional<double> speedup, speedup_ci95, efficiency;
  std::optional<double> p50_ms, p50_ci95, p95_ms, p95_ci95;
  std::optional<double> cpu_percent, cpu_percent_ci95;  ///< of one core, all processes, at the rate
  std::optional<double> memory_mb, memory_mb_ci95;      ///< all processes, at the rate
  std::uint64_t runs_at_max = 0, valid_at_max = 0, runs_at_rate = 0, valid_at_rate = 0;
  bool oversubscribed = false, overloaded = false;
  std::string nodes_are;
};

/// Throws Error naming `source` and the column that is missing or does not hold a number.
std::vector<PlotCell> plot_cells(const Table& table, const std::string& source);

}  // namespace dp
