// What every strategy owes the router, whatever its rule. A new strategy is held to this unasked.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint32_t workers = 4, shards = 8, batches = 1000;

StrategySetup setup(std::uint64_t seed = 1) { return {workers, {80, 70, 60, 50, 40, 30, 20, 10}, seed}; }
BatchMeta batch(std::uint64_t id) { return {BatchId{id}, static_cast<ShardId>(id / 3 % shards), 32}; }

class StrategyConformance : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Strategy> make(std::uint64_t seed = 1) const {
    return make_strategy(GetParam(), setup(seed));
  }
  std::unique_ptr<Strategy> make_with_everyone(std::uint64_t seed = 1) const {
    auto strategy = make(seed);
    for (Slot slot = 0; slot < workers; ++slot) strategy->joined(slot);
    return strategy;
  }
};

/// Where each batch would go now, everyone alive being ready.
std::vector<std::optional<Slot>> placement(Strategy& strategy, const std::vector<Slot>& alive) {
  std::vector<std::optional<Slot>> slots;
  for (std::uint64_t id = 0; id < batches; ++id) slots.push_back(strategy.choose(batch(id), alive));
  return slots;
}

std::vector<Slot> all_but(std::set<Slot> gone) {
  std::vector<Slot> slots;
  for (Slot slot = 0; slot < workers; ++slot) {
    if (!gone.contains(slot)) slots.push_back(slot);
  }
  return slots;
}

/// Workers come, go, are sent batches and finish them, all at random; `see` is told each choice and who was
/// alive.
template <class F>
void churn(Strategy& strategy, std::uint64_t seed, F&& see) {
  Rng rng(seed);
  std::set<Slot> alive;
  std::vector<std::pair<Slot, std::uint32_t>> outstanding;
  for (std::uint64_t id = 0; id < 3000; ++id) {
    if (rng.below(10) == 0) {
      const auto slot = static_cast<Slot>(rng.below(workers));
      if (alive.erase(slot)) {
        strategy.left(slot);
        std::erase_if(outstanding, [&](const auto& one) { return one.first == slot; });
      } else {
        alive.insert(slot);
        strategy.joined(slot);
      }
    }
    std::vector<Slot> ready;
    for (const Slot slot : alive) {
      if (rng.below(2)) ready.push_back(slot);
    }
    const std::optional<Slot> chosen = strategy.choose(batch(id), ready);
    see(chosen, alive, ready);
    if (chosen && alive.contains(*chosen)) {
      strategy.sent(*chosen, 32);
      outstanding.emplace_back(*chosen, 32);
    }
    if (!outstanding.empty() && rng.below(3)) {
      const auto [slot, samples] = outstanding.front();
      outstanding.erase(outstanding.begin());
      strategy.done(slot, samples, Duration(rng.below(50'000'000)));
    }
  }
}

TEST_P(StrategyConformance, ChoosesALiveWorkerOrNobody) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto strategy = make(seed);
    churn(*strategy, seed, [&](std::optional<Slot> chosen, const std::set<Slot>& alive, const auto&) {
      if (chosen) {
        ASSERT_TRUE(alive.contains(*chosen)) << "seed " << seed;
      }
    });
  }
}

TEST_P(StrategyConformance, ChoosesSomebodyWheneverEveryoneIsReady) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto strategy = make(seed);
    churn(*strategy, seed,
          [&](std::optional<Slot> chosen, const std::set<Slot>& alive, const std::vector<Slot>& ready) {
            if (!alive.empty() && ready.size() == alive.size()) {
              ASSERT_TRUE(chosen) << "seed " << seed;
            }
          });
  }
}

TEST_P(StrategyConformance, ChoosesNobodyWhileNobodyIsThere) {
  auto strategy = make();
  EXPECT_EQ(strategy->choose(batch(0), {}), std::nullopt);
  strategy->joined(2);
  strategy->left(2);
  EXPECT_EQ(strategy->choose(batch(0), {}), std::nullopt);
}

