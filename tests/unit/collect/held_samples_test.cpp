// SPDX-License-Identifier: MIT
#include "collect/held_samples.hpp"

#include <gtest/gtest.h>

namespace dp {
namespace {

void take(HeldSamples& held, const std::string& worker, std::vector<SampleId> ids) { held.take(worker, ids); }

TEST(HeldSamples, CountsASampleOnceAWorkerHoweverOftenItComes) {
  HeldSamples held;
  take(held, "a", {0, 1, 63, 64});
  take(held, "a", {64, 1, 1000});
  take(held, "b", {64});
  EXPECT_EQ(held.of("a"), 5U);
  EXPECT_EQ(held.of("b"), 1U);
}

TEST(HeldSamples, AWorkerThatTookNothingHoldsNothing) {
  HeldSamples held;
  take(held, "a", {});
  EXPECT_EQ(held.of("a"), 0U);
  EXPECT_EQ(held.of("never seen"), 0U);
}

// A bit a sample: the last id that fits is 8 × most_bytes − 1, and half of them leave room for one more worker.
TEST(HeldSamples, GivesUpForAllWhenTheirBitsOutgrowTheBound) {
  constexpr SampleId bits = 8 * HeldSamples::most_bytes;
  HeldSamples held;
  take(held, "a", {bits / 2 - 1});
  take(held, "b", {bits / 2 - 1});
  EXPECT_EQ(held.of("a"), 1U);
  EXPECT_EQ(held.of("b"), 1U);
  take(held, "c", {0});
  EXPECT_EQ(held.of("a"), std::nullopt);
  take(held, "a", {0});
  EXPECT_EQ(held.of("a"), std::nullopt);
}

TEST(HeldSamples, OneHugeIdCostsNoMemory) {
  HeldSamples held;
  take(held, "a", {UINT32_MAX});
  EXPECT_EQ(held.of("a"), std::nullopt);
}

}  // namespace
}  // namespace dp
