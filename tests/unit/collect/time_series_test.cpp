// A run by time, however long it gets: what rows say against sums and sorted values worked out here.
// SPDX-License-Identifier: MIT
#include "collect/time_series.hpp"

#include <gmock/gmock.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/random.hpp"

namespace dp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Each;
using testing::Field;
using testing::Optional;
using testing::SizeIs;

/// The smallest value that at least `p` of all do not exceed; they are in order.
double nearest_rank_ms(const std::vector<Duration>& values, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(values.size()) - 1e-9));
  return to_ms(values.at(std::max<std::size_t>(rank, 1) - 1));
}

TEST(TimeSeries, HasARowASecondAsLongAsThereAreNotTooMany) {
  TimeSeries series;
  for (int s = 0; s < 512; ++s) series.completed(seconds(s) + milliseconds(999), 3, milliseconds(s + 1));
  const auto rows = series.rows();
  ASSERT_THAT(rows, SizeIs(512));
  EXPECT_THAT(rows, Each(Field(&SecondOfRun::seconds, 1U)));
  EXPECT_THAT(rows, Each(Field(&SecondOfRun::completed, 3U)));
  EXPECT_EQ(rows[511].t_s, 511);
  EXPECT_THAT(rows[511].max_ms, Optional(512));
  EXPECT_NEAR(rows[300].p50_ms.value(), 301, 0.0005 * 301) << "three digits while rows are seconds";
}

TEST(TimeSeries, JoinsNeighboursWhenThereAreTooMany) {
  TimeSeries series;
  for (int s = 0; s < 513; ++s) {
    series.offered(seconds(s), 10);
    if (s > 0) series.completed(seconds(s), 10, milliseconds(s));
  }
  const auto rows = series.rows();
  ASSERT_THAT(rows, SizeIs(257));
  EXPECT_THAT(rows, Each(Field(&SecondOfRun::seconds, 2U)));
  EXPECT_EQ(rows[1].t_s, 2);
  EXPECT_EQ(rows[0].offered, 20U);
  EXPECT_EQ(rows[0].completed, 10U);
  EXPECT_EQ(rows[0].queue, 10U);
  EXPECT_THAT(rows[0].max_ms, Optional(1));
  EXPECT_EQ(rows[100].offered, 20U);
  EXPECT_EQ(rows[100].completed, 20U);
  EXPECT_EQ(rows[100].queue, 10U);
  EXPECT_THAT(rows[100].max_ms, Optional(201)) << "of seconds 200 and 201";
  EXPECT_NEAR(rows[100].p50_ms.value(), 200, 0.008 * 200);
  EXPECT_EQ(rows[256].offered, 10U) << "second 512 alone";
}

TEST(TimeSeries, OfALongRunLosesNothingAndKnowsItsPercentiles) {
  TimeSeries series;
  Rng rng(7);
  std::map<std::int64_t, std::vector<Duration>> by_row;
  constexpr std::int64_t hours = 1, width = 8;  // 3600 s / 512, and the next power of two
  std::uint64_t offered = 0, completed = 0;
  for (std::int64_t s = 0; s < hours * 3600; ++s) {
    for (int i = 0; i < 90; ++i) {
      const Duration latency = from_seconds(0.005 + rng.exponential(0.02) * (s % 16 < 8 ? 1 : 10));
      series.offered(seconds(s), 4);
      series.completed(seconds(s), 4, latency);
      by_row[s / width].push_back(latency);
    }
  }
  const auto rows = series.rows();
  ASSERT_THAT(rows, SizeIs(by_row.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& latencies = by_row[static_cast<std::int64_t>(i)];
    std::ranges::sort(latencies);
    const double p50 = nearest_rank_ms(latencies, 0.5), p99 = nearest_rank_ms(latencies, 0.99);
    ASSERT_EQ(rows[i].t_s, static_cast<double>(i * width));
    ASSERT_EQ(rows[i].seconds, width);
    ASSERT_NEAR(rows[i].p50_ms.value(), p50, 0.008 * p50) << i;
    ASSERT_NEAR(rows[i].p99_ms.value(), p99, 0.008 * p99) << i;
    ASSERT_EQ(rows[i].max_ms.value(), to_ms(latencies.back())) << i;
    offered += rows[i].offered;
    completed += rows[i].completed;
  }
  EXPECT_EQ(offered, hours * 3600U * 90 * 4);
  EXPECT_EQ(completed, offered);
}

TEST(TimeSeries, TakesABatchThatComesLate) {
  TimeSeries series;
  series.completed(seconds(3), 1, milliseconds(10));
  series.completed(seconds(4), 1, milliseconds(10));
  series.completed(seconds(3), 1, milliseconds(40));
  series.completed(seconds(1), 1, milliseconds(5));
  const auto rows = series.rows();
  ASSERT_THAT(rows, SizeIs(5));
  EXPECT_EQ(rows[3].completed, 2U);
  EXPECT_NEAR(rows[3].p50_ms.value(), 10, 0.08);
  EXPECT_THAT(rows[3].max_ms, Optional(40));
  EXPECT_THAT(rows[1].p50_ms, Optional(testing::DoubleNear(5, 0.04)));
  EXPECT_FALSE(rows[0].p50_ms) << "nothing came then";
}

TEST(TimeSeries, IsBoundedWhateverTheStampsAre) {
  TimeSeries series;
  series.offered(Duration::max(), 1);
  series.offered(Duration::min(), 2);
  series.completed(Duration::max(), 1, Duration::max());
  series.completed(seconds(5), 1, Duration::min());
  const auto rows = series.rows();
  EXPECT_LE(rows.size(), TimeSeries::most_rows);
  EXPECT_EQ(rows.front().offered, 2U);
  EXPECT_EQ(rows.back().queue, 1U);
}

// Bins of 8 bytes, 64 a doubling, 27 doublings from 10 µs to 1000 s, 512 rows: 7 MB.
TEST(TimeSeries, TakesLessThan8MBWhateverTheLatencies) {
  const auto in_use = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  const std::size_t before = in_use();
  TimeSeries series;
  Rng rng(1);
  for (int s = 0; s < 512; ++s) {
    for (int i = 0; i < 3000; ++i)
      series.completed(seconds(s), 1, from_seconds(1e-5 * std::pow(1e8, rng.uniform())));
  }
  const std::size_t first = in_use() - before;
  EXPECT_LT(first, 8'000'000U);
  for (int s = 512; s < 4096; ++s) {
    for (int i = 0; i < 100; ++i)
      series.completed(seconds(s), 1, from_seconds(1e-5 * std::pow(1e8, rng.uniform())));
  }
  EXPECT_LT(in_use() - before, 8'000'000U);
}

}  // namespace
}  // namespace dp
