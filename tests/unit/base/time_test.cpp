// SPDX-License-Identifier: MIT
#include "base/time.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace dp {
namespace {

TEST(FromSeconds, RoundsTowardsZeroToNanoseconds) {
  EXPECT_EQ(from_seconds(1.5), std::chrono::milliseconds(1500));
  EXPECT_EQ(from_seconds(-0.25), -std::chrono::milliseconds(250));
  EXPECT_EQ(from_seconds(1e-10), Duration(0));
}

TEST(FromSeconds, WhatDoesNotFitIsABillionSeconds) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr Duration most = std::chrono::seconds(1'000'000'000);
  for (const double s : {1e9, 1e10, 1e300, infinity}) EXPECT_EQ(from_seconds(s), most) << s;
  for (const double s : {-1e9, -1e10, -1e300, -infinity}) EXPECT_EQ(from_seconds(s), -most) << s;
  EXPECT_EQ(from_seconds(std::numeric_limits<double>::quiet_NaN()), -most);
}

}  // namespace
}  // namespace dp
