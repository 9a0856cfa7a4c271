// From runs of synthetic workers to the cells of a calibration: what theory expects of a run, and what its
// model makes of the run's own draws. The draws are given: they come from seeds, never from measured times.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "report/calibration.hpp"
#include "report/run_report.hpp"

namespace dp {

/// What a run of single-sample batches was to do, in seconds; entry i belongs to batch i.
struct DrawnRun {
  double rate = 0, mean_service = 0;  ///< what was drawn from
  std::vector<double> arrivals, services;
};

/// A worker that stood still once during a run of constant arrivals and fixed service, in seconds.
struct StalledRun {
  double rate = 0, service = 0, stall = 0;
};

/// Cells by model, workers, credit and figure.
class CalibrationCells {
 public:
  /// Poisson arrivals, exponential service: dynamic is held against M/M/c, uniform against E_N/M/1, with the
  /// hand-off, up to most_handoff, added to each service. Runs that are no measurement are put aside. Throws
  /// Error naming `file` for another strategy, or when there is no steady state.
  void add(const std::string& file, const RunReport& report, const DrawnRun& drawn);
  /// One worker that stands still.
  void add(const std::string& file, const RunReport& report, const StalledRun& stalled);

  std::vector<CalibrationRow> judged(double margin) const;

 private:
  struct Figure {
    std::string name;
    Observation values;
    std::optional<double> blind_ms = {};
  };
  void put(const std::string& file, const RunReport& report, const std::string& model, const Figure& figure,
           double service_ms);

  std::map<std::tuple<std::string, std::uint32_t, std::uint32_t, std::string>, CalibrationCell> cells_;
};

}  // namespace dp
