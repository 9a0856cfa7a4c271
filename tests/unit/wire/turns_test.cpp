// Whose turn it is: nobody is passed over, and nobody keeps it.
// SPDX-License-Identifier: MIT
#include "wire/turns.hpp"

#include <gtest/gtest.h>

namespace dp {
namespace {

TEST(Turns, WhoHasSomethingKeepsIt) {
  Turns turns;
  turns.took(true);
  EXPECT_EQ(turns.among(3), 0U);
}

TEST(Turns, WhoHasNothingPassesIt) {
  Turns turns;
  for (std::size_t n = 0; n < 7; ++n) {
    EXPECT_EQ(turns.among(3), n % 3);
    turns.took(false);
  }
}

TEST(Turns, AFloodKeepsNoOtherWaiting) {
  Turns turns;
  int taken[3] = {};
  for (int n = 0; n < 3 * 10 * Turns::most_in_a_row; ++n) {
    ++taken[turns.among(3)];
    turns.took(true);
  }
  for (const int each : taken) EXPECT_EQ(each, 10 * Turns::most_in_a_row);
}

}  // namespace
}  // namespace dp
