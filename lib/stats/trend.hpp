// A straight line through a series, and how far noise could have made its slope.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>

namespace dp {

/// Least-squares slope of a series over its index.
struct Trend {
  double slope = 0;                  ///< a step; 0 for fewer than two values
  std::optional<double> half_width;  ///< of its Student t interval; nothing for fewer than three values
  /// How much of the slope is beyond doubt: the end of the interval nearer to 0, as a magnitude; 0 when it
  /// spans 0 or is not known.
  double certain() const;
};

/// Whether a value tells of the next: rates of separate seconds hardly do, a queue's length and waiting times
/// do. Of a series that wanders the interval is wider by √((1 + r)/(1 − r)), r the residuals' correlation with
/// the next where that is positive.
enum class Series { independent, wandering };

Trend trend_of(std::span<const double> x, Series series = Series::independent, double confidence = 0.99);

}  // namespace dp
