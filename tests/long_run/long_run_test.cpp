// Memory of all tools together does not grow with the length of a run, nor with what passes.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <malloc.h>

#include "pipeline.hpp"

namespace dp {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

/// Bytes that are allocated; 0 where a sanitizer has its own allocator.
double allocated() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

PlanOptions plan_of(double batches_a_second, Duration length) {
  PlanOptions plan;
  plan.layout = "sequential";
  plan.batch_size = {1, 1};
  plan.rate = batches_a_second;
  plan.samples = static_cast<std::uint64_t>(batches_a_second * to_seconds(length));
  plan.poisson = true;
  return plan;
}

// In the first hours what is bounded fills: digests of the latest 65,536 batches, and the rows of the series.
TEST(LongRun, TakesLessThanAMegabyteMoreAnHour) {
  Pipeline pipeline(plan_of(10, hours(4)), milliseconds(20));
  pipeline.run_until(hours(2));
  if (allocated() == 0) GTEST_SKIP() << "the allocator does not tell";
  const double before = allocated();
  EXPECT_LT(before, 64e6) << "all tools together";
  EXPECT_GT(pipeline.settled(), 71'000U);
  pipeline.run_until(hours(3));
  EXPECT_GT(pipeline.settled(), 106'000U);
  EXPECT_LT(allocated() - before, 1e6) << "bytes in an hour";
}

// A number kept for each would be eight bytes.
TEST(LongRun, TakesNothingMoreForABatch) {
  Pipeline pipeline(plan_of(400, minutes(30)), milliseconds(1));
  pipeline.run_until(minutes(10));
  const double before = allocated();
  const std::uint64_t settled = pipeline.settled();
  pipeline.run_until(minutes(20));
  const double batches = static_cast<double>(pipeline.settled() - settled);
  EXPECT_GT(batches, 235'000);
  EXPECT_LT((allocated() - before) / batches, 4) << "bytes a batch";
}

// 2000/s are due and 200/s is what the worker can do.
TEST(LongRun, TakesNothingMoreForABatchThatWaits) {
  Pipeline pipeline(plan_of(2000, minutes(15)), milliseconds(5));
  pipeline.run_until(minutes(5));
  const double before = allocated();
  pipeline.run_until(minutes(10));
  EXPECT_LT(pipeline.settled(), 125'000U);
  EXPECT_LT((allocated() - before) / (1800 * 300), 4) << "bytes for each batch by which it fell back";
}

TEST(LongRun, EndsAsAnyOther) {
  Pipeline pipeline(plan_of(10, minutes(20)), milliseconds(20));
  pipeline.run_until(minutes(21));
  const RunReport report = pipeline.report();
  EXPECT_EQ(report.batches.completed, 12'000U);
  EXPECT_EQ(report.batches.lost, 0U);
  EXPECT_LE(report.series.size(), 512U);
  EXPECT_EQ(report.series.at(0).seconds, 4U);
  std::uint64_t completed = 0;
  for (const SecondOfRun& row : report.series) completed += row.completed;
  EXPECT_EQ(completed, 12'000U);
}

}  // namespace
}  // namespace dp
