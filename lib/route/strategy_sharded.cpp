// sharded: data locality. Every batch goes where its shard lives. Shards are assigned when the run starts: longest
// processing time first, each to the least loaded worker (Graham 1969), or by the largest differencing method (Karmarkar
// and Karp 1982). When a worker is lost its shards move, greedily, to the survivors, and only those move; a replacement
// gets its own back. A batch that failed where its shard lives goes to the next live worker, the shard stays.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "route/partition.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

constexpr std::uint64_t most_differences = 16'000'000;  ///< shards × workers

class Sharded final : public Strategy {
 public:
  Sharded(const StrategySetup& setup, const StrategyParameters& parameters) : ties_(setup.seed), weights_(setup.shard_weights) {
    require_shards(setup, "sharded");
    std::vector<Slot> everyone(setup.workers);
    std::iota(everyone.begin(), everyone.end(), Slot{0});
    lives_.resize(weights_.size());
    load_.resize(setup.workers);
    if (parameters.choice("by", {"lpt", "kk"}) == "kk") {
      place_by_differences(std::move(everyone));
    } else {
      std::vector<ShardId> all(weights_.size());
      std::iota(all.begin(), all.end(), ShardId{0});
      place_longest_first(all, everyone);
    }
    home_ = lives_;
  }

  std::optional<Slot> choose(Time, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView&) override {
    const Slot home = lives_.at(batch.shard);
    if (home != exclude) return home;
    const auto next = alive_.upper_bound(home);
    return next == alive_.end() ? *alive_.begin() : *next;
  }
  void joined(Slot worker, bool) override {
    alive_.insert(worker);
    if (worker >= load_.size()) load_.resize(worker + 1);
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
    place_longest_first(std::move(orphans), {alive_.begin(), alive_.end()});
  }
  std::vector<Slot> shard_map() const override { return lives_; }

 private:
  /// Ties by the seeded generator. The shards' old load must be off.
  void place_longest_first(std::vector<ShardId> shards, const std::vector<Slot>& candidates) {
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
  /// Which worker gets which part is drawn.
  void place_by_differences(std::vector<Slot> workers) {
    if (weights_.size() * workers.size() > most_differences)
      throw Error("strategy sharded:by=kk takes at most {} shards x workers, here are {} x {} (give by=lpt)",
                  most_differences, weights_.size(), workers.size());
    for (std::size_t i = workers.size(); i > 1; --i) std::swap(workers[i - 1], workers[ties_.below(i)]);
    const auto parts = karmarkar_karp(weights_, static_cast<std::uint32_t>(workers.size()));
    for (ShardId shard = 0; shard < lives_.size(); ++shard) {
      lives_[shard] = workers[parts[shard]];
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

StrategyKind sharded_strategy() {
  return {.name = "sharded",
          .rule = "where the batch's shard lives: shards are assigned by weight when the run starts; a lost worker's move to the others",
          .source = "longest processing time first, Graham 1969; by=kk: Karmarkar and Karp 1982",
          .traits = {.needs_shards = true, .others_move = 0},
          .parameters = {{"by", "lpt (longest processing time first) or kk (largest differencing); lpt unless given"}},
          .make = made<Sharded>};
}

}  // namespace dp
