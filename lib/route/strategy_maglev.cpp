// maglev: consistent hashing by a lookup table (Eisenbud et al., NSDI 2016). Each live worker has a permutation of the
// table's entries; they take turns in claiming entries, so that shares are nearly equal, and a key goes where the entry of
// its hash belongs. When a worker is lost or comes the table is made anew (a few milliseconds at 4,096 workers): its share
// moves, and of the others' keys a few, too.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "route/maglev_table.hpp"
#include "route/placement_key.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

/// Primes, the larger two the paper's. A hundred entries a worker keep shares within a percent; twice as many leave room
/// for workers that come. The size stays: another would move all keys.
std::uint32_t entries_for(std::uint64_t workers) {
  for (const std::uint32_t entries : {1021U, 8191U, 65'537U}) {
    if (entries >= 200 * workers) return entries;
  }
  return 655'373;
}

class Maglev final : public Strategy {
 public:
  Maglev(const StrategySetup& setup, const StrategyParameters& parameters) : key_(setup, parameters, "maglev"), seed_(mix(setup.seed, 0x6d61676c6576ULL)), entries_(entries_for(setup.workers)) {}

  std::optional<Slot> choose(Time, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView& view) override {
    if (stale_) fill(view);
    std::size_t at = key_(batch) % table_.size();
    while (table_[at] == exclude) at = at + 1 == table_.size() ? 0 : at + 1;
    return table_[at];
  }
  void joined(Slot, bool) override { stale_ = true; }
  void left(Slot) override { stale_ = true; }

 private:
  void fill(const WorkerView& view) {
    std::vector<Slot> live(view.live().members().begin(), view.live().members().end());
    std::sort(live.begin(), live.end());
    if (live.size() > entries_) entries_ = entries_for(live.size());  // everybody needs an entry
    std::vector<MaglevPermutation> permutations;
    for (const Slot slot : live) {
      permutations.push_back({static_cast<std::uint32_t>(mix(seed_, 2 * slot) % entries_),
                              static_cast<std::uint32_t>(mix(seed_, 2 * slot + 1) % (entries_ - 1) + 1)});
    }
    table_ = maglev_table(permutations, entries_);
    for (std::uint32_t& entry : table_) entry = live[entry];
    stale_ = false;
  }

  PlacementKey key_;
  std::uint64_t seed_;  ///< of the permutations
  std::uint32_t entries_;
  std::vector<Slot> table_;
  bool stale_ = true;
};

}  // namespace

StrategyKind maglev_strategy() {
  return {.name = "maglev",
          .rule = "the worker that a lookup table, shared out evenly by the workers' permutations, has for the key",
          .source = "Eisenbud et al., NSDI 2016",
          .traits = {.elastic = true, .needs_shards = true, .others_move = 0.05},
          .parameters = {PlacementKey::parameter},
          .make = made<Maglev>};
}

}  // namespace dp