TEST_P(StrategyConformance, TheSameSeedMakesTheSameChoices) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    std::vector<std::optional<Slot>> choices[2];
    for (auto& made : choices) {
      auto strategy = make(seed);
      churn(*strategy, seed + 100,
            [&](std::optional<Slot> chosen, const auto&, const auto&) { made.push_back(chosen); });
    }
    EXPECT_EQ(choices[0], choices[1]);
  }
}

TEST_P(StrategyConformance, EverybodyGetsSomething) {
  auto strategy = make_with_everyone();
  const std::vector<Slot> alive = all_but({});
  std::set<Slot> used;
  for (std::uint64_t id = 0; id < batches; ++id) {
    const auto slot = strategy->choose(batch(id), alive);
    strategy->sent(slot.value(), 32);
    used.insert(*slot);
  }
  EXPECT_EQ(used.size(), workers);
}

TEST_P(StrategyConformance, WhenAWorkerLeavesOnlyItsOwnKeysMove) {
  if (make()->traits().adaptive) return;  // places follow load, not keys
  for (Slot gone = 0; gone < workers; ++gone) {
    auto strategy = make_with_everyone();
    const auto before = placement(*strategy, all_but({}));
    strategy->left(gone);
    const auto after = placement(*strategy, all_but({gone}));
    for (std::uint64_t id = 0; id < batches; ++id) {
      if (before[id] != gone) {
        EXPECT_EQ(after[id], before[id]);
      } else {
        EXPECT_NE(after[id], gone);
      }
    }
  }
}

TEST_P(StrategyConformance, AReturningWorkerRegainsItsKeys) {
  if (make()->traits().adaptive) return;  // places follow load, not keys
  Rng rng(1);
  for (int round = 0; round < 50; ++round) {
    auto strategy = make_with_everyone();
    const auto before = placement(*strategy, all_but({}));
    std::vector<Slot> gone{0, 1, 2, 3};
    for (std::size_t i = gone.size() - 1; i > 0; --i) std::swap(gone[i], gone[rng.below(i + 1)]);
    gone.resize(1 + rng.below(workers));
    for (const Slot slot : gone) strategy->left(slot);
    std::reverse(gone.begin(), gone.begin() + static_cast<std::ptrdiff_t>(rng.below(gone.size() + 1)));
    for (const Slot slot : gone) strategy->joined(slot);
    EXPECT_EQ(placement(*strategy, all_but({})), before);
  }
}

TEST_P(StrategyConformance, TheShardMapIsWhereItsBatchesGo) {
  auto strategy = make_with_everyone();
  const std::vector<Slot> map = strategy->shard_map();
  if (map.empty()) return;  // has none
  ASSERT_EQ(map.size(), shards);
  for (std::uint64_t id = 0; id < batches; ++id)
    EXPECT_EQ(strategy->choose(batch(id), {}), map[batch(id).shard]);
}

TEST_P(StrategyConformance, NeedsShardsExactlyIfItSaysSo) {
  const StrategySetup without{workers, {}, 1};
  if (!make()->traits().needs_shards) {
    EXPECT_NO_THROW(make_strategy(GetParam(), without));
    return;
  }
  try {
    make_strategy(GetParam(), without);
    FAIL() << "did without";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(GetParam()), HasSubstr("--layout shards:")));
  }
}

INSTANTIATE_TEST_SUITE_P(Every, StrategyConformance, testing::ValuesIn(strategy_names()),
                         [](const auto& info) { return info.param; });

TEST(MakeStrategy, AnUnknownNameIsRefusedListingTheKnownOnes) {
  try {
    make_strategy("unifrom", setup());
    FAIL() << "was taken";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'unifrom'"), HasSubstr("uniform, dynamic, sharded")));
  }
}

}  // namespace
}  // namespace dp
