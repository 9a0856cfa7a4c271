// When a percentile may be stated, against MLPerf's published numbers.
// SPDX-License-Identifier: MIT
#include "stats/percentile_support.hpp"

#include <gtest/gtest.h>

namespace dp {
namespace {

struct Needed {
  double p;
  std::uint64_t over, n;
};

// MLPerf Inference early stopping: tolerance 0, confidence 0.99.
constexpr Needed published[] = {{0.90, 0, 44},    {0.90, 1, 64},      {0.90, 2, 81},       {0.90, 5, 127},
                                {0.90, 10, 197},  {0.90, 100, 1246},  {0.99, 0, 459},      {0.99, 1, 662},
                                {0.99, 2, 838},   {0.99, 10, 2010},   {0.99, 100, 12571},  {0.999, 0, 4603},
                                {0.999, 1, 6636}, {0.999, 10, 20140}, {0.999, 100, 125826}};

TEST(PercentileSupport, NeedsExactlyThePublishedNumberOfSamples) {
  for (const Needed& c : published) EXPECT_EQ(samples_needed(c.p, c.over), c.n) << c.p << " " << c.over;
}

TEST(PercentileSupport, BeginsWithOneObservationAboveThePercentile) {
  for (const Needed& c : published) {
    if (c.over != 1) continue;
    EXPECT_TRUE(supported(c.p, c.n)) << c.p;
    EXPECT_FALSE(supported(c.p, c.n - 1)) << c.p;
  }
  EXPECT_FALSE(supported(0.5, 0));
  EXPECT_FALSE(supported(0.5, 1));
}

TEST(PercentileSupport, BoundIsTheFirstRankWhoseSamplesAreTooFew) {
  EXPECT_EQ(upper_bound_from_top(0.99, 458), std::nullopt);
  for (const Needed& c : published) {
    EXPECT_EQ(upper_bound_from_top(c.p, c.n), c.over + 1) << c.p << " " << c.n;
    if (c.over > 0) {
      EXPECT_EQ(upper_bound_from_top(c.p, c.n - 1), c.over) << c.p << " " << c.n;
    }
  }
}

}  // namespace
}  // namespace dp
