// SPDX-License-Identifier: MIT
#include "stats/trend.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "stats/summary.hpp"

namespace dp {

double Trend::certain() const { return half_width ? std::max(0.0, std::abs(slope) - *half_width) : 0; }

Trend trend_of(std::span<const double> x, double confidence) {
  Trend trend{slope_of(x), {}};
  if (x.size() < 3) return trend;
  const double mean = mean_of(x), centre = (static_cast<double>(x.size()) - 1) / 2;
  double residuals = 0, spread = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double offset = static_cast<double>(i) - centre;
    residuals += std::pow(x[i] - mean - trend.slope * offset, 2);
    spread += offset * offset;
  }
  const double degrees = static_cast<double>(x.size()) - 2;
  const double quantile = boost::math::quantile(boost::math::students_t(degrees), (1 + confidence) / 2);
  trend.half_width = quantile * std::sqrt(residuals / degrees / spread);
  return trend;
}

}  // namespace dp
