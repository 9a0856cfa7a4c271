// What is particular to each rule, by figures worked out by hand.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "route/decay.hpp"
#include "route/dispatcher.hpp"
#include "strategy_rig.hpp"

namespace dp {
namespace {

/// Where 4,000 batches go while nothing changes.
std::vector<int> shares(StrategyRig& rig, Slot workers) {
  std::vector<int> times(workers);
  for (std::uint64_t id = 0; id < 4000; ++id) ++times[*rig.choose(id)];
  return times;
}
constexpr double most_of_3 = 16.27;  ///< 99.9 % quantile of chi squared, 3 degrees of freedom

// ---- uniform ---------------------------------------------------------------------------------------------

TEST(Uniform, GivesBatchBToWorkerBModWWhateverTheLoad) {
  for (const std::uint32_t workers : {1U, 2U, 3U, 8U}) {
    StrategyRig rig("uniform", workers);
    rig.join_all(workers, 0);
    rig.set_load(0, 1000, 1'000'000);
    for (std::uint64_t id = 0; id < 100; ++id) EXPECT_EQ(rig.choose(id), id % workers);
  }
}

TEST(Uniform, DealsALostWorkersBatchesRoundTheSurvivors) {
  StrategyRig rig("uniform", 3);
  rig.join_all(3);
  rig.leave(1);
  std::vector<Slot> dealt;
  for (const std::uint64_t id : {1, 4, 7, 10}) dealt.push_back(rig.choose(id).value());
  EXPECT_EQ(dealt, (std::vector<Slot>{0, 2, 0, 2}));
}

TEST(Uniform, DealsABatchThatFailedAtHomeRoundTheOthers) {
  StrategyRig rig("uniform", 3);
  rig.join_all(3);
  std::vector<Slot> dealt;
  for (const std::uint64_t id : {1, 4, 7, 10}) dealt.push_back(rig.choose(id, 0, 32, 1).value());
  EXPECT_EQ(dealt, (std::vector<Slot>{0, 2, 0, 2}));
}

// ---- random, p2c, jsq, jbsq, jiq, lwl --------------------------------------------------------------------

TEST(Random, IgnoresLoad) {
  StrategyRig rig("random", 4);
  rig.join_all(4);
  rig.set_load(2, 1000, 32'000);
  EXPECT_LT(chi_squared(shares(rig, 4)), most_of_3);
}

TEST(PowerOfTwoChoices, TheMostLoadedGetsNothingAndTheLeastHalf) {
  StrategyRig rig("p2c", 4);
  rig.join_all(4);
  for (Slot slot = 0; slot < 4; ++slot) rig.set_load(slot, slot, 1);
  // Of the 6 pairs: slot 0 wins 3, slot 1 wins 2, slot 2 wins 1.
  const auto times = shares(rig, 4);
  EXPECT_NEAR(times[0], 2000, 110);
  EXPECT_NEAR(times[1], 1333, 105);
  EXPECT_NEAR(times[2], 667, 83);
  EXPECT_EQ(times[3], 0);
}

TEST(ShortestQueue, CountsBatchesNotSamples) {
  StrategyRig rig("jsq", 3);
  rig.join_all(3, 0);  // credit does not matter
  rig.set_load(0, 3, 3);
  rig.set_load(1, 2, 2000);
  rig.set_load(2, 4, 4);
  EXPECT_EQ(rig.choose(), 1U);
  EXPECT_EQ(rig.choose(0, 0, 32, 1), 0U);
}

TEST(ShortestQueue, OfThreeTheLeastLoadedOfFourWinsThreeTimesInFour) {
  StrategyRig rig("jsq:d=3", 4);
  rig.join_all(4);
  for (Slot slot = 0; slot < 4; ++slot) rig.set_load(slot, slot, 1);
  const auto times = shares(rig, 4);  // slot 0 is among the three in 3 of 4 draws; if not, slot 1 is
  EXPECT_NEAR(times[0], 3000, 95);
  EXPECT_EQ(times[0] + times[1], 4000);
}

TEST(BoundedShortestQueue, KeepsBatchesWhileEverybodyHasEnough) {
  StrategyRig rig("jbsq:n=2", 2);
  rig.join_all(2);
  rig.set_load(0, 2, 1);
  rig.set_load(1, 1, 1);
  EXPECT_EQ(rig.choose(), 1U);
  EXPECT_EQ(rig.choose(0, 0, 32, 1), std::nullopt);
  rig.set_load(1, 2, 1);
  EXPECT_EQ(rig.choose(), std::nullopt);
  rig.set_load(0, 1, 1);
  EXPECT_EQ(rig.choose(), 0U);
}

TEST(IdleQueue, TakesTheIdleElseAnybody) {
  StrategyRig rig("jiq", 4);
  rig.join_all(4);
  for (const Slot slot : {0U, 1U, 3U}) rig.set_load(slot, 1, 1);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(rig.choose(), 2U);
  EXPECT_NE(rig.choose(0, 0, 32, 2), 2U);
  rig.set_load(2, 1, 1);
  EXPECT_LT(chi_squared(shares(rig, 4)), most_of_3);
}

TEST(LeastWorkLeft, CountsSamplesNotBatches) {
  StrategyRig rig("lwl", 3);
  rig.join_all(3);
  rig.set_load(0, 1, 64);
  rig.set_load(1, 7, 56);
  rig.set_load(2, 2, 128);
  EXPECT_EQ(rig.choose(), 1U);
}

// ---- dynamic ---------------------------------------------------------------------------------------------

struct DynamicTest : testing::Test {
  StrategyRig rig{"dynamic", 2};
  void join(Slot slot, Duration per_sample) {
    rig.join(slot);
    rig.served(slot, 10, 10 * per_sample);
  }
  void only_ready(std::set<Slot> ready) {
    for (Slot slot = 0; slot < rig.view().slots(); ++slot) rig.set_credit(slot, ready.contains(slot) ? 9 : 0);
  }
};

TEST_F(DynamicTest, TakesTheLeastExpectedCompletion) {
  join(0, 1ms);
  join(1, 3ms);
  EXPECT_EQ(rig.choose_samples(10), 0U);  // 10 ms against 30 ms
  rig.set_load(0, 1, 10);
  EXPECT_EQ(rig.choose_samples(10), 0U);  // 20 ms against 30 ms
  rig.set_load(0, 2, 21);
  EXPECT_EQ(rig.choose_samples(10), 1U);  // 31 ms against 30 ms
  EXPECT_EQ(rig.choose_samples(20), 0U);  // 41 ms against 60 ms
}

TEST_F(DynamicTest, ChoosesAmongTheReadyOnly) {
  join(0, 1ms);
  join(1, 3ms);
  only_ready({1});
  EXPECT_EQ(rig.choose_samples(10), 1U);
  only_ready({});
  EXPECT_EQ(rig.choose_samples(10), std::nullopt);
}

TEST_F(DynamicTest, ANewWorkerStartsFromTheMeanOfTheOthers) {
  join(0, 1ms);
  join(1, 3ms);
  rig.join(2);  // 2 ms
  only_ready({0, 2});
  EXPECT_EQ(rig.choose_samples(10), 0U);  // 10 ms against 20 ms
  only_ready({1, 2});
  EXPECT_EQ(rig.choose_samples(10), 2U);  // 30 ms against 20 ms
  only_ready({0, 2});
  rig.set_load(0, 1, 9);
  EXPECT_EQ(rig.choose_samples(10), 0U);  // 19 ms against 20 ms
  rig.set_load(0, 1, 11);
  EXPECT_EQ(rig.choose_samples(10), 2U);  // 21 ms against 20 ms
}

TEST_F(DynamicTest, OfThoseThatLeftNothingIsInTheMeanAndSpeedsOfAProcessThatIsBackHold) {
  join(0, 1ms);
  join(1, 100ms);
  rig.leave(1);
  rig.join(2);  // 1 ms
  rig.set_load(0, 1, 1);
  EXPECT_EQ(rig.choose_samples(10), 2U);  // 11 ms against 10 ms
  rig.join(1, 9, true);                   // 100 ms
  only_ready({1, 2});
  EXPECT_EQ(rig.choose_samples(10), 2U);  // 1000 ms against 505 ms
  rig.leave(1);
  rig.join(1);  // another process: 1 ms
  rig.set_load(2, 1, 1);
  EXPECT_EQ(rig.choose_samples(10), 1U);
}

TEST_F(DynamicTest, LearnsANewSpeedButNotFromOneBatch) {
  join(0, 1ms);
  join(1, 3ms);
  rig.served(0, 10, 40ms);  // 0.2 × 4 ms + 0.8 × 1 ms a sample
  EXPECT_EQ(rig.choose_samples(10), 0U);
  for (int i = 0; i < 50; ++i) rig.served(0, 10, 40ms);
  EXPECT_EQ(rig.choose_samples(10), 1U);
}

TEST_F(DynamicTest, LearnsNothingFromABatchWithoutServiceTime) {
  join(0, 1ms);
  join(1, 2ms);
  for (int i = 0; i < 50; ++i) rig.served(1, 10, 0ms);
  EXPECT_EQ(rig.choose_samples(10), 0U);
}

TEST_F(DynamicTest, WithNothingKnownOutstandingSamplesDecide) {
  rig.join_all(2);
  rig.set_load(0, 1, 10);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.choose_samples(10), 1U);
}

/// Two workers with two batches each at most, one three times slower, always something to do.
TEST(Dynamic, AWorkerThreeTimesSlowerServesAThird) {
  const Duration service[] = {10ms, 30ms};
  Dispatcher dispatcher(make_strategy("dynamic", {2, {}, 1}));
  Time now{1000s}, free_at[] = {now, now};
  std::map<std::pair<Time, Slot>, Ticket> ends;
  std::uint64_t served[2] = {}, sent = 0;
  for (const Slot slot : {0U, 1U}) {
    dispatcher.join(now, slot, false);
    dispatcher.credit(now, slot, 2);
  }
  while (now < Time{1120s}) {
    while (dispatcher.waiting() < 4) dispatcher.arrive(now, {BatchId{sent++}, 0, 32}, 0);
    while (const auto ticket = dispatcher.next(now)) {
      free_at[ticket->slot] = std::max(now, free_at[ticket->slot]) + service[ticket->slot];
      ends.emplace(std::pair(free_at[ticket->slot], ticket->slot), *ticket);
    }
    const auto [end, ticket] = *ends.begin();
    ends.erase(ends.begin());
    now = end.first;
    ++served[ticket.slot];
    dispatcher.observe(now, ticket.slot, 32, service[ticket.slot], service[ticket.slot]);
    dispatcher.finish(now, ticket, AttemptEnd::served);
    dispatcher.credit(now, ticket.slot, dispatcher.view()[ticket.slot].credit + 1);
  }
  EXPECT_NEAR(static_cast<double>(served[0]) / static_cast<double>(served[1]), 3, 0.1);
}

// ---- wrr, peak-ewma, prequal -----------------------------------------------------------------------------

/// nginx's example: weights 5, 1, 1 give a a b a c a a, where equals are drawn.
TEST(WeightedRoundRobin, InterleavesTurnsByWeight) {
  StrategyRig rig("wrr", 3);
  rig.join_all(3);
  rig.served(0, 10, 200ms);
  rig.served(1, 10, 1s);
  rig.served(2, 10, 1s);
  std::string turns;
  for (int i = 0; i < 70; ++i) turns += static_cast<char>('a' + *rig.choose());
  for (std::size_t round = 0; round < turns.size(); round += 7) {
    std::string one = turns.substr(round, 7);
    EXPECT_EQ(one[0], 'a') << turns;
    EXPECT_EQ(one[1], 'a') << turns;
    EXPECT_EQ(one[3], 'a') << turns;
    EXPECT_EQ(std::count(one.begin(), one.end(), 'b'), 1) << turns;
    EXPECT_EQ(std::count(one.begin(), one.end(), 'c'), 1) << turns;
  }
}

TEST(WeightedRoundRobin, GivesAnUnknownWorkerTheShareOfTheMean) {
  StrategyRig rig("wrr", 2);
  rig.join_all(2);
  rig.served(0, 10, 10ms);
  const auto times = shares(rig, 2);
  EXPECT_EQ(times[0], times[1]);
}

TEST(PeakEwma, JumpsToAPeakAtOnceAndForgetsItSlowly) {
  StrategyRig rig("peak-ewma:decay=10s", 2);
  rig.join_all(2);
  rig.served(0, 10, 10ms);
  rig.served(1, 10, 10ms);
  rig.served(0, 10, 1s);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.choose(), 1U);
  for (Slot slot : {0U, 1U}) rig.set_load(slot, 1, 1);
  rig.pass(10s);  // 1 s / e = 0.37 s, × 2 outstanding; against 10 ms / e × 2
  EXPECT_EQ(rig.choose(), 1U);
  rig.served(1, 10, 500ms);  // 0.5 s × 2
  EXPECT_EQ(rig.choose(), 0U);
  rig.set_load(0, 2, 1);  // 0.37 s × 3
  EXPECT_EQ(rig.choose(), 1U);
}

TEST(PeakEwma, AWorkerThatHasNotAnsweredYetIsTheLastChoice) {
  StrategyRig rig("peak-ewma", 2);
  rig.join_all(2);
  rig.served(1, 10, 5s);
  EXPECT_EQ(rig.choose(), 0U);  // never tried
  rig.set_load(0, 1, 1);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.choose(), 1U);
}

