// Tables and partitions from the literature: Maglev's, longest processing time first, largest differencing; and what of
// them moves.
// SPDX-License-Identifier: MIT
#include "route/partition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "route/maglev_table.hpp"
#include "strategy_rig.hpp"

namespace dp {
namespace {

using testing::ElementsAre;

// ---- maglev ----------------------------------------------------------------------------------------------

TEST(MaglevTable, IsThePapersExample) {
  EXPECT_THAT(maglev_table({{3, 4}, {0, 2}, {3, 1}}, 7), ElementsAre(1, 0, 1, 0, 2, 2, 0));
}

/// Permutations 2 6 3 0 4 1 5, 0 5 3 1 6 4 2 and 1 3 5 0 2 4 6, by their offset and skip.
TEST(MaglevTable, IsThePublishedTableOfThreePermutations) {
  EXPECT_THAT(maglev_table({{2, 4}, {0, 5}, {1, 2}}, 7), ElementsAre(1, 2, 0, 2, 0, 1, 0));
}

// ---- Karmarkar and Karp ----------------------------------------------------------------------------------

std::vector<std::uint64_t> loads(const std::vector<std::uint64_t>& weights, std::uint32_t parts) {
  const auto part_of = karmarkar_karp(weights, parts);
  std::vector<std::uint64_t> loads(parts);
  for (std::size_t i = 0; i < weights.size(); ++i) loads.at(part_of[i]) += weights[i];
  return loads;
}

TEST(KarmarkarKarp, GivesThePublishedLoads) {
  EXPECT_THAT(loads({8, 7, 6, 5, 4}, 2), ElementsAre(16, 14));
  EXPECT_THAT(loads({8, 7, 6, 5, 4}, 3), testing::UnorderedElementsAre(8, 11, 11));
}

TEST(KarmarkarKarp, SharesOutEverythingHeaviestFirstAndOftenBetterThanLongestFirst) {
  Rng rng(1);
  int better = 0, worse = 0;
  for (int round = 0; round < 200; ++round) {
    const auto parts = static_cast<std::uint32_t>(1 + rng.below(5));
    std::vector<std::uint64_t> weights(1 + rng.below(12));
    for (auto& weight : weights) weight = 1 + rng.below(1000);
    const auto sums = loads(weights, parts);
    EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), 0ULL), std::accumulate(weights.begin(), weights.end(), 0ULL));
    EXPECT_TRUE(std::is_sorted(sums.rbegin(), sums.rend()));
    std::vector<std::uint64_t> longest_first(parts), sorted = weights;
    std::sort(sorted.rbegin(), sorted.rend());
    for (const auto weight : sorted) *std::min_element(longest_first.begin(), longest_first.end()) += weight;
    const auto most = *std::max_element(longest_first.begin(), longest_first.end());
    better += sums.front() < most;
    worse += sums.front() > most;
  }
  EXPECT_GT(better, worse);
}

// ---- sharded ---------------------------------------------------------------------------------------------

using Parts = std::vector<std::vector<std::uint64_t>>;  ///< weights by worker, as multisets: each, and all, sorted

struct Placed {
  std::vector<std::uint64_t> weights;
  StrategyRig rig;

  Placed(std::uint32_t workers, std::vector<std::uint64_t> jobs, std::uint64_t seed = 1, const std::string& name = "sharded")
      : weights(std::move(jobs)), rig(name, workers, weights, seed) {
    rig.join_all(workers);
  }
  std::vector<std::vector<std::uint64_t>> by_slot() {
    Parts parts;
    const std::vector<Slot> map = rig.strategy().shard_map();
    for (ShardId shard = 0; shard < map.size(); ++shard) {
      EXPECT_EQ(rig.choose(shard, shard), map[shard]) << "the map is where batches go";
      if (map[shard] >= parts.size()) parts.resize(map[shard] + 1);
      parts[map[shard]].push_back(weights[shard]);
    }
    return parts;
  }
  Parts parts() {
    Parts parts = by_slot();
    std::erase_if(parts, [](const auto& part) { return part.empty(); });
    for (auto& part : parts) std::ranges::sort(part);
    std::ranges::sort(parts);
    return parts;
  }
  std::uint64_t makespan() {
    std::uint64_t most = 0;
    for (const auto& part : by_slot()) most = std::max(most, std::accumulate(part.begin(), part.end(), std::uint64_t{0}));
    return most;
  }
  /// The worker that has the shard of this weight.
  Slot holder_of(std::uint64_t weight) {
    return rig.strategy().shard_map().at(static_cast<std::size_t>(std::ranges::find(weights, weight) - weights.begin()));
  }
};

// Graham 1969: the worst cases, and two partitions worked out by hand in the literature on number partitioning.
struct Known {
  std::uint32_t machines;
  std::vector<std::uint64_t> jobs;
  std::uint64_t makespan, optimum;
};
const Known worst_cases[] = {
    {2, {3, 3, 2, 2, 2}, 7, 6}, {3, {5, 5, 4, 4, 3, 3, 3}, 11, 9}, {4, {7, 7, 6, 6, 5, 5, 4, 4, 4}, 15, 12}};

TEST(Sharded, PlacesLongestFirst) {
  for (const Known& known : worst_cases) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      std::vector<std::uint64_t> jobs = known.jobs;
      Rng rng(seed);
      for (std::size_t i = jobs.size() - 1; i > 0; --i) std::swap(jobs[i], jobs[rng.below(i + 1)]);
      EXPECT_EQ(Placed(known.machines, jobs, seed).makespan(), known.makespan);
    }
  }
  EXPECT_EQ(Placed(3, {8, 7, 6, 5, 4}).parts(), (Parts{{4, 7}, {5, 6}, {8}}));
  EXPECT_EQ(Placed(2, {8, 7, 6, 5, 4}).parts(), (Parts{{4, 5, 8}, {6, 7}}));
}

