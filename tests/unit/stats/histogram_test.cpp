// The histogram against HdrHistogram's own vectors and against sorted values.
// SPDX-License-Identifier: MIT
#include "stats/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"

namespace dp {
namespace {

// HdrHistogram's own C test: 10,000 values of 1000 and one of 1e8, three digits.
TEST(Histogram, ReproducesHdrHistogramsPercentiles) {
  Histogram h;
  h.record(1000, 10000);
  h.record(100000000);
  EXPECT_EQ(h.count(), 10001u);
  EXPECT_EQ(h.percentile(0.9999), 1000);
  EXPECT_NEAR(static_cast<double>(h.percentile(0.99999)), 1e8, 1e8 * 0.001);
  EXPECT_EQ(h.max(), 100000000);
}

TEST(Histogram, IsExactBelow2048) {
  Histogram h;
  for (int v = 0; v < 2048; ++v) h.record(v);
  for (std::uint64_t rank = 1; rank <= 2048; ++rank) ASSERT_EQ(h.at_rank(rank), static_cast<int>(rank) - 1);
}

TEST(Histogram, KeepsThreeSignificantDigitsAtEveryMagnitude) {
  for (double exact = 1; exact < 9e18; exact *= 1.01) {
    const auto value = static_cast<std::int64_t>(exact);
    Histogram h;
    h.record(0), h.record(value), h.record(INT64_MAX);
    const double error = std::abs(static_cast<double>(h.at_rank(2)) - static_cast<double>(value));
    ASSERT_LE(error, 0.0005 * static_cast<double>(value)) << value;
  }
}

TEST(Histogram, AgreesWithTheNearestRankOfTheSortedValues) {
  Rng rng(7);
  Histogram h;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 1000; ++i) values.push_back(static_cast<std::int64_t>(rng.exponential(5e6)));
  for (std::int64_t v : values) h.record(v);
  std::sort(values.begin(), values.end());
  for (const auto& [p, index] : {std::pair{0.5, 499}, {0.9, 899}, {0.99, 989}, {0.999, 998}, {1.0, 999}}) {
    const double exact = static_cast<double>(values[static_cast<std::size_t>(index)]);
    EXPECT_NEAR(static_cast<double>(h.percentile(p)), exact, exact * 0.0005) << p;
  }
}

TEST(Histogram, MergingEqualsRecordingTogether) {
  Histogram a, b, both;
  for (int v : {1, 5000, 70000}) a.record(v), both.record(v);
  for (int v : {0, 900000000}) b.record(v), both.record(v);
  a.merge(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.min(), 0);
  EXPECT_EQ(a.max(), 900000000);
  EXPECT_EQ(a.mean(), both.mean());
  for (std::uint64_t rank = 1; rank <= 5; ++rank) EXPECT_EQ(a.at_rank(rank), both.at_rank(rank));
}

TEST(Histogram, IsZeroWhenEmptyAndCountsNegativeValuesAsZero) {
  Histogram h;
  EXPECT_EQ(h.percentile(0.5), 0);
  EXPECT_EQ(h.min(), 0);
  h.record(-5);
  EXPECT_EQ(h.min(), 0);
  EXPECT_EQ(h.max(), 0);
  EXPECT_EQ(h.count(), 1u);
}

TEST(Histogram, TellsEveryBinOnce) {
  Histogram h;
  h.record(3, 2), h.record(1000000), h.record(7);
  std::vector<std::pair<std::int64_t, std::uint64_t>> bins;
  h.for_each_bin([&](std::int64_t lower, std::uint64_t count) { bins.emplace_back(lower, count); });
  ASSERT_EQ(bins.size(), 3u);
  EXPECT_EQ(bins[0], (std::pair<std::int64_t, std::uint64_t>{3, 2}));
  EXPECT_EQ(bins[1], (std::pair<std::int64_t, std::uint64_t>{7, 1}));
  EXPECT_LE(bins[2].first, 1000000);
  EXPECT_GE(bins[2].first, 999000);
}

TEST(NearestRank, IsTheSmallestRankThatReachesTheFraction) {
  struct Case {
    double p;
    std::uint64_t n, rank;
  };
  for (const Case& c : {Case{0, 10, 1},
                        {0.5, 10, 5},
                        {0.5, 11, 6},
                        {0.99, 100, 99},
                        {0.991, 100, 100},
                        {0.9999, 10001, 10000},
                        {0.07, 100, 7},
                        {1, 10, 10},
                        {0.5, 1, 1}}) {
    EXPECT_EQ(nearest_rank(c.p, c.n), c.rank) << c.p << " of " << c.n;
  }
}

}  // namespace
}  // namespace dp
