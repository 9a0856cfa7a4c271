// How sentences break into lines.
// SPDX-License-Identifier: MIT
#include "plot/words.hpp"

#include <gmock/gmock.h>

namespace dp {
namespace {

using testing::ElementsAre;

TEST(Words, BreakAtSpacesIntoLinesOfSoManyCharacters) {
  EXPECT_THAT(lines_of("each line ends where it must", 9),
              ElementsAre("each line", "ends", "where it", "must"));
  EXPECT_THAT(lines_of("± 5 % – so", 10), ElementsAre("± 5 % – so"));  // characters, not bytes
}

TEST(Words, AreListed) {
  EXPECT_EQ(listed({}), "");
  EXPECT_EQ(listed({"a"}), "a");
  EXPECT_EQ(listed({"a", "b", "c"}), "a, b and c");
}

TEST(Words, KeepANumberWithItsUnit) {
  EXPECT_THAT(lines_of("memory 369–1270 MB", 15), ElementsAre("memory", "369–1270 MB"));
  EXPECT_THAT(lines_of("up to 4500 samples/s", 10),
              ElementsAre("up to", "4500 samples/s"));  // longer than a line
}

}  // namespace
}  // namespace dp
