// What a partitioning strategy is: told who joins and leaves and how long batches took, it answers where a batch goes. One
// file each, strategy_<name>.cpp, which also says what it is; the list in strategy.cpp is the only other place that knows
// them by name.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "route/worker_view.hpp"

namespace dp {

/// What a strategy may know of a batch.
struct BatchMeta {
  BatchId id{};
  ShardId shard = 0;
  std::uint32_t samples = 0;
};

/// What a strategy is, as far as others need to know. The conformance suite holds each to it.
struct StrategyTraits {
  bool elastic = false;         ///< workers beyond the wanted number are capacity; otherwise they are spares
  bool needs_shards = false;    ///< refuses a layout without shards, unless its parameters say otherwise
  bool needs_feedback = false;  ///< learns from service times: under saturation a slower worker is not preferred
  /// Of rules that place by key (a shard, a batch): the share of the other workers' keys that may move too when a worker
  /// is lost or comes. 0: only its own move.
  std::optional<double> others_move = {};
  bool scans = false;  ///< a decision looks at every worker; otherwise its cost does not depend on their number
};

/// What is known when the run starts.
struct StrategySetup {
  std::uint32_t workers = 1;                 ///< W
  std::vector<std::uint64_t> shard_weights;  ///< samples per shard; empty: no shards
  std::uint64_t seed = 1;                    ///< for ties and draws
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  /// The worker whose queue the batch joins, or nothing: it waits centrally, and is asked about again when something
  /// has changed. `exclude` counts as dead for this batch, which failed there; it is never the only live worker. At
  /// least one worker is live.
  virtual std::optional<Slot> choose(Time now, const BatchMeta& batch, std::optional<Slot> exclude,
                                     const WorkerView& view) = 0;
  /// `resumes`: the same process on a new connection; what was learned of it holds.
  virtual void joined(Slot, bool /*resumes*/) {}
  virtual void left(Slot) {}
  /// A batch was served: `service` was spent computing it, `response` passed between its dispatch and the answer.
  virtual void observed(Time, Slot, std::uint32_t /*samples*/, Duration /*service*/, Duration /*response*/) {}
  /// Shard → slot, for the report; empty where there is no such thing.
  virtual std::vector<Slot> shard_map() const { return {}; }
};

/// The values behind a strategy's name, as in `jsq:d=3`.
class StrategyParameters {
 public:
  explicit StrategyParameters(std::map<std::string, std::string> values = {}) : values_(std::move(values)) {}
  // Each throws UsageError that says what is allowed.
  std::uint64_t count(const std::string& key, std::uint64_t low, std::uint64_t high, std::uint64_t fallback) const;
  double number(const std::string& key, double low, double high, double fallback) const;
  Duration duration(const std::string& key, Duration fallback) const;
  /// The first of `allowed` unless given.
  std::string choice(const std::string& key, const std::vector<std::string>& allowed) const;

 private:
  std::map<std::string, std::string> values_;
};

/// What a strategy's file says of it.
struct StrategyKind {
  struct Parameter {
    std::string_view key, meaning;
  };
  std::string_view name;    ///< lower case letters, digits, dashes
  std::string_view rule;    ///< one sentence
  std::string_view source;  ///< where the rule is from
  StrategyTraits traits;
  std::vector<Parameter> parameters;
  std::unique_ptr<Strategy> (*make)(const StrategySetup&, const StrategyParameters&);
};

/// A `StrategyKind::make`: an S from the setup, and from the parameters if it takes them.
template <class S>
std::unique_ptr<Strategy> made(const StrategySetup& setup, const StrategyParameters& parameters) {
  if constexpr (std::is_constructible_v<S, const StrategySetup&, const StrategyParameters&>) {
    return std::make_unique<S>(setup, parameters);
  } else {
    static_cast<void>(parameters);
    return std::make_unique<S>(setup);
  }
}

/// All there are, in the order they are shown.
const std::vector<StrategyKind>& strategy_kinds();
/// Their names, comma separated.
std::string strategy_names();

/// A name and its parameters, as given: `jsq`, `jsq:d=3`.
struct StrategySpec {
  const StrategyKind* kind;
  StrategyParameters parameters;
};
/// Throws UsageError for an unknown name, listing the known ones, and for an unknown parameter or value.
StrategySpec parse_strategy(const std::string& text);

/// For rules that place by shard: throws Error, with `advice`, where there are none.
void require_shards(const StrategySetup& setup, std::string_view strategy, std::string_view advice = "");

/// Throws UsageError as `parse_strategy` does, Error when the strategy cannot work with the layout.
std::unique_ptr<Strategy> make_strategy(const std::string& text, const StrategySetup& setup);

}  // namespace dp
