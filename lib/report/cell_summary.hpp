// The figures of one cell (strategy × nodes) over its iterations, and which strategy is best where that can
// be told.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/sweep.hpp"

namespace dp {

/// Mean over iterations with half of its 95 % confidence interval (absent for a single iteration).
struct Estimate {
  std::vector<double> values;  ///< one an iteration, in the order of the iterations
  double mean = 0;
  std::optional<double> half_width;
};

struct Validity {
  std::size_t valid = 0, runs = 0;
};

/// Means are over the runs `counted` names. Latencies are absent where a run was overloaded or had too few
/// batches.
struct CellSummary {
  std::string strategy;
  std::uint32_t nodes = 0;

  std::optional<double> rate;                               ///< requested, samples/s
  std::optional<Estimate> throughput;                       ///< completed at that rate, samples/s
  std::optional<Estimate> mean_ms, p50_ms, p95_ms, p99_ms;  ///< sample latency at that rate
  std::optional<Estimate> cpu_percent;  ///< at that rate, summed over all processes; 100: one core
  std::optional<Estimate> memory_mb;    ///< at that rate, mean resident set summed over all processes
  std::optional<double> duration_s;     ///< at that rate
  std::uint64_t total_inferences = 0;   ///< samples completed at that rate, all iterations
  std::uint64_t successful_streams = 0, failed_streams = 0;  ///< seconds, see `streams_of`
  std::optional<double> success_percent;

  std::optional<Estimate> capacity;  ///< completed at max, samples/s
  std::optional<Estimate>
      speedup;  ///< of capacity over the same strategy's smallest node count; mean: of the means
  std::optional<double> efficiency;                 ///< speed-up ÷ ratio of node counts
  std::optional<Estimate> cost_per_million;         ///< of samples at max, in the price's unit
  std::optional<double> load_balancing_efficiency;  ///< at max, else at the rate
  std::optional<Estimate> data_moved;               ///< MB, at max, else at the rate

  std::optional<double> top1, agreement;  ///< fractions, over all counted runs
  Validity at_rate, at_max;
  bool overloaded = false;            ///< at the rate
  bool oversubscribed = false;        ///< more threads than cores
  bool coupled = false;               ///< a full buffer let one worker hold up the others
  bool one_host = true;               ///< its nodes are processes of one host
  std::vector<std::string> outliers;  ///< files whose throughput is far from the cell's median

  std::size_t valid() const { return at_rate.valid + at_max.valid; }
  std::size_t runs() const { return at_rate.runs + at_max.runs; }
};

/// How many seconds ("streams") succeeded: all samples offered up to the second's end were completed at most
/// one second later. Seconds in which nothing was offered do not count. In a long run a row of the series stands for
/// its seconds.
struct Streams {
  std::uint64_t successful = 0, failed = 0;
};
Streams streams_of(const RunReport& report);

/// CPU of all processes of a run, % of one core; absent when no process told.
std::optional<double> cpu_percent_of(const RunReport& report);
/// Mean resident set of all processes of a run, MB; absent when no process told.
std::optional<double> memory_mb_of(const RunReport& report);

/// One summary a cell, in the order of the cells; costs only where a node's hour has a price.
std::vector<CellSummary> summarize_cells(const Sweep& sweep, std::optional<double> price_per_node_hour = {});

/// The estimate of a list of values; nothing when it is empty.
std::optional<Estimate> estimate_of(std::vector<double> values);

}  // namespace dp
