// Statistics over a few repetitions; the definitions are in the header.
// SPDX-License-Identifier: MIT
#include "stats/summary.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

namespace dp {
namespace {

constexpr double family_error = 0.05;
constexpr double outlier_threshold = 14.826;

boost::math::students_t t_for(std::span<const double> x) {
  return boost::math::students_t(static_cast<double>(x.size()) - 1);
}

double standard_error(std::span<const double> x) {
  return sd_of(x) / std::sqrt(static_cast<double>(x.size()));
}

/// Two-sided p-value of "the mean is 0"; 1 for fewer than two values.
double p_value(std::span<const double> x) {
  if (x.size() < 2 || mean_of(x) == 0) return 1;
  const double t = std::abs(mean_of(x)) / standard_error(x);
  return std::isfinite(t) ? 2 * boost::math::cdf(boost::math::complement(t_for(x), t)) : 0;
}

}  // namespace

double mean_of(std::span<const double> x) {
  return x.empty() ? 0 : std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double median_of(std::span<const double> x) {
  if (x.empty()) return 0;
  std::vector<double> sorted(x.begin(), x.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double sd_of(std::span<const double> x) {
  if (x.size() < 2) return 0;
  const double mean = mean_of(x);
  double squares = 0;
  for (double value : x) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (static_cast<double>(x.size()) - 1));
}

std::optional<double> ci_half_width(std::span<const double> x, double confidence) {
  if (x.size() < 2) return std::nullopt;
  return boost::math::quantile(t_for(x), (1 + confidence) / 2) * standard_error(x);
}

std::vector<std::size_t> outliers_of(std::span<const double> x) {
  const double median = median_of(x);
  std::vector<double> deviations;
  for (double value : x) deviations.push_back(std::abs(value - median));
  const double limit = outlier_threshold * median_of(deviations);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (deviations[i] > limit) found.push_back(i);
  }
  return found;
}

double slope_of(std::span<const double> x) {
  if (x.size() < 2) return 0;
  const double centre = (static_cast<double>(x.size()) - 1) / 2;
  double products = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double offset = static_cast<double>(i) - centre;
    products += offset * x[i];
    squares += offset * offset;
  }
  return products / squares;
}

double relative_deviation(std::span<const double> x) {
  const double mean = mean_of(x);
  if (mean == 0) return 0;
  double largest = 0;
  for (double value : x) largest = std::max(largest, std::abs(value - mean));
  return largest / std::abs(mean);
}

std::vector<Difference> holm(const std::vector<std::vector<double>>& samples) {
  std::vector<std::size_t> order(samples.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_value(samples[a]) < p_value(samples[b]); });
  std::vector<Difference> differences(samples.size());
  bool rejecting = true;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::vector<double>& x = samples[order[place]];
    const double level = family_error / static_cast<double>(samples.size() - place);
    rejecting = rejecting && p_value(x) < level;
    differences[order[place]] = {mean_of(x), ci_half_width(x, 1 - level), rejecting};
  }
  return differences;
}

}  // namespace dp
