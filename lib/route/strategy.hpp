// What a partitioning strategy is: told what joins, leaves, is sent and is done, it answers where the next
// batch goes. One file each, strategy_<name>.cpp; the factory below is the only other place that knows them
// by name.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/time.hpp"

namespace dp {

/// A worker's place: 0 … W-1 for the wanted workers, beyond for extra capacity. A replacement regains the
/// place.
using Slot = std::uint32_t;

/// What a strategy may know of a batch.
struct BatchMeta {
  BatchId id{};
  ShardId shard = 0;
  std::uint32_t samples = 0;
};

/// What a strategy is, as far as others need to know.
struct StrategyTraits {
  bool adaptive = false;      ///< uses workers beyond the wanted number as capacity, not as spares
  bool needs_shards = false;  ///< refuses a layout without shards
};

/// What is known when the run starts.
struct StrategySetup {
  std::uint32_t workers = 1;                 ///< W
  std::vector<std::uint64_t> shard_weights;  ///< samples per shard; empty: no shards
  std::uint64_t seed = 1;                    ///< for ties
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  virtual StrategyTraits traits() const = 0;
  /// The slot whose queue the batch joins, or nothing: it waits centrally, and is asked about again when
  /// `ready` changes. `ready`: live slots with credit and nothing queued for them, ascending.
  virtual std::optional<Slot> choose(const BatchMeta& batch, std::span<const Slot> ready) = 0;
  virtual void joined(Slot worker) = 0;
  virtual void left(Slot worker) = 0;
  virtual void sent(Slot, std::uint32_t /*samples*/) {}
  virtual void done(Slot, std::uint32_t /*samples*/, Duration /*service*/) {}
  /// Shard → slot, for the report; empty where there is no such thing.
  virtual std::vector<Slot> shard_map() const { return {}; }
};

/// Names that `make_strategy` knows, in the order they are shown.
const std::vector<std::string>& strategy_names();

/// Throws UsageError for an unknown name, Error when the strategy cannot work with the layout.
std::unique_ptr<Strategy> make_strategy(const std::string& name, const StrategySetup& setup);

}  // namespace dp
