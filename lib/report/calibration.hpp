// Is a measured time in system the one that queueing theory gives? Equivalence, not absence of a difference:
// the whole confidence interval of measured ÷ theory has to lie within a margin around 1.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dp {

/// One run: what theory expects of such runs, what its model makes of this run's own draws, what was
/// measured, in ms. Equal `theory` and `drawn`: the run draws nothing.
struct Observation {
  double theory_ms = 0, drawn_ms = 0, measured_ms = 0;
  double handoff_ms = 0;      ///< per batch, counted as service in both
  std::string left_out = {};  ///< why it is no measurement and counts for nothing; "" when it is
};

/// Replications of one configuration and one figure of it.
struct CalibrationCell {
  std::string model;     ///< "M/M/c", "E_N/M/1" or "stalled"
  std::string strategy;  ///< what is to behave so
  std::uint32_t workers = 0, credit = 0;
  std::string figure;              ///< "mean" or "p99"
  std::vector<Observation> runs;   ///< by replication
  double service_ms = 0;           ///< mean of what is drawn, hand-off apart
  std::optional<double> blind_ms;  ///< the same figure of the service alone, which sees no queue
};

struct RatioInterval {
  double low = 0, high = 0;
};

/// A cell judged. `off`: shown to differ; `not_shown`: too few or too short runs to tell.
struct CalibrationRow {
  enum class Verdict { ok, not_shown, off };
  CalibrationCell cell;
  std::size_t used = 0;  ///< runs that are not left out; what follows is over these
  double theory_ms = 0, drawn_ms = 0, measured_ms = 0;  ///< means
  double handoff_ms = 0;                                ///< mean
  double ratio = 0;                                     ///< 1 + (measured − drawn) ÷ theory, mean
  std::optional<RatioInterval> interval;  ///< of that, Student t, 95 %; absent for fewer than two runs
  std::optional<RatioInterval> raw;       ///< of measured ÷ theory whatever was drawn, raw_confidence
  double margin = 0;                      ///< fraction of 1 allowed either way
  Verdict verdict = Verdict::not_shown;
  std::string reason;  ///< why not ok; "" when ok
};

/// So high because every row is asked: at 95 % one in twenty would stray by chance.
inline constexpr double raw_confidence = 0.999;
inline constexpr double most_handoff = 0.05;  ///< of the service time; more is a slow worker, not hand-off

/// Judges a cell within ± `margin` (a fraction). ok needs four things: the interval lies within the margin,
/// the raw interval meets it, the hand-off is at most most_handoff of the service, and no more runs were left
/// out than used.
CalibrationRow judge_calibration(CalibrationCell cell, double margin);

/// The rows as aligned text for people, with a line on the columns.
std::string calibration_table(const std::vector<CalibrationRow>& rows);
/// The rows as JSON (schema "dp.calibration/1").
std::string calibration_json(const std::vector<CalibrationRow>& rows);

/// What a verdict is called in both.
const char* name_of(CalibrationRow::Verdict verdict);

}  // namespace dp
