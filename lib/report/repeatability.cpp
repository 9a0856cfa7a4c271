// Coverage is counted, not modelled: every group of so many runs is held against the rest.
// SPDX-License-Identifier: MIT
#include "report/repeatability.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "base/error.hpp"
#include "stats/summary.hpp"

namespace dp {
namespace {

constexpr std::size_t fewest = 8, most = 64;

/// Whether the interval of the chosen values covers the mean of the others.
bool covers(const std::vector<double>& chosen, double total, std::size_t n, double* half_width) {
  const double sum = mean_of(chosen) * static_cast<double>(chosen.size());
  const double others = (total - sum) / static_cast<double>(n - chosen.size());
  *half_width = *ci_half_width(chosen);
  return std::abs(mean_of(chosen) - others) <= *half_width;
}

/// Steps to the next way to choose; false after the last.
bool next_choice(std::vector<std::size_t>& chosen, std::size_t n) {
  for (std::size_t i = chosen.size(); i-- > 0;) {
    if (chosen[i] + (chosen.size() - i) >= n) continue;
    ++chosen[i];
    for (std::size_t j = i + 1; j < chosen.size(); ++j) chosen[j] = chosen[j - 1] + 1;
    return true;
  }
  return false;
}

/// The difference of the two means has 1 + k/(n−k) times the variance of the mean of k.
double promise_of(std::size_t group, std::size_t n) {
  const boost::math::students_t t(static_cast<double>(group) - 1);
  const double k = static_cast<double>(group), rest = static_cast<double>(n - group);
  return 2 * boost::math::cdf(t, boost::math::quantile(t, 0.975) / std::sqrt(1 + k / rest)) - 1;
}

Coverage coverage_of(const std::vector<double>& values, std::size_t group) {
  Coverage c;
  c.group = group;
  c.promised = promise_of(group, values.size());
  const double total = mean_of(values) * static_cast<double>(values.size());
  std::vector<std::size_t> chosen(group);
  for (std::size_t i = 0; i < group; ++i) chosen[i] = i;
  std::vector<double> picked(group);
  double half_width = 0;
  do {
    for (std::size_t i = 0; i < group; ++i) picked[i] = values[chosen[i]];
    const bool ok = covers(picked, total, values.size(), &half_width);
    ++c.intervals;
    c.covering += ok ? 1 : 0;
    c.mean_half_width += half_width;
    if (chosen[0] % group == 0 && chosen.back() == chosen[0] + group - 1) {
      ++c.consecutive;
      c.consecutive_ok += ok ? 1 : 0;
    }
  } while (next_choice(chosen, values.size()));
  c.mean_half_width /= static_cast<double>(c.intervals);
  return c;
}

double lag1_of(const std::vector<double>& x, double mean) {
  double products = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    squares += (x[i] - mean) * (x[i] - mean);
    if (i > 0) products += (x[i] - mean) * (x[i - 1] - mean);
  }
  return squares > 0 ? products / squares : 0;
}

using Percentile = std::optional<double> Latency::*;
using Supported = bool PerPercentile<bool>::*;

void add_percentile(std::vector<RepeatedFigure>& figures, const std::vector<const RunReport*>& runs,
                    const char* name,
                    Percentile value, Supported supported) {
  RepeatedFigure figure{name, "ms", {}};
  for (const RunReport* run : runs) {
    if (!(run->latency_ms.supported.*supported) || run->overloaded) return;
    figure.values.push_back((run->latency_ms.*value).value());
  }
  figures.push_back(std::move(figure));
}

}  // namespace

Spread spread_of(std::string figure, std::string unit, std::vector<double> values) {
  if (values.size() < fewest || values.size() > most)
    throw Error("{}: {} runs; give {} to {}", figure, values.size(), fewest, most);
  Spread s;
  s.figure = std::move(figure);
  s.unit = std::move(unit);
  s.mean = mean_of(values);
  s.sd = sd_of(values);
  s.least = *std::ranges::min_element(values);
  s.most = *std::ranges::max_element(values);
  s.lag1 = lag1_of(values, s.mean);
  for (const std::size_t group : {3, 5}) s.coverage.push_back(coverage_of(values, group));
  s.values = std::move(values);
  return s;
}

Agreement agreement_of(std::string figure, std::string unit, const std::vector<double>& first,
                       const std::vector<double>& second, double confidence) {
  if (first.size() < 2 || second.size() < 2)
    throw Error("{}: {} and {} runs; give two or more of each", figure, first.size(), second.size());
  const double n = static_cast<double>(first.size()), m = static_cast<double>(second.size());
  const double a = sd_of(first) * sd_of(first) / n, b = sd_of(second) * sd_of(second) / m;
  Agreement agreement{std::move(figure), std::move(unit), mean_of(first), mean_of(second), 0, false};
  if (a + b > 0) {
    const double freedom = (a + b) * (a + b) / (a * a / (n - 1) + b * b / (m - 1));
    agreement.half_width =
        boost::math::quantile(boost::math::students_t(freedom), (1 + confidence) / 2) * std::sqrt(a + b);
  }
  agreement.agree = std::abs(agreement.first - agreement.second) <= agreement.half_width;
  return agreement;
}

std::vector<RepeatedFigure> figures_of(const std::vector<RunReport>& runs) {
  RepeatedFigure capacity{"capacity", "samples/s", {}}, throughput{"throughput at the rate", "samples/s", {}};
  std::vector<const RunReport*> at_rate;
  for (const RunReport& run : runs) {
    (run.rate_mode == "max" ? capacity : throughput).values.push_back(run.rates.completed);
    if (run.rate_mode != "max") at_rate.push_back(&run);
  }
  std::vector<RepeatedFigure> figures;
  if (!capacity.values.empty()) figures.push_back(std::move(capacity));
  if (at_rate.empty()) return figures;
  figures.push_back(std::move(throughput));
  add_percentile(figures, at_rate, "p50", &Latency::p50, &PerPercentile<bool>::p50);
  add_percentile(figures, at_rate, "p95", &Latency::p95, &PerPercentile<bool>::p95);
  add_percentile(figures, at_rate, "p99", &Latency::p99, &PerPercentile<bool>::p99);
  return figures;
}

}  // namespace dp
