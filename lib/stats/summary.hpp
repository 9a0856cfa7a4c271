// Statistics over a handful of repetitions: location, spread, confidence intervals, outliers, trend, and the
// paired comparison of several alternatives.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace dp {

double mean_of(std::span<const double> x);    ///< 0 when empty
double median_of(std::span<const double> x);  ///< 0 when empty
double sd_of(std::span<const double> x);  ///< sample standard deviation (n-1); 0 for fewer than two values

/// Half the width of the Student t confidence interval of the mean; nothing for fewer than two values.
std::optional<double> ci_half_width(std::span<const double> x, double confidence = 0.95);

/// Indices of the values with |x − median| / MAD > 14.826; with MAD 0, every value off the median.
std::vector<std::size_t> outliers_of(std::span<const double> x);

/// Least-squares slope of x over its index; 0 for fewer than two values.
double slope_of(std::span<const double> x);

/// Largest |x − mean| ÷ mean; 0 when the mean is 0.
double relative_deviation(std::span<const double> x);

/// A mean difference of paired observations, judged among several such differences at once.
struct Difference {
  double mean = 0;
  std::optional<double> half_width;  ///< of the interval at the level Holm's procedure gives this pair
  bool significant = false;          ///< the interval excludes zero
};

/// Holm's step-down procedure over `samples` of paired differences, family-wise error 5 %. A list of fewer
/// than two differences is never significant, and counts as a comparison made.
std::vector<Difference> holm(const std::vector<std::vector<double>>& samples);

}  // namespace dp
