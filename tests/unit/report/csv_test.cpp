// CSV out and in again.
// SPDX-License-Identifier: MIT
#include "report/csv.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace dp {
namespace {

TEST(Csv, QuotesWhatNeedsIt) {
  EXPECT_EQ(write_csv({{"a", "b"}, {{"1", "x,y"}, {"", "say \"hi\"\nthere"}}}),
            "a,b\n1,\"x,y\"\n,\"say \"\"hi\"\"\nthere\"\n");
}

TEST(Csv, ReadsBackWhatItWrote) {
  const Table table{{"a", "b"}, {{"1", "x,y"}, {"", "say \"hi\"\nthere"}, {"", ""}}};
  const Table read = parse_csv(write_csv(table), "t.csv");
  EXPECT_EQ(read.columns, table.columns);
  EXPECT_EQ(read.rows, table.rows);
}

TEST(Csv, AcceptsCarriageReturnsAndAMissingLastLineEnd) {
  EXPECT_EQ(parse_csv("a,b\r\n1,2", "t.csv").rows, (std::vector<std::vector<std::string>>{{"1", "2"}}));
}

TEST(Csv, NamesTheRowThatHasTooFewCells) {
  try {
    parse_csv("a,b\n1,2\n3\n", "t.csv");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "t.csv: row 3 has 1 cells, the header 2");
  }
}

TEST(Csv, FindsColumnsByName) {
  const Table table{{"a", "b"}, {}};
  EXPECT_EQ(table.find("b"), 1u);
  EXPECT_EQ(table.find("c"), std::nullopt);
}

}  // namespace
}  // namespace dp