TEST(PeakEwma, DecaysAsTheExponentialFunction) {
  EXPECT_EQ(decay(0), 1);
  for (double x = 1e-9; x < 690; x *= 1.01) EXPECT_NEAR(decay(x) / std::exp(-x), 1, 1e-15) << x;
  EXPECT_EQ(decay(1e300), 0);
}

TEST(Prequal, OfTheColdTheLeastExpectedLatency) {
  StrategyRig rig("prequal", 4);
  rig.join_all(4);
  const Duration speeds[] = {1ms, 2ms, 3ms, 4ms};
  for (Slot slot = 0; slot < 4; ++slot) rig.served(slot, 10, 10 * speeds[slot]);
  EXPECT_EQ(rig.choose_samples(10), 0U);
  rig.set_load(0, 1, 15);  // 25 ms against 20 ms
  EXPECT_EQ(rig.choose_samples(10), 1U);
}

TEST(Prequal, AHotWorkerIsAvoidedHoweverFast) {
  StrategyRig rig("prequal", 16);
  rig.join_all(16);
  for (Slot slot = 0; slot < 16; ++slot) {
    rig.served(slot, 10, slot < 2 ? 1us : 100ms);
    rig.set_load(slot, slot < 2 ? 9 : 1, 1);  // 2 of 16 are above the 84 % quantile
  }
  for (int i = 0; i < 50; ++i) EXPECT_GE(*rig.choose(), 2U);
  rig.set_load(2, 9, 1);  // 3 of 16 are not: 14 of 16 are cold at least
  EXPECT_LT(*rig.choose(), 2U);
}

