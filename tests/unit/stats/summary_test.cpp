// Intervals, outliers, trends and Holm's procedure, against printed tables.
// SPDX-License-Identifier: MIT
#include "stats/summary.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace dp {
namespace {

using Values = std::vector<double>;

TEST(Summary, MeanMedianAndStandardDeviation) {
  const Values x{2, 4, 4, 4, 5, 5, 7, 9};  // squared deviations from 5 sum to 32
  EXPECT_DOUBLE_EQ(mean_of(x), 5);
  EXPECT_DOUBLE_EQ(median_of(x), 4.5);
  EXPECT_DOUBLE_EQ(sd_of(x), std::sqrt(32.0 / 7));
  EXPECT_EQ(median_of(Values{3, 1, 2}), 2);
  EXPECT_EQ(mean_of(Values{}), 0);
  EXPECT_EQ(sd_of(Values{4}), 0);
}

// Quantiles from printed tables of Student's t: t(0.975; 1) = 12.706, t(0.975; 2) = 4.303, t(0.995; 2)
// = 9.925.
TEST(Summary, ConfidenceIntervalIsStudents) {
  EXPECT_EQ(ci_half_width(Values{}), std::nullopt);
  EXPECT_EQ(ci_half_width(Values{5}), std::nullopt);
  EXPECT_NEAR(*ci_half_width(Values{1, 3}), 12.706 * 1, 0.001);
  EXPECT_NEAR(*ci_half_width(Values{1, 2, 3}), 4.303 / std::sqrt(3), 0.001);
  EXPECT_NEAR(*ci_half_width(Values{1, 2, 3}, 0.99), 9.925 / std::sqrt(3), 0.001);
}

// hyperfine's tests of the modified z-score.
TEST(Summary, OutliersAreFarFromTheMedianInUnitsOfTheMad) {
  EXPECT_EQ(outliers_of(Values{0.5, 0.30, 0.29, 0.31, 0.30}), std::vector<std::size_t>{0});
  EXPECT_EQ(outliers_of(Values{10, 10, 10, 10, 10, 10, 10, 100}), std::vector<std::size_t>{7});
  EXPECT_TRUE(outliers_of(Values{-0.2, 0.0, 0.2}).empty());
  EXPECT_TRUE(outliers_of(Values{}).empty());
}

// Deviation from the mean 2 %, slope -0.3 % of the mean a step.
TEST(Summary, DeviationAndSlopeTellWhetherASeriesIsSteady) {
  const Values x{100, 102, 98, 101, 99};
  EXPECT_DOUBLE_EQ(relative_deviation(x), 0.02);
  EXPECT_DOUBLE_EQ(slope_of(x) / mean_of(x), -0.003);
  EXPECT_DOUBLE_EQ(slope_of(Values{1, 3, 5, 7}), 2);
  EXPECT_EQ(slope_of(Values{1}), 0);
}

/// Differences with mean m and standard deviation 1: t = m·√3 with two degrees of freedom.
Values around(double m) { return {m - 1, m, m + 1}; }

std::vector<bool> significant(const std::vector<Values>& samples) {
  std::vector<bool> flags;
  for (const Difference& d : holm(samples)) flags.push_back(d.significant);
  return flags;
}

// Critical t with two degrees of freedom: 4.303 at 5 %, 6.205 at 5 %/2, 7.649 at 5 %/3.
TEST(Holm, ComparesWithTheCriticalValueOfItsStep) {
  EXPECT_EQ(significant({around(3)}), (std::vector<bool>{true}));                           // 5.2
  EXPECT_EQ(significant({around(2)}), (std::vector<bool>{false}));                          // 3.5
  EXPECT_EQ(significant({around(3), around(5), around(4)}), std::vector<bool>(3, true));    // 5.2 8.7 6.9
  EXPECT_EQ(significant({around(3), around(4), around(-4)}), std::vector<bool>(3, false));  // 5.2 6.9 6.9
  EXPECT_EQ(significant({around(5), around(2), around(-3)}), (std::vector<bool>{true, false, false}));
}

TEST(Holm, GivesTheIntervalOfItsStep) {
  const std::vector<Difference> d = holm({around(3), around(5)});
  EXPECT_EQ(d[1].mean, 5);
  EXPECT_NEAR(*d[1].half_width, 6.205 / std::sqrt(3), 0.001);
  EXPECT_NEAR(*d[0].half_width, 4.303 / std::sqrt(3), 0.001);
}

TEST(Holm, ASinglePairOfRunsProvesNothing) {
  EXPECT_EQ(significant({{100}, {}}), (std::vector<bool>{false, false}));
}

TEST(Holm, IdenticalDifferencesAreCertain) {
  EXPECT_EQ(significant({{2, 2}}), (std::vector<bool>{true}));
  EXPECT_EQ(significant({{0, 0}}), (std::vector<bool>{false}));
}

}  // namespace
}  // namespace dp
