// What a run that falls behind remembers of its lateness.
// SPDX-License-Identifier: MIT
#include "stream/backlog.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace dp {
namespace {

using std::chrono::microseconds;

TEST(Backlog, KeepsEachLatenessWhileThereAreNotTooMany) {
  Backlog backlog;
  for (std::size_t i = 0; i < Backlog::most; ++i) backlog.push(microseconds(i));
  for (std::size_t i = 0; i < Backlog::most; ++i) ASSERT_EQ(backlog.pop(), microseconds(i));
  EXPECT_TRUE(backlog.empty());
}

// One in 50 is late by a millisecond.
TEST(Backlog, OfManyKeepsHowManyAndHowTheyAreSpread) {
  constexpr int batches = 1'000'000;
  Backlog backlog;
  Rng rng(1);
  for (int i = 0; i < batches; ++i) backlog.push(rng.below(50) == 0 ? microseconds(1000) : microseconds(1));
  int late = 0;
  for (int i = 0; i < batches; ++i) {
    ASSERT_FALSE(backlog.empty()) << i;
    late += backlog.pop() == microseconds(1000);
  }
  EXPECT_TRUE(backlog.empty());
  EXPECT_NEAR(late, batches / 50, batches / 200);
}

}  // namespace
}  // namespace dp