// ---- hash rules ------------------------------------------------------------------------------------------

constexpr ShardId many = 20'000;

std::vector<Slot> placement(StrategyRig& rig) {
  std::vector<Slot> slots;
  for (ShardId shard = 0; shard < many; ++shard) slots.push_back(*rig.choose(7, shard));
  return slots;
}

TEST(HashRules, AShardStaysTogetherWhateverTheBatch) {
  for (const std::string name : {"rendezvous", "maglev", "ch-bl"}) {
    StrategyRig rig(name, 4, std::vector<std::uint64_t>(many, 1));
    rig.join_all(4);
    for (ShardId shard = 0; shard < 100; ++shard) {
      for (std::uint64_t id = 0; id < 20; ++id) EXPECT_EQ(rig.choose(id, shard), rig.choose(0, shard)) << name;
    }
  }
}

TEST(HashRules, ByBatchShardsDoNotMatter) {
  for (const std::string name : {"rendezvous", "maglev", "ch-bl"}) {
    StrategyRig rig(name + ":key=batch", 4);
    rig.join_all(4);
    std::set<Slot> used;
    for (std::uint64_t id = 0; id < 100; ++id) {
      EXPECT_EQ(rig.choose(id, 0), rig.choose(id, 5)) << name;
      used.insert(*rig.choose(id));
    }
    EXPECT_EQ(used.size(), 4U) << name;
  }
}

