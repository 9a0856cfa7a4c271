// sharded: longest processing time first, against known instances; only a lost worker's shards move.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "route/strategy.hpp"

namespace dp {
namespace {

using Parts =
    std::vector<std::vector<std::uint64_t>>;  ///< weights by worker, as multisets: each, and all, sorted

struct Placed {
  std::vector<std::uint64_t> weights;
  std::unique_ptr<Strategy> strategy;

  Placed(std::uint32_t workers, std::vector<std::uint64_t> jobs, std::uint64_t seed = 1)
      : weights(std::move(jobs)), strategy(make_strategy("sharded", {workers, weights, seed})) {
    for (Slot slot = 0; slot < workers; ++slot) strategy->joined(slot);
  }
  std::vector<std::vector<std::uint64_t>> by_slot() const {
    std::vector<std::vector<std::uint64_t>> parts;
    const std::vector<Slot> map = strategy->shard_map();
    for (ShardId shard = 0; shard < map.size(); ++shard) {
      if (map[shard] >= parts.size()) parts.resize(map[shard] + 1);
      parts[map[shard]].push_back(weights[shard]);
    }
    return parts;
  }
  Parts parts() const {
    Parts parts = by_slot();
    std::erase_if(parts, [](const auto& part) { return part.empty(); });
    for (auto& part : parts) std::ranges::sort(part);
    std::ranges::sort(parts);
    return parts;
  }
  std::uint64_t makespan() const {
    std::uint64_t most = 0;
    for (const auto& part : by_slot())
      most = std::max(most, std::accumulate(part.begin(), part.end(), std::uint64_t{0}));
    return most;
  }
  /// The worker that has the shard of this weight.
  Slot holder_of(std::uint64_t weight) const {
    return strategy->shard_map().at(
        static_cast<std::size_t>(std::ranges::find(weights, weight) - weights.begin()));
  }
};

// Graham 1969: the worst cases, and two partitions worked out by hand in the literature on number
// partitioning.
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

TEST(Sharded, IsWithinGrahamsBoundOfTheOptimum) {
  for (const Known& known : worst_cases) {
    const double bound = (4.0 / 3 - 1 / (3.0 * known.machines)) * static_cast<double>(known.optimum);
    EXPECT_LE(static_cast<double>(Placed(known.machines, known.jobs).makespan()), bound + 1e-9);
  }
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

TEST(Sharded, IsWithinGrahamsBoundForRandomWeights) {
  Rng rng(1);
  for (int round = 0; round < 50; ++round) {
    const auto machines = static_cast<std::uint32_t>(2 + rng.below(2));
    std::vector<std::uint64_t> jobs(3 + rng.below(6));
    for (std::uint64_t& job : jobs) job = 1 + rng.below(100);
    const double bound = (4.0 / 3 - 1 / (3.0 * machines)) * static_cast<double>(optimum(jobs, machines));
    EXPECT_LE(static_cast<double>(Placed(machines, jobs).makespan()), bound + 1e-9)
        << testing::PrintToString(jobs);
  }
}

TEST(Sharded, ALostWorkersShardsGoGreedilyToTheSurvivors) {
  // {8} {7,4} {6,5}: without {7,4} the 7 joins the 8 (8 < 11), the 4 joins {6,5} (11 < 15).
  Placed without_7(3, {8, 7, 6, 5, 4});
  without_7.strategy->left(without_7.holder_of(7));
  EXPECT_EQ(without_7.parts(), (Parts{{4, 5, 6}, {7, 8}}));
  // Without {6,5} the 6 joins the 8 (8 < 11), the 5 joins {7,4} (11 < 14).
  Placed without_6(3, {8, 7, 6, 5, 4});
  without_6.strategy->left(without_6.holder_of(6));
  EXPECT_EQ(without_6.parts(), (Parts{{4, 5, 7}, {6, 8}}));
}

TEST(Sharded, AWorkerThatWasAwayWeighsWhatItHasAndNoMore) {
  // As above: had the 8 stayed on the scales while its worker was away, the 7 would join {6,5}.
  Placed placed(3, {8, 7, 6, 5, 4});
  const Slot away = placed.holder_of(8);
  placed.strategy->left(away);
  placed.strategy->joined(away);
  placed.strategy->left(placed.holder_of(7));
  EXPECT_EQ(placed.parts(), (Parts{{4, 5, 6}, {7, 8}}));
}

TEST(Sharded, OnlyTheShardsOfTheLostWorkerMoveHoweverManyAreLost) {
  Placed placed(5, {9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1});
  for (const Slot gone : {3U, 0U, 4U, 1U}) {
    const std::vector<Slot> before = placed.strategy->shard_map();
    placed.strategy->left(gone);
    const std::vector<Slot> after = placed.strategy->shard_map();
    for (ShardId shard = 0; shard < before.size(); ++shard) {
      if (before[shard] == gone) EXPECT_NE(after[shard], gone);
      else EXPECT_EQ(after[shard], before[shard]);
    }
  }
}

TEST(Sharded, EqualWorkersAreChosenBySeed) {
  std::vector<int> times(4);
  for (std::uint64_t seed = 0; seed < 4000; ++seed) ++times[Placed(4, {1}, seed).holder_of(1)];
  double chi_squared = 0;
  for (const int seen : times) chi_squared += (seen - 1000.0) * (seen - 1000.0) / 1000.0;
  EXPECT_LT(chi_squared, 16.27);  // 99.9 % quantile, 3 degrees of freedom
}

TEST(Sharded, FewerShardsThanWorkersLeaveSomeIdle) {
  const Placed placed(4, {5, 5});
  EXPECT_EQ(placed.parts(), (Parts{{5}, {5}}));
}

}  // namespace
}  // namespace dp
