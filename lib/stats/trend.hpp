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

/// The residuals count as independent: of a series that wanders, the interval is too narrow.
Trend trend_of(std::span<const double> x, double confidence = 0.99);

}  // namespace dp
