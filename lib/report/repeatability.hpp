// What repetitions of one run say about its intervals: how far the figures spread, whether the interval that a few
// runs give covers what the others come to as often as it promises, and whether two sets of runs agree.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/run_report.hpp"

namespace dp {

/// How often the 95 % interval of `group` runs covers the mean of the runs that are not in it.
struct Coverage {
  std::size_t group = 0;
  double promised = 0;  ///< share of them, were the runs independent and normal: the others' mean varies too
  std::size_t intervals = 0, covering = 0;          ///< over every way to choose so many of the runs
  std::size_t consecutive = 0, consecutive_ok = 0;  ///< over groups of neighbours in time, none overlapping
  double mean_half_width = 0;                       ///< in the figure's unit
};

/// One figure over all runs, in the order in which they were measured.
struct Spread {
  std::string figure, unit;
  std::vector<double> values;
  double mean = 0, sd = 0, least = 0, most = 0;
  double lag1 = 0;  ///< correlation of a run with the one before it; within ±2/√n for independent runs
  std::vector<Coverage> coverage;
};

/// Spread of the values and coverage by groups of 3 and of 5. Throws Error for fewer than 8 values, and for more
/// than 64.
Spread spread_of(std::string figure, std::string unit, std::vector<double> values);

/// Do the means of two sets of independent runs agree: Welch's interval of the difference contains 0.
struct Agreement {
  std::string figure, unit;
  double first = 0, second = 0;  ///< means
  double half_width = 0;         ///< of the interval of first − second
  bool agree = false;
};

/// Throws Error for fewer than two values in either.
Agreement agreement_of(std::string figure, std::string unit, const std::vector<double>& first,
                       const std::vector<double>& second, double confidence);

/// The figures of runs that can be repeated: completed rate at max; at a rate the rate completed and those
/// percentiles of sample latency that every run supports.
struct RepeatedFigure {
  std::string name, unit;
  std::vector<double> values;  ///< one a run, in the order given
};
std::vector<RepeatedFigure> figures_of(const std::vector<RunReport>& runs);

}  // namespace dp