/// 20,000 keys over 16 workers: a share is 1250 ± 34 by chance alone; on a circle of 100 points each ± 10 % more.
TEST(HashRules, SharesAreEven) {
  for (const auto& [name, most_off] : {std::pair{"rendezvous", 0.12}, {"maglev", 0.12}, {"ch-bl", 0.45}}) {
    StrategyRig rig(name, 16, std::vector<std::uint64_t>(many, 1));
    rig.join_all(16);
    std::map<Slot, int> keys;
    for (const Slot slot : placement(rig)) ++keys[slot];
    ASSERT_EQ(keys.size(), 16U);
    for (const auto& [slot, number] : keys) EXPECT_NEAR(number, 1250, most_off * 1250) << name << " slot " << slot;
  }
}

TEST(BoundedLoads, NobodyHasMoreThanTheBound) {
  StrategyRig rig("ch-bl:c=1.25", 8, std::vector<std::uint64_t>(1, 1));
  rig.join_all(8);
  std::vector<std::uint32_t> loads(8);
  for (std::uint32_t placed = 0; placed < 1000; ++placed) {
    const Slot slot = *rig.choose(placed, 0);  // all want the same worker
    rig.set_load(slot, ++loads[slot], 1);
    ASSERT_LE(loads[slot], std::ceil(1.25 * (placed + 1) / 8));
  }
}

TEST(BoundedLoads, AKeyIsAtHomeAgainOnceItsWorkerKeepsUp) {
  StrategyRig rig("ch-bl", 4, std::vector<std::uint64_t>(10, 1));
  rig.join_all(4);
  const Slot home = *rig.choose(0, 3);
  rig.set_load(home, 10, 10);
  EXPECT_NE(rig.choose(0, 3), home);
  rig.set_load(home, 0, 0);
  EXPECT_EQ(rig.choose(0, 3), home);
}

}  // namespace
}  // namespace dp
