// The interval of a slope, by hand and against a printed table of Student's t.
// SPDX-License-Identifier: MIT
#include "stats/trend.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace dp {
namespace {

using Values = std::vector<double>;

// Fit 1.1, 1.7, 2.3, 2.9: squared residuals sum to 0.2, over 2 degrees of freedom and Σ(i - 1.5)² = 5;
// t(0.995; 2) = 9.925.
TEST(Trend, HasTheIntervalOfStudent) {
  const Trend t = trend_of(Values{1, 2, 2, 3});
  EXPECT_NEAR(t.slope, 0.6, 1e-12);
  ASSERT_TRUE(t.half_width);
  EXPECT_NEAR(*t.half_width, 9.925 * std::sqrt(0.2 / 2 / 5), 0.001);
  EXPECT_EQ(t.certain(), 0) << "the interval spans 0";
}

// Slope 0, mean 1/3: residuals -1/3 four times and 2/3 twice, squares 4/3, products of neighbours 2/9, so r =
// 1/6; over 4 degrees of freedom and Σ(i - 2.5)² = 17.5; t(0.995; 4) = 4.604.
TEST(Trend, OfASeriesThatWandersIsLessCertain) {
  const Values x{0, 0, 1, 1, 0, 0};
  const double independent = 4.604 * std::sqrt(4.0 / 3 / 4 / 17.5);
  EXPECT_NEAR(*trend_of(x).half_width, independent, 0.001);
  EXPECT_NEAR(*trend_of(x, Series::wandering).half_width, independent * std::sqrt(7.0 / 5), 0.001);
  EXPECT_NEAR(*trend_of(Values{1, 2, 2, 3}, Series::wandering).half_width,
              *trend_of(Values{1, 2, 2, 3}).half_width, 1e-12)
      << "residuals that alternate do not make it more certain";
}

TEST(Trend, OfALineIsCertain) {
  const Trend falling = trend_of(Values{8, 6, 4, 2});
  EXPECT_DOUBLE_EQ(falling.slope, -2);
  EXPECT_NEAR(*falling.half_width, 0, 1e-12);
  EXPECT_NEAR(falling.certain(), 2, 1e-12);
}

TEST(Trend, OfTooFewValuesHasNoInterval) {
  EXPECT_EQ(trend_of(Values{}).slope, 0);
  EXPECT_DOUBLE_EQ(trend_of(Values{1, 3}).slope, 2);
  EXPECT_FALSE(trend_of(Values{1, 3}).half_width);
  EXPECT_EQ(trend_of(Values{1, 3}).certain(), 0);
}

}  // namespace
}  // namespace dp
