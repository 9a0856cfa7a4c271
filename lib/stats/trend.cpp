// SPDX-License-Identifier: MIT
#include "stats/trend.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <vector>

#include "stats/summary.hpp"

namespace dp {
namespace {

std::vector<double> residuals_of(std::span<const double> x, double slope) {
  const double mean = mean_of(x), centre = (static_cast<double>(x.size()) - 1) / 2;
  std::vector<double> residuals;
  for (std::size_t i = 0; i < x.size(); ++i)
    residuals.push_back(x[i] - mean - slope * (static_cast<double>(i) - centre));
  return residuals;
}

/// Sum of the products of each value with the one `lag` places on.
double products(const std::vector<double>& x, std::size_t lag) {
  double sum = 0;
  for (std::size_t i = lag; i < x.size(); ++i) sum += x[i] * x[i - lag];
  return sum;
}

}  // namespace

double Trend::certain() const { return half_width ? std::max(0.0, std::abs(slope) - *half_width) : 0; }

Trend trend_of(std::span<const double> x, Series series, double confidence) {
  Trend trend{slope_of(x), {}};
  if (x.size() < 3) return trend;
  const std::vector<double> residuals = residuals_of(x, trend.slope);
  const double squares = products(residuals, 0);
  const double n = static_cast<double>(x.size());
  const double spread = n * (n * n - 1) / 12;  // of the indices
  const double quantile = boost::math::quantile(boost::math::students_t(n - 2), (1 + confidence) / 2);
  trend.half_width = quantile * std::sqrt(squares / (n - 2) / spread);
  if (series == Series::wandering && squares > 0) {
    const double r = std::max(0.0, products(residuals, 1) / squares);
    *trend.half_width *= std::sqrt((1 + r) / (1 - r));
  }
  return trend;
}

}  // namespace dp
