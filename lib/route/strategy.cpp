// The factory: one line per strategy.
// SPDX-License-Identifier: MIT
#include "route/strategy.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace dp {

std::unique_ptr<Strategy> make_uniform(const StrategySetup&);
std::unique_ptr<Strategy> make_dynamic(const StrategySetup&);
std::unique_ptr<Strategy> make_sharded(const StrategySetup&);

namespace {

struct Entry {
  const char* name;
  std::unique_ptr<Strategy> (*make)(const StrategySetup&);
};
constexpr Entry strategies[] = {
    {"uniform", make_uniform},
    {"dynamic", make_dynamic},
    {"sharded", make_sharded},
};

}  // namespace

const std::vector<std::string>& strategy_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Entry& entry : strategies) all.emplace_back(entry.name);
    return all;
  }();
  return names;
}

std::unique_ptr<Strategy> make_strategy(const std::string& name, const StrategySetup& setup) {
  const auto* found = std::find_if(std::begin(strategies), std::end(strategies),
                                   [&](const Entry& entry) { return name == entry.name; });
  if (found == std::end(strategies)) {
    throw UsageError("--strategy '{}': give one of {}", name, fmt::join(strategy_names(), ", "));
  }
  std::unique_ptr<Strategy> strategy = found->make(setup);
  if (strategy->traits().needs_shards && setup.shard_weights.empty()) {
    throw Error("strategy {} needs batches with shards (give dp-stream --layout shards:16)", name);
  }
  return strategy;
}

}  // namespace dp