TEST(Sharded, PlacesByDifferencesWhenAskedTo) {
  EXPECT_EQ(Placed(2, {8, 7, 6, 5, 4}, 1, "sharded:by=kk").makespan(), 16U);
  EXPECT_EQ(Placed(3, {8, 7, 6, 5, 4}, 1, "sharded:by=kk").makespan(), 11U);
  EXPECT_EQ(Placed(2, {8, 7, 6, 5, 4}, 1, "sharded:by=lpt").makespan(), 17U);
}

/// Every assignment tried: few enough shards for that.
std::uint64_t optimum(const std::vector<std::uint64_t>& jobs, std::uint32_t machines) {
  std::uint64_t least = UINT64_MAX, assignments = 1;
  for (std::size_t i = 0; i < jobs.size(); ++i) assignments *= machines;
  for (std::uint64_t assignment = 0; assignment < assignments; ++assignment) {
    std::vector<std::uint64_t> load(machines);
    std::uint64_t digits = assignment;
    for (const std::uint64_t job : jobs) {
      load[digits % machines] += job;
      digits /= machines;
    }
    least = std::min(least, *std::ranges::max_element(load));
  }
  return least;
}

TEST(Sharded, IsWithinGrahamsBoundOfTheOptimum) {
  const auto bound = [](std::uint32_t machines, std::uint64_t best) {
    return (4.0 / 3 - 1 / (3.0 * machines)) * static_cast<double>(best) + 1e-9;
  };
  for (const Known& known : worst_cases) {
    EXPECT_EQ(optimum(known.jobs, known.machines), known.optimum);
    EXPECT_LE(static_cast<double>(Placed(known.machines, known.jobs).makespan()), bound(known.machines, known.optimum));
  }
  Rng rng(1);
  for (int round = 0; round < 50; ++round) {
    const auto machines = static_cast<std::uint32_t>(2 + rng.below(2));
    std::vector<std::uint64_t> jobs(3 + rng.below(6));
    for (std::uint64_t& job : jobs) job = 1 + rng.below(100);
    EXPECT_LE(static_cast<double>(Placed(machines, jobs).makespan()), bound(machines, optimum(jobs, machines)))
        << testing::PrintToString(jobs);
  }
}

TEST(Sharded, ALostWorkersShardsGoGreedilyToTheSurvivors) {
  // {8} {7,4} {6,5}: without {7,4} the 7 joins the 8 (8 < 11), the 4 joins {6,5} (11 < 15).
  Placed without_7(3, {8, 7, 6, 5, 4});
  without_7.rig.leave(without_7.holder_of(7));
  EXPECT_EQ(without_7.parts(), (Parts{{4, 5, 6}, {7, 8}}));
  // Without {6,5} the 6 joins the 8 (8 < 11), the 5 joins {7,4} (11 < 14).
  Placed without_6(3, {8, 7, 6, 5, 4});
  without_6.rig.leave(without_6.holder_of(6));
  EXPECT_EQ(without_6.parts(), (Parts{{4, 5, 7}, {6, 8}}));
}

TEST(Sharded, AWorkerThatWasAwayWeighsWhatItHasAndNoMore) {
  // As above: had the 8 stayed on the scales while its worker was away, the 7 would join {6,5}.
  Placed placed(3, {8, 7, 6, 5, 4});
  const Slot away = placed.holder_of(8);
  placed.rig.leave(away);
  placed.rig.join(away);
  placed.rig.leave(placed.holder_of(7));
  EXPECT_EQ(placed.parts(), (Parts{{4, 5, 6}, {7, 8}}));
}

TEST(Sharded, OnlyTheShardsOfTheLostWorkerMoveHoweverManyAreLost) {
  Placed placed(5, {9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1});
  for (const Slot gone : {3U, 0U, 4U, 1U}) {
    const std::vector<Slot> before = placed.rig.strategy().shard_map();
    placed.rig.leave(gone);
    const std::vector<Slot> after = placed.rig.strategy().shard_map();
    for (ShardId shard = 0; shard < before.size(); ++shard) {
      if (before[shard] == gone) EXPECT_NE(after[shard], gone);
      else EXPECT_EQ(after[shard], before[shard]);
    }
  }
}

TEST(Sharded, EqualWorkersAreChosenBySeed) {
  for (const std::string name : {"sharded", "sharded:by=kk"}) {
    std::vector<int> times(4);
    for (std::uint64_t seed = 0; seed < 4000; ++seed) ++times[Placed(4, {1}, seed, name).holder_of(1)];
    EXPECT_LT(chi_squared(times), 16.27) << name;  // 99.9 % quantile, 3 degrees of freedom
  }
}

TEST(Sharded, FewerShardsThanWorkersLeaveSomeIdle) { EXPECT_EQ(Placed(4, {5, 5}).parts(), (Parts{{5}, {5}})); }

TEST(Sharded, ABatchThatFailedAtHomeGoesToTheNextAndTheShardStays) {
  Placed placed(3, {8, 7, 6, 5, 4});
  const Slot home = placed.holder_of(8);
  EXPECT_EQ(placed.rig.choose(0, 0, 32, home), (home + 1) % 3);
  EXPECT_EQ(placed.rig.choose(0, 0), home);
}

}  // namespace
}  // namespace dp
