// Many runs as one experiment: which files, which cell (strategy × nodes) each run belongs to, which runs are
// repetitions of which iteration, and whether they may be compared at all.
// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <map>
#include <string>
#include <vector>

#include "report/run_report.hpp"

namespace dp {

/// A run and the file it came from; its service histogram is dropped.
struct MeasuredRun {
  std::string file;
  RunReport report;
};

/// What is held equal between strategies: the seed, and which repetition of that seed it is.
struct Iteration {
  std::string seed;
  std::size_t repeat = 0;
  auto operator<=>(const Iteration&) const = default;
};

using Repetitions = std::map<Iteration, const MeasuredRun*>;

/// One strategy on one number of nodes.
struct Cell {
  std::string strategy;
  std::uint32_t nodes = 0;
  Repetitions at_rate;  ///< open loop at the stated rate
  Repetitions at_max;   ///< as fast as possible
};

/// Cells by strategy (uniform, dynamic, sharded, then by name) and nodes; they point into `runs`, so it only
/// moves.
struct Sweep {
  std::vector<MeasuredRun> runs;
  std::vector<Cell> cells;

  Sweep() = default;
  Sweep(Sweep&&) = default;
  Sweep& operator=(Sweep&&) = default;
};

/// Reads run.json files, `@list` files of paths (one a line) and folders (every dp.run file below them).
/// Throws Error naming the file when one cannot be read, is given as two files, or when there is none.
std::vector<MeasuredRun> load_runs(const std::vector<std::string>& arguments);

/// Whether runs at several rates may stand side by side.
enum class RatesMay { not_differ, differ };

/// Throws Error naming two runs that must not be in one table: another data set, weights, backend, payload, rate, or
/// another composition or cost of batches.
void check_comparable(const std::vector<MeasuredRun>& runs, RatesMay rates);

/// Groups the runs. Throws Error naming two that are not comparable. Closed-loop runs are left out.
Sweep group_runs(std::vector<MeasuredRun> runs);

/// Runs that count: the valid ones, or all when none is valid (the row is then marked).
std::vector<const MeasuredRun*> counted(const Repetitions& repetitions);

/// Where a strategy stands in tables and pictures.
std::size_t strategy_order(const std::string& strategy);

}  // namespace dp
