// Latency figures from histograms: ranks, support and bounds.
// SPDX-License-Identifier: MIT
#include "report/latency.hpp"

#include <gtest/gtest.h>

namespace dp {
namespace {

Histogram milliseconds(int n, int copies) {
  Histogram h;
  for (int v = 1; v <= n; ++v) h.record(v * 1000000, static_cast<std::uint64_t>(copies));
  return h;
}

TEST(Latency, HasNoFiguresWithoutMeasurements) {
  const Latency l = latency_of({}, 0);
  EXPECT_EQ(l, Latency{});
  EXPECT_FALSE(l.mean.has_value());
}

TEST(Latency, GivesNearestRanksInMilliseconds) {
  const Latency l = latency_of(milliseconds(1000, 1), 1000);
  EXPECT_NEAR(*l.p50, 500, 0.5);
  EXPECT_NEAR(*l.p99, 990, 1);
  EXPECT_NEAR(*l.mean, 500.5, 1e-9);
  EXPECT_EQ(*l.max, 1000);
}

// p90 needs 64, p99 662, p99.9 6636 independent observations (MLPerf early stopping).
TEST(Latency, SupportsPercentilesByBatchesNotSamples) {
  const Latency l = latency_of(milliseconds(1000, 32), 662);
  EXPECT_TRUE(l.supported.p90);
  EXPECT_TRUE(l.supported.p99);
  EXPECT_FALSE(l.supported.p999);
  EXPECT_FALSE(latency_of(milliseconds(1000, 32), 661).supported.p99);
}

// With 838 observations two may lie above p99's bound: it is the third largest.
TEST(Latency, BoundsFromAboveAtTheRankTheBatchesAllow) {
  EXPECT_NEAR(*latency_of(milliseconds(838, 1), 838).upper.p99, 836, 0.5);
  EXPECT_NEAR(*latency_of(milliseconds(838, 32), 838).upper.p99, 836, 0.5);
  EXPECT_EQ(latency_of(milliseconds(458, 1), 458).upper.p99, std::nullopt);
}

}  // namespace
}  // namespace dp
