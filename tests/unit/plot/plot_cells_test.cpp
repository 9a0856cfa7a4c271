// Reading the table that pictures are drawn from.
// SPDX-License-Identifier: MIT
#include "plot/plot_cells.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "report/tables.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

std::string error_of(const Table& table) {
  try {
    plot_cells(table, "t.csv");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(PlotCells, ReadTheTableThatIsWritten) {
  CellSummary s;
  s.strategy = "dynamic";
  s.nodes = 2;
  s.capacity = Estimate{{}, 1500, 25.0};
  s.at_max = {2, 3};
  s.oversubscribed = true;
  const PlotCell c = plot_cells(averaged_results({s}), "t.csv").at(0);
  EXPECT_EQ(c.strategy, "dynamic");
  EXPECT_EQ(c.nodes, 2u);
  EXPECT_EQ(c.capacity, 1500);
  EXPECT_EQ(c.capacity_ci95, 25);
  EXPECT_EQ(c.valid_at_max, 2u);
  EXPECT_EQ(c.runs_at_max, 3u);
  EXPECT_TRUE(c.oversubscribed);
  EXPECT_FALSE(c.overloaded);
  EXPECT_EQ(c.p95_ms, std::nullopt);
  EXPECT_EQ(c.nodes_are, "processes of one host");
}

TEST(PlotCells, NameWhatIsWrongWithATable) {
  CellSummary s;
  s.capacity = Estimate{{}, 1500, std::nullopt};
  Table table = averaged_results({s});
  EXPECT_THAT(error_of({{"a"}, {{"1"}}}), HasSubstr("t.csv: no column strategy"));
  EXPECT_THAT(error_of({{"a"}, {}}), HasSubstr("t.csv: no rows"));
  table.rows[0][*table.find("capacity")] = "fast";
  EXPECT_THAT(error_of(table), HasSubstr("t.csv: row 2: capacity is \"fast\", not a number"));
}

}  // namespace
}  // namespace dp
