// dynamic: the least expected completion, (outstanding samples + this batch) × service time per sample.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <deque>

#include "route/strategy.hpp"

namespace dp {
namespace {

using namespace std::chrono_literals;

class DynamicTest : public testing::Test {
 protected:
  /// Worker with a known service time per sample and nothing outstanding.
  void join(Slot slot, Duration per_sample) {
    strategy_->joined(slot);
    strategy_->done(slot, 10, 10 * per_sample);
  }
  std::optional<Slot> choose(std::uint32_t samples, std::vector<Slot> ready) {
    return strategy_->choose({BatchId{0}, 0, samples}, ready);
  }
  std::unique_ptr<Strategy> strategy_ = make_strategy("dynamic", {2, {}, 1});
};

TEST_F(DynamicTest, TakesTheLeastExpectedCompletion) {
  join(0, 1ms);
  join(1, 3ms);
  EXPECT_EQ(choose(10, {0, 1}), 0U);  // 10 ms against 30 ms
  strategy_->sent(0, 10);
  EXPECT_EQ(choose(10, {0, 1}), 0U);  // 20 ms against 30 ms
  strategy_->sent(0, 11);
  EXPECT_EQ(choose(10, {0, 1}), 1U);  // 31 ms against 30 ms
  EXPECT_EQ(choose(20, {0, 1}), 0U);  // 41 ms against 60 ms
  strategy_->done(0, 10, 10ms);
  EXPECT_EQ(choose(10, {0, 1}), 0U);  // 21 ms against 30 ms
}

TEST_F(DynamicTest, ChoosesAmongTheReadyOnly) {
  join(0, 1ms);
  join(1, 3ms);
  EXPECT_EQ(choose(10, {1}), 1U);
  EXPECT_EQ(choose(10, {}), std::nullopt);
}

TEST_F(DynamicTest, ANewWorkerStartsFromTheMeanOfTheOthers) {
  join(0, 1ms);
  join(1, 3ms);
  strategy_->joined(2);               // 2 ms
  EXPECT_EQ(choose(10, {0, 2}), 0U);  // 10 ms against 20 ms
  EXPECT_EQ(choose(10, {1, 2}), 2U);  // 30 ms against 20 ms
  strategy_->sent(0, 9);
  EXPECT_EQ(choose(10, {0, 2}), 0U);  // 19 ms against 20 ms
  strategy_->sent(0, 2);
  EXPECT_EQ(choose(10, {0, 2}), 2U);  // 21 ms against 20 ms
}

TEST_F(DynamicTest, WithNothingKnownOutstandingSamplesDecide) {
  strategy_->joined(0);
  strategy_->joined(1);
  strategy_->sent(0, 10);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(choose(10, {0, 1}), 1U);
}

TEST_F(DynamicTest, LearnsANewSpeedButNotFromOneBatch) {
  join(0, 1ms);
  join(1, 3ms);
  strategy_->done(0, 10, 40ms);
  EXPECT_EQ(choose(10, {0, 1}), 0U);
  for (int i = 0; i < 50; ++i) strategy_->done(0, 10, 40ms);
  EXPECT_EQ(choose(10, {0, 1}), 1U);
}

TEST_F(DynamicTest, LearnsNothingFromABatchWithoutServiceTime) {
  join(0, 1ms);
  join(1, 2ms);
  strategy_->sent(0, 10);
  strategy_->done(0, 10, 0ms);
  strategy_->sent(1, 10);
  strategy_->done(1, 10, 0ms);
  EXPECT_EQ(choose(10, {0, 1}), 0U);
  strategy_->sent(0, 11);
  EXPECT_EQ(choose(10, {0, 1}), 1U);
}

TEST_F(DynamicTest, AWorkerThatReturnsOwesNothing) {
  join(0, 1ms);
  join(1, 1ms);
  strategy_->sent(0, 1000);
  strategy_->left(0);
  strategy_->joined(0);
  strategy_->sent(1, 1);
  EXPECT_EQ(choose(10, {0, 1}), 0U);
}

TEST_F(DynamicTest, TiesAreSpreadEvenlyBySeed) {
  std::vector<int> times(4);
  const Slot ready[] = {0, 1, 2, 3};
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    auto strategy = make_strategy("dynamic", {4, {}, seed});
    for (const Slot slot : ready) strategy->joined(slot);
    ++times[strategy->choose({BatchId{0}, 0, 1}, ready).value()];
  }
  double chi_squared = 0;
  for (const int seen : times) chi_squared += (seen - 1000.0) * (seen - 1000.0) / 1000.0;
  EXPECT_LT(chi_squared, 16.27);  // 99.9 % quantile, 3 degrees of freedom
}

/// Two workers with two batches each at most, one three times slower, always something to do.
TEST_F(DynamicTest, AWorkerThreeTimesSlowerServesAThird) {
  const Duration service[] = {10ms, 30ms};
  std::deque<Duration> ends[2];
  std::uint64_t served[2] = {};
  strategy_->joined(0);
  strategy_->joined(1);
  Duration now{};
  while (now < 120s) {
    std::vector<Slot> ready;
    for (const Slot slot : {0U, 1U}) {
      if (ends[slot].size() < 2) ready.push_back(slot);
    }
    if (const auto chosen = choose(32, ready)) {
      strategy_->sent(*chosen, 32);
      ends[*chosen].push_back((ends[*chosen].empty() ? now : ends[*chosen].back()) + service[*chosen]);
      continue;
    }
    const Slot next = ends[0].front() <= ends[1].front() ? 0 : 1;
    now = ends[next].front();
    ends[next].pop_front();
    ++served[next];
    strategy_->done(next, 32, service[next]);
  }
  EXPECT_NEAR(static_cast<double>(served[0]) / static_cast<double>(served[1]), 3, 0.1);
}

}  // namespace
}  // namespace dp
