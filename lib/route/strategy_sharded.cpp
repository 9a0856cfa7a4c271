// sharded: data locality. Every batch goes where its shard lives. Shards are assigned when the run starts,
// greedily, longest processing time first (Graham 1969), each to the least loaded worker. When a worker is
// lost its shards move, greedily again, to the survivors, and only those move; a replacement gets its own
// back. O(1) per decision.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>
#include <set>

#include "route/strategy.hpp"

namespace dp {
namespace {

class Sharded final : public Strategy {
 public:
  explicit Sharded(const StrategySetup& setup) : ties_(setup.seed), weights_(setup.shard_weights) {
    std::vector<Slot> everyone(setup.workers);
    std::iota(everyone.begin(), everyone.end(), Slot{0});
    lives_.resize(weights_.size());
    std::vector<ShardId> all(weights_.size());
    std::iota(all.begin(), all.end(), ShardId{0});
    load_.resize(setup.workers);
    place(all, everyone);
    home_ = lives_;
  }

  StrategyTraits traits() const override { return {.needs_shards = true}; }

  std::optional<Slot> choose(const BatchMeta& batch, std::span<const Slot>) override {
    const Slot slot = lives_.at(batch.shard);
    if (alive_.contains(slot)) return slot;
    return std::nullopt;  // nobody is alive: it waits
  }
  void joined(Slot worker) override {
    alive_.insert(worker);
    std::vector<ShardId> returning;
    for (ShardId shard = 0; shard < lives_.size(); ++shard) {
      if (home_[shard] == worker || !alive_.contains(lives_[shard])) returning.push_back(shard);
    }
    for (const ShardId shard : returning) move(shard, worker);
  }
  void left(Slot worker) override {
    alive_.erase(worker);
    if (alive_.empty()) return;
    std::vector<ShardId> orphans;
    for (ShardId shard = 0; shard < lives_.size(); ++shard) {
      if (lives_[shard] != worker) continue;
      orphans.push_back(shard);
      load_[worker] -= weights_[shard];
    }
    place(orphans, {alive_.begin(), alive_.end()});
  }
  std::vector<Slot> shard_map() const override { return lives_; }

 private:
  /// Longest first, each to the least loaded candidate; ties by the seeded generator. Their old load must be
  /// off.
  void place(std::vector<ShardId> shards, const std::vector<Slot>& candidates) {
    std::stable_sort(shards.begin(), shards.end(),
                     [&](ShardId a, ShardId b) { return weights_[a] > weights_[b]; });
    for (const ShardId shard : shards) {
      std::vector<Slot> least;
      for (const Slot slot : candidates) {
        if (!least.empty() && load_[slot] > load_[least.front()]) continue;
        if (!least.empty() && load_[slot] < load_[least.front()]) least.clear();
        least.push_back(slot);
      }
      lives_[shard] = least[ties_.below(least.size())];
      load_[lives_[shard]] += weights_[shard];
    }
  }
  void move(ShardId shard, Slot to) {
    load_[lives_[shard]] -= weights_[shard];
    load_[to] += weights_[shard];
    lives_[shard] = to;
  }

  Rng ties_;
  std::vector<std::uint64_t> weights_, load_;
  std::vector<Slot> lives_, home_;
  std::set<Slot> alive_;
};

}  // namespace

std::unique_ptr<Strategy> make_sharded(const StrategySetup& setup) {
  return std::make_unique<Sharded>(setup);
}

}  // namespace dp
