// The list of strategies, and what stands behind their names.
// SPDX-License-Identifier: MIT
#include "route/strategy.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/options.hpp"

// One line a strategy: DP_STRATEGY(x) stands for `StrategyKind x_strategy()` in strategy_<name>.cpp.
#define DP_STRATEGIES      \
  DP_STRATEGY(uniform)     \
  DP_STRATEGY(dynamic)     \
  DP_STRATEGY(sharded)     \
  DP_STRATEGY(random)      \
  DP_STRATEGY(p2c)         \
  DP_STRATEGY(jsq)         \
  DP_STRATEGY(jbsq)        \
  DP_STRATEGY(jiq)         \
  DP_STRATEGY(lwl)         \
  DP_STRATEGY(peak_ewma)   \
  DP_STRATEGY(wrr)         \
  DP_STRATEGY(prequal)     \
  DP_STRATEGY(rendezvous)  \
  DP_STRATEGY(maglev)      \
  DP_STRATEGY(ch_bl)

namespace dp {

#define DP_STRATEGY(x) StrategyKind x##_strategy();
DP_STRATEGIES
#undef DP_STRATEGY

namespace {

std::string parameter_names(const StrategyKind& kind) {
  std::vector<std::string_view> keys;
  for (const auto& parameter : kind.parameters) keys.push_back(parameter.key);
  return keys.empty() ? "it has none" : fmt::format("it has {}", fmt::join(keys, ", "));
}

}  // namespace

const std::vector<StrategyKind>& strategy_kinds() {
#define DP_STRATEGY(x) x##_strategy(),
  static const std::vector<StrategyKind> kinds{DP_STRATEGIES};
#undef DP_STRATEGY
  return kinds;
}

std::string strategy_names() {
  std::vector<std::string_view> names;
  for (const StrategyKind& kind : strategy_kinds()) names.push_back(kind.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

// ---- parameters ------------------------------------------------------------------------------------------

std::uint64_t StrategyParameters::count(const std::string& key, std::uint64_t low, std::uint64_t high,
                                        std::uint64_t fallback) const {
  const auto given = values_.find(key);
  return given == values_.end() ? fallback : parse_count(key, given->second, low, high);
}

double StrategyParameters::number(const std::string& key, double low, double high, double fallback) const {
  const auto given = values_.find(key);
  return given == values_.end() ? fallback : parse_number(key, given->second, low, high);
}

Duration StrategyParameters::duration(const std::string& key, Duration fallback) const {
  const auto given = values_.find(key);
  return given == values_.end() ? fallback : parse_duration(key, given->second);
}

std::string StrategyParameters::choice(const std::string& key, const std::vector<std::string>& allowed) const {
  const auto given = values_.find(key);
  return given == values_.end() ? allowed.front() : allowed[parse_choice(key, given->second, allowed)];
}

// ---- by name ---------------------------------------------------------------------------------------------

StrategySpec parse_strategy(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  const auto& kinds = strategy_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const StrategyKind& k) { return !parts.empty() && k.name == parts[0]; });
  if (kind == kinds.end()) throw UsageError("--strategy '{}': give one of {}", text, strategy_names());
  std::map<std::string, std::string> values;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    const std::string key = parts[i].substr(0, equals);
    const bool known = std::any_of(kind->parameters.begin(), kind->parameters.end(),
                                   [&](const StrategyKind::Parameter& p) { return p.key == key; });
    if (!known || equals == std::string::npos) {
      throw UsageError("--strategy '{}': '{}' is no parameter of {} with a value; {}", text, parts[i], kind->name,
                       parameter_names(*kind));
    }
    if (!values.emplace(key, parts[i].substr(equals + 1)).second)
      throw UsageError("--strategy '{}': {} is given twice", text, key);
  }
  StrategySpec spec{&*kind, StrategyParameters(std::move(values))};
  try {
    kind->make({1, {1}, 1}, spec.parameters);  // refuses values that it does not allow
  } catch (const UsageError& problem) {
    throw UsageError("--strategy '{}': {}", text, problem.what());
  }
  return spec;
}

void require_shards(const StrategySetup& setup, std::string_view strategy, std::string_view advice) {
  if (!setup.shard_weights.empty()) return;
  throw Error("strategy {} needs batches with shards (give dp-stream --layout shards:16{})", strategy, advice);
}

std::unique_ptr<Strategy> make_strategy(const std::string& text, const StrategySetup& setup) {
  const StrategySpec spec = parse_strategy(text);
  return spec.kind->make(setup, spec.parameters);
}

}  // namespace dp
