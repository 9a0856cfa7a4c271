// What the hash rules place by: a batch's shard (all batches of a shard go to one worker), or the batch itself.
// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "route/strategy.hpp"

namespace dp {

class PlacementKey {
 public:
  static constexpr StrategyKind::Parameter parameter{"key", "shard or batch; shard unless given"};

  /// Throws Error where the key is the shard and there are none.
  PlacementKey(const StrategySetup& setup, const StrategyParameters& parameters, std::string_view strategy)
      : seed_(setup.seed), by_batch_(parameters.choice("key", {"shard", "batch"}) == "batch") {
    if (!by_batch_) require_shards(setup, strategy, fmt::format(", or --strategy {}:key=batch", strategy));
  }
  /// A hash of the key, all 64 bits of it.
  std::uint64_t operator()(const BatchMeta& batch) const {
    return mix(seed_, by_batch_ ? raw(batch.id) : batch.shard);
  }

 private:
  std::uint64_t seed_;
  bool by_batch_;
};

}  // namespace dp
