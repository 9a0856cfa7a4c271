// uniform: batch b goes to worker b mod W.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "route/strategy.hpp"

namespace dp {
namespace {

std::unique_ptr<Strategy> uniform(std::uint32_t workers) {
  auto strategy = make_strategy("uniform", {workers, {}, 1});
  for (Slot slot = 0; slot < workers; ++slot) strategy->joined(slot);
  return strategy;
}

std::optional<Slot> place_of(Strategy& strategy, std::uint64_t id) {
  return strategy.choose({BatchId{id}, 0, 32}, {});
}

TEST(Uniform, GivesBatchBToWorkerBModW) {
  for (const std::uint32_t workers : {1U, 2U, 3U, 8U}) {
    auto strategy = uniform(workers);
    for (std::uint64_t id = 0; id < 100; ++id) EXPECT_EQ(place_of(*strategy, id), id % workers);
  }
}

TEST(Uniform, IgnoresLoad) {
  auto strategy = uniform(2);
  strategy->sent(0, 1'000'000);
  strategy->done(0, 1, std::chrono::hours(1));
  const Slot only_ready[] = {1};
  EXPECT_EQ(strategy->choose({BatchId{4}, 0, 32}, only_ready), 0U);
}

TEST(Uniform, DealsALostWorkersBatchesRoundTheSurvivors) {
  auto strategy = uniform(3);
  strategy->left(1);
  std::vector<Slot> dealt;
  for (const std::uint64_t id : {1, 4, 7, 10}) dealt.push_back(place_of(*strategy, id).value());
  EXPECT_EQ(dealt, (std::vector<Slot>{0, 2, 0, 2}));
}

TEST(Uniform, ABatchStaysAtHomeWhileItsWorkerLives) {
  auto strategy = uniform(4);
  strategy->left(0);
  strategy->left(3);
  for (std::uint64_t id = 0; id < 100; ++id) {
    const auto place = place_of(*strategy, id);
    if (id % 4 == 1 || id % 4 == 2) EXPECT_EQ(place, id % 4);
    else EXPECT_TRUE(place == 1U || place == 2U);
  }
}

}  // namespace
}  // namespace dp
