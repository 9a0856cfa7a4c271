// rendezvous: highest random weight. Each key has a score with each worker, a hash of the two; the batch goes to the live
// worker with the highest (Thaler and Ravishankar 1998). A lost worker's keys go to their next highest, all others stay;
// a worker that comes takes only the keys that it is the highest of.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "route/placement_key.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

class Rendezvous final : public Strategy {
 public:
  Rendezvous(const StrategySetup& setup, const StrategyParameters& parameters)
      : key_(setup, parameters, "rendezvous"), seed_(mix(setup.seed, 0x72656e64657a766fULL)) {}

  std::optional<Slot> choose(Time, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView&) override {
    const std::uint64_t key = key_(batch);
    std::size_t best = live_.size();
    std::uint64_t highest = 0;
    for (std::size_t i = 0; i < live_.size(); ++i) {
      // Both factors are well mixed, so one multiplication orders the workers anew for each key.
      const std::uint64_t score = (key ^ hashes_[i]) * 0xD6E8FEB86659FD93ULL;
      if (score < highest || live_[i] == exclude) continue;
      highest = score;
      best = i;
    }
    return live_[best];
  }
  void joined(Slot worker, bool) override {
    live_.push_back(worker);
    hashes_.push_back(mix(seed_, worker));
  }
  void left(Slot worker) override {
    const auto at = std::find(live_.begin(), live_.end(), worker) - live_.begin();
    live_.erase(live_.begin() + at);
    hashes_.erase(hashes_.begin() + at);
  }

 private:
  PlacementKey key_;
  std::uint64_t seed_;  ///< of the workers' hashes
  std::vector<Slot> live_;
  std::vector<std::uint64_t> hashes_;  ///< of those in `live_`
};

}  // namespace

StrategyKind rendezvous_strategy() {
  return {.name = "rendezvous",
          .rule = "the live worker whose hash with the key is highest",
          .source = "Thaler and Ravishankar 1998",
          .traits = {.elastic = true, .needs_shards = true, .others_move = 0, .scans = true},
          .parameters = {PlacementKey::parameter},
          .make = made<Rendezvous>};
}

}  // namespace dp
