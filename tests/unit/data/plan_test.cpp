// The plan: what is in each batch and when it is due.
// SPDX-License-Identifier: MIT
#include "data/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "base/error.hpp"

namespace dp {
namespace {

using namespace std::chrono_literals;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::vector<BatchSpec> all(const Plan& plan) {
  std::vector<BatchSpec> batches;
  for (Plan::Cursor cursor = plan.begin(); const auto batch = cursor.next();) batches.push_back(*batch);
  return batches;
}

std::vector<SampleId> samples(const Plan& plan, const BatchSpec& batch) {
  std::vector<SampleId> out{99};
  plan.samples(batch, out);
  return out;
}

std::vector<Duration> arrivals(const Plan& plan, const BatchSpec& batch) {
  std::vector<Duration> out{99ns};
  plan.arrivals(batch, out);
  return out;
}

const std::pair<const char*, PlanOptions> varied[] = {
    {"plain", {.samples = 500}},
    {"sequential", {.layout = "sequential", .samples = 500}},
    {"ranks", {.layout = "distributed:3,shuffle", .samples = 500}},
    {"hash", {.layout = "shards:5,hash,zipf:1", .samples = 500}},
    {"more shards than samples", {.layout = "shards:300", .samples = 200}},
    {"sizes drawn", {.samples = 500, .batch_size = {8, 64}}},
    {"constant", {.samples = 500, .rate = 1000}},
    {"poisson", {.samples = 500, .rate = 1000, .poisson = true}},
    {"timeout", {.samples = 500, .batch_timeout = 7ms, .rate = 1000}},
    {"poisson timeout",
     {.samples = 500, .batch_size = {1, 40}, .batch_timeout = 9ms, .rate = 1000, .poisson = true}},
};

TEST(Plan, SendsEverySampleEquallyOftenOverWholeCycles) {
  for (const auto& [name, options] : varied) {
    const Plan plan(options, 100);
    std::map<SampleId, std::uint64_t> times;
    for (const BatchSpec& batch : all(plan)) {
      for (const SampleId id : samples(plan, batch)) ++times[id];
    }
    EXPECT_EQ(times.size(), 100u) << name;
    for (const auto& [id, count] : times) EXPECT_EQ(count, options.samples / 100) << name << " sample " << id;
  }
}

TEST(Plan, BatchesAreNumberedAndCountedInAdvance) {
  for (const auto& [name, options] : varied) {
    const Plan plan(options, 100);
    const auto batches = all(plan);
    EXPECT_EQ(batches.size(), plan.batches()) << name;
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      EXPECT_EQ(raw(batches[i].id), i) << name;
      EXPECT_EQ(batches[i].before, before) << name;
      before += batches[i].count;
    }
    EXPECT_EQ(before, options.samples) << name;
  }
}

TEST(Plan, IsTheSameForTheSameSeed) {
  for (const auto& [name, options] : varied)
    EXPECT_EQ(all(Plan(options, 100)), all(Plan(options, 100))) << name;
}

TEST(Plan, DiffersBySeedWhereSomethingIsDrawn) {
  PlanOptions options{.samples = 500, .rate = 1000, .poisson = true};
  const auto first = all(Plan(options, 100));
  options.seed = 2;
  EXPECT_NE(first, all(Plan(options, 100)));
}

TEST(Plan, CursorsAreIndependentAndRewind) {
  const Plan plan({.samples = 500, .batch_size = {8, 64}}, 100);
  Plan::Cursor ahead = plan.begin(), behind = plan.begin();
  const auto first = ahead.next();
  ahead.next();
  EXPECT_EQ(behind.next(), first);
  ahead.rewind();
  EXPECT_EQ(ahead.next(), first);
}

TEST(Plan, BatchSizesStayInTheRangeAndVary) {
  auto batches = all(Plan({.layout = "sequential", .samples = 20'000, .batch_size = {3, 6}}, 100));
  batches.pop_back();  // may be short
  std::map<std::uint32_t, double> times;
  for (const BatchSpec& batch : batches) ++times[batch.count];
  // About 4444 batches, 1111 of each size, standard deviation 29.
  EXPECT_THAT(times, ElementsAre(Pair(3, DoubleNear(1111, 5 * 29)), Pair(4, DoubleNear(1111, 5 * 29)),
                                 Pair(5, DoubleNear(1111, 5 * 29)), Pair(6, DoubleNear(1111, 5 * 29))));
}

TEST(Plan, BatchesAreShortOnlyAtAGroupsEnd) {
  std::map<ShardId, std::vector<std::uint32_t>> counts;
  for (const BatchSpec& batch :
       all(Plan({.layout = "shards:2", .samples = 100, .batch_size = {16, 16}}, 100))) {
    counts[batch.shard].push_back(batch.count);
  }
  EXPECT_THAT(counts[0], ElementsAre(16, 16, 16, 2));
  EXPECT_THAT(counts[1], ElementsAre(16, 16, 16, 2));
}

TEST(Plan, BatchMayWrapFromOneCycleToTheNext) {
  const Plan plan({.layout = "sequential", .samples = 8, .batch_size = {4, 4}}, 5);
  EXPECT_THAT(samples(plan, all(plan)[1]), ElementsAre(4, 0, 1, 2));
}

TEST(Plan, BatchesNeverMixShards) {
  const Plan plan({.layout = "shards:4", .samples = 1000, .batch_size = {1, 50}}, 100);
  for (const BatchSpec& batch : all(plan)) {
    for (const SampleId id : samples(plan, batch)) EXPECT_EQ(id / 25, batch.shard);
  }
}

// Serving the smallest share served keeps every shard within one batch of its proportional part.
TEST(Plan, ShardsAreInterleavedInProportionToTheirSize) {
  const Plan plan({.layout = "shards:4,zipf:1", .samples = 10'000, .batch_size = {10, 10}}, 10'000);
  const auto weights = plan.shard_weights();
  std::vector<double> served(4);
  for (const BatchSpec& batch : all(plan)) {
    served[batch.shard] += batch.count;
    const double done = static_cast<double>(batch.before + batch.count) / 10'000;
    for (int s = 0; s < 4; ++s) {
      EXPECT_NEAR(served[s], done * static_cast<double>(weights[s]), 3 * 10) << "shard " << s;
    }
  }
}

TEST(Plan, RanksTakeTurnsAndExhaustedOnesAreSkipped) {
  // Ranks 0 and 1 of 3 have four samples, rank 2 has three: batches of 2.
  const auto batches = all(Plan({.layout = "distributed:3", .samples = 11, .batch_size = {2, 2}}, 11));
  std::vector<std::pair<ShardId, std::uint32_t>> turns;
  for (const BatchSpec& batch : batches) turns.emplace_back(batch.shard, batch.count);
  using Turn = std::pair<ShardId, std::uint32_t>;
  EXPECT_THAT(turns, ElementsAre(Turn{0, 2}, Turn{1, 2}, Turn{2, 2}, Turn{0, 2}, Turn{1, 2}, Turn{2, 1}));
  std::vector<ShardId> skipping;
  for (const BatchSpec& batch :
       all(Plan({.layout = "distributed:3", .samples = 7, .batch_size = {1, 1}}, 7))) {
    skipping.push_back(batch.shard);
  }
  EXPECT_THAT(skipping, ElementsAre(0, 1, 2, 0, 1, 2, 0));
}

TEST(Plan, AtMaximumRateEverythingIsDueAtOnce) {
  const Plan plan({.samples = 500, .batch_timeout = 5ms, .rate = 0, .poisson = true}, 100);
  for (const BatchSpec& batch : all(plan)) {
    EXPECT_EQ(batch.scheduled, 0ns);
    EXPECT_EQ(arrivals(plan, batch), std::vector<Duration>(batch.count, 0ns));
  }
}

TEST(Plan, ConstantSampleArrivesAtItsNumberOverTheRate) {
  const Plan plan({.layout = "sequential", .samples = 1000, .rate = 3}, 100);
  for (const BatchSpec& batch : all(plan)) {
    const auto at = arrivals(plan, batch);
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      EXPECT_NEAR(static_cast<double>(at[i].count()), static_cast<double>(batch.before + i) * 1e9 / 3, 1);
    }
  }
}

TEST(Plan, FullBatchIsDueWhenItsLastSampleArrives) {
  for (const bool poisson : {false, true}) {
    const Plan plan({.layout = "sequential", .samples = 320, .rate = 1000, .poisson = poisson}, 100);
    for (const BatchSpec& batch : all(plan)) EXPECT_EQ(batch.scheduled, arrivals(plan, batch).back());
  }
}

TEST(Plan, ArrivalsAreInOrderAndNeverAfterTheRelease) {
  for (const auto& [name, options] : varied) {
    const Plan plan(options, 100);
    Duration before = 0ns, released = 0ns;
    for (const BatchSpec& batch : all(plan)) {
      const auto at = arrivals(plan, batch);
      ASSERT_EQ(at.size(), batch.count) << name;
      EXPECT_EQ(at.front(), batch.first_arrival) << name;
      EXPECT_LE(before, at.front()) << name;
      EXPECT_TRUE(std::is_sorted(at.begin(), at.end())) << name;
      EXPECT_LE(at.back(), batch.scheduled) << name;
      EXPECT_LE(released, batch.scheduled) << name;
      before = at.back();
      released = batch.scheduled;
    }
  }
}

// A sample a millisecond and 7.5 ms of patience: eight samples (0 to 7 ms), released at 7.5 ms.
TEST(Plan, TimeoutReleasesWhatHasArrived) {
  const auto batches =
      all(Plan({.layout = "sequential", .samples = 20, .batch_timeout = 7'500us, .rate = 1000}, 100));
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].count, 8u);
  EXPECT_EQ(batches[0].scheduled, 7'500us);
  EXPECT_EQ(batches[1].first_arrival, 8ms);
  EXPECT_EQ(batches[1].scheduled, 15'500us);
  EXPECT_EQ(batches[2].count, 4u);
  EXPECT_EQ(batches[2].scheduled, 19ms);  // nothing more will come: the last sample fills it
}

TEST(Plan, BatchThatFillsBeforeItsTimeoutDoesNotWait) {
  const auto batches = all(Plan(
      {.layout = "sequential", .samples = 20, .batch_size = {4, 4}, .batch_timeout = 1s, .rate = 1000}, 100));
  EXPECT_EQ(batches[0].scheduled, 3ms);
}

TEST(Plan, PoissonTimeoutBoundsTheWaitOfEverySample) {
  const Plan plan(
      {.layout = "sequential", .samples = 5000, .batch_timeout = 4ms, .rate = 1000, .poisson = true}, 100);
  const auto batches = all(plan);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    EXPECT_LE(batches[i].scheduled - batches[i].first_arrival, 4ms);
    if (i + 1 < batches.size() && batches[i].count < 32) {
      EXPECT_EQ(batches[i].scheduled, batches[i].first_arrival + 4ms);
      EXPECT_GT(batches[i + 1].first_arrival, batches[i].scheduled);
    }
  }
}

// A batch that waits T for Poisson arrivals of rate λ holds 1 + λT samples on average: here 1 + 4,
// variance 4.
TEST(Plan, PoissonBatchesHoldOnePlusRateTimesTimeoutOnAverage) {
  const Plan plan(
      {.layout = "sequential", .samples = 50'000, .batch_timeout = 4ms, .rate = 1000, .poisson = true}, 100);
  const double batches = static_cast<double>(plan.batches());
  EXPECT_NEAR(50'000 / batches, 5, 5 * 2 / std::sqrt(batches));
}

TEST(Plan, PoissonGapsHaveTheMeanAndSpreadOfTheExponential) {
  const Plan plan({.layout = "sequential", .samples = 100'000, .rate = 1000, .poisson = true}, 100);
  double sum = 0, squares = 0, count = 0;
  Duration previous = 0ns;
  for (const BatchSpec& batch : all(plan)) {
    for (const Duration at : arrivals(plan, batch)) {
      const double gap = to_ms(at - previous);
      previous = at;
      sum += gap;
      squares += gap * gap;
      ++count;
    }
  }
  const double mean = sum / count, deviation = std::sqrt(squares / count - mean * mean);
  EXPECT_NEAR(mean, 1, 5 / std::sqrt(count));        // standard error of the mean of an exponential
  EXPECT_NEAR(deviation, 1, 10 / std::sqrt(count));  // its kurtosis is 9: standard error √2/√n
}

TEST(Plan, ShardWeightsAreTheSamplesOfEachShard) {
  const Plan plan({.layout = "shards:3", .samples = 25}, 10);
  std::vector<std::uint64_t> counted(3);
  for (const BatchSpec& batch : all(plan)) counted[batch.shard] += batch.count;
  EXPECT_EQ(plan.shard_weights(), counted);
  EXPECT_TRUE(Plan({.layout = "distributed:3", .samples = 25}, 10).shard_weights().empty());
}

TEST(Plan, DigestTellsPlansApart) {
  const PlanOptions base{.samples = 500, .batch_size = {8, 64}, .batch_timeout = 5ms, .rate = 1000};
  const auto changed = [&](const std::function<void(PlanOptions&)>& change) {
    PlanOptions options = base;
    change(options);
    return Plan(options, 100).digest();
  };
  const std::string same = Plan(base, 100).digest();
  EXPECT_EQ(changed([](auto&) {}), same);
  EXPECT_NE(changed([](auto& o) { o.layout = "shards:17"; }), same);
  EXPECT_NE(changed([](auto& o) { o.samples = 501; }), same);
  EXPECT_NE(changed([](auto& o) { o.batch_size.low = 9; }), same);
  EXPECT_NE(changed([](auto& o) { o.batch_size.high = 65; }), same);
  EXPECT_NE(changed([](auto& o) { o.batch_timeout = 6ms; }), same);
  EXPECT_NE(changed([](auto& o) { o.rate = 1000.5; }), same);
  EXPECT_NE(changed([](auto& o) { o.poisson = true; }), same);
  EXPECT_NE(changed([](auto& o) { o.seed = 2; }), same);
  EXPECT_NE(Plan(base, 101).digest(), same);
}

TEST(Plan, DigestOverlooksWhatHasNoEffect) {
  const std::string plain = Plan({.layout = "shards:16", .samples = 500}, 100).digest();
  EXPECT_EQ(Plan({.layout = "shards:16,contiguous", .samples = 500}, 100).digest(), plain);
  EXPECT_EQ(Plan({.samples = 500, .batch_timeout = 5ms, .poisson = true}, 100).digest(), plain);
  EXPECT_EQ(Plan({.samples = 500, .seed = 7}, 100).digest(), plain);
  EXPECT_NE(Plan({.layout = "distributed:2,shuffle", .samples = 500, .seed = 7}, 100).digest(),
            Plan({.layout = "distributed:2,shuffle", .samples = 500}, 100).digest());
}

TEST(Plan, BadOptionsAreUsageErrorsThatNameTheFlag) {
  const std::pair<PlanOptions, const char*> cases[] = {
      {{.samples = 0}, "--samples '0': give a whole number from 1"},
      {{.samples = 2'000'000'000'000}, "--samples '2000000000000'"},
      {{.samples = 1, .batch_size = {0, 4}}, "--batch-size '0..4': give a number or a range from 1 to 65536"},
      {{.samples = 1, .batch_size = {5, 4}}, "--batch-size '5..4'"},
      {{.samples = 1, .batch_size = {1, 70'000}}, "--batch-size '1..70000'"},
      {{.samples = 1, .batch_timeout = -1ns}, "--batch-timeout '-1 ns'"},
      {{.samples = 1, .batch_timeout = Duration::max()}, "--batch-timeout '9223372036854775807 ns'"},
      {{.samples = 1, .rate = -1}, "--rate '-1': give max or 0.001 to 100000000"},
      {{.samples = 1, .rate = std::nan("")}, "--rate 'nan'"},
      {{.samples = 1, .rate = 1e9}, "--rate '1000000000'"},
      {{.samples = 1'000'000, .rate = 0.001},
       "--samples '1000000' at --rate '0.001' would take 1000000000 s"},
      {{.layout = "shards:0", .samples = 1}, "shards '0'"},
  };
  for (const auto& [options, said] : cases) {
    try {
      Plan plan(options, 100);
      ADD_FAILURE() << "accepted, not: " << said;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr(said));
    }
  }
}

}  // namespace
}  // namespace dp
