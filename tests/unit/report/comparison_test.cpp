// Which strategy is called best, and when none is.
// SPDX-License-Identifier: MIT
#include "report/comparison.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "make_run.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

struct Compared {
  Sweep sweep;
  std::vector<CellSummary> cells;
  std::vector<NodeComparison> comparisons;
};

/// Capacities by strategy, one an iteration.
Compared compared(const std::vector<std::pair<std::string, std::vector<double>>>& capacities,
                  std::uint32_t nodes = 2) {
  std::vector<MeasuredRun> runs;
  for (const auto& [strategy, values] : capacities) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      runs.push_back(make_run({.strategy = strategy,
                               .nodes = nodes,
                               .seed = static_cast<std::int64_t>(i),
                               .completed = values[i],
                               .started = "T"}));
    }
  }
  Compared c;
  c.sweep = group_runs(std::move(runs));
  c.cells = summarize_cells(c.sweep);
  c.comparisons = compare_strategies(c.sweep, c.cells);
  return c;
}

TEST(Comparison, FindsASmallDifferenceThatEveryIterationShows) {
  const Compared c = compared({{"uniform", {100, 200, 300}}, {"dynamic", {110, 211, 309}}});
  EXPECT_EQ(c.comparisons.at(0).best, "dynamic");
  EXPECT_DOUBLE_EQ(c.comparisons[0].pairs.at(0).difference.mean, -10);
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("2 nodes: dynamic has the highest capacity"));
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("Use dynamic."));
}

TEST(Comparison, FindsNothingToChooseForOneWorker) {
  const Compared c = compared({{"uniform", {100, 200, 300}}, {"dynamic", {110, 211, 309}}}, 1);
  EXPECT_EQ(c.comparisons.at(0).best, "");
  EXPECT_FALSE(c.comparisons[0].pairs.at(0).difference.significant);
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("there is nothing to choose"));
}

TEST(Comparison, CallsNoStrategyBestThatNoiseCouldReverse) {
  const Compared c = compared({{"uniform", {100, 100, 100}}, {"dynamic", {90, 120, 110}}});
  EXPECT_EQ(c.comparisons.at(0).best, "");
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("dynamic and uniform are indistinguishable"));
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("Any of them will do"));
}

TEST(Comparison, GroupsTheLeadersThatCannotBeToldApart) {
  const Compared c =
      compared({{"uniform", {100, 101, 99}}, {"dynamic", {101, 100, 100}}, {"sharded", {50, 51, 49}}});
  EXPECT_EQ(c.comparisons.at(0).best, "");
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("indistinguishable by capacity"));
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("ahead of sharded"));
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("Use any but sharded."));
}

// Differences of 30, 31 and 29 MB: mean 30, deviation 1, t(0.975; 2) = 4.303 from printed tables.
TEST(Comparison, ComparesWhatWorkersMustHoldByIteration) {
  std::vector<MeasuredRun> runs;
  for (const std::int64_t seed : {0, 1, 2}) {
    runs.push_back(make_run({.strategy = "dynamic", .nodes = 2, .seed = seed}));
    runs.back().report.data_moved_mb = std::vector{40.0, 42.0, 41.0}[static_cast<std::size_t>(seed)];
    runs.push_back(make_run({.strategy = "sharded", .nodes = 2, .seed = seed}));
    runs.back().report.data_moved_mb = std::vector{10.0, 11.0, 12.0}[static_cast<std::size_t>(seed)];
  }
  const Sweep sweep = group_runs(std::move(runs));
  const auto cells = summarize_cells(sweep);
  const auto moved = compare_strategies(sweep, cells).at(0).pairs.at(0).data_moved.value();
  EXPECT_DOUBLE_EQ(moved.mean, 30);
  EXPECT_NEAR(moved.half_width.value(), 4.303 / std::sqrt(3), 0.001);
  EXPECT_TRUE(moved.significant);
  EXPECT_DOUBLE_EQ(cells.at(0).data_moved.value().mean, 41);
}

// p99 of 40 against 30, 29 and 31 ms, both supported; an overloaded or unsupported one is not compared.
TEST(Comparison, ComparesThePercentileAtTheRateWhereItIsStated) {
  std::vector<MeasuredRun> runs;
  for (const std::int64_t seed : {0, 1, 2}) {
    for (const std::string strategy : {"uniform", "dynamic", "sharded"}) {
      runs.push_back(make_run({.strategy = strategy, .nodes = 2, .seed = seed}));
      runs.push_back(make_run({.strategy = strategy, .nodes = 2, .rate_mode = "open", .seed = seed}));
      Latency& latency = runs.back().report.latency_ms;
      latency.supported.p99 = strategy != "sharded";
      if (strategy == "dynamic") latency.p99 = std::vector{30.0, 29.0, 31.0}[static_cast<std::size_t>(seed)];
    }
  }
  const Sweep sweep = group_runs(std::move(runs));
  const auto cells = summarize_cells(sweep);
  const auto comparisons = compare_strategies(sweep, cells);
  const auto& pairs = comparisons.at(0).pairs;
  ASSERT_EQ(pairs.at(0).second, "dynamic");
  EXPECT_DOUBLE_EQ(pairs[0].p99_ms.value().mean, 10);
  EXPECT_TRUE(pairs[0].p99_ms->significant);
  EXPECT_FALSE(pairs.at(1).p99_ms);
  EXPECT_FALSE(pairs.at(2).p99_ms);
}

TEST(Comparison, DoesNotCompareWhatARunDidNotTell) {
  EXPECT_FALSE(compared({{"uniform", {1, 2}}, {"dynamic", {1, 2}}}).comparisons.at(0).pairs.at(0).data_moved);
}

TEST(Comparison, ProvesNothingFromOneIteration) {
  const Compared c = compared({{"uniform", {100}}, {"dynamic", {900}}});
  EXPECT_EQ(c.comparisons.at(0).best, "");
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("two or more valid iterations"));
}

TEST(Comparison, OfOneStrategyHasNoWinner) {
  const Compared c = compared({{"dynamic", {100, 101}}});
  EXPECT_EQ(c.comparisons.at(0).best, "");
  EXPECT_THAT(c.comparisons[0].sentence, HasSubstr("only dynamic was measured"));
}

TEST(Comparison, LeavesInvalidRunsOut) {
  std::vector<MeasuredRun> runs;
  for (std::int64_t seed : {1, 2, 3}) {
    runs.push_back(make_run({.nodes = 2, .seed = seed, .completed = 100.0 + static_cast<double>(seed)}));
    runs.push_back(
        make_run({.strategy = "dynamic", .nodes = 2, .seed = seed, .completed = 500, .valid = seed == 1}));
  }
  const Sweep sweep = group_runs(std::move(runs));
  const auto cells = summarize_cells(sweep);
  const auto comparisons = compare_strategies(sweep, cells);
  EXPECT_EQ(comparisons.at(0).pairs.at(0).iterations, 1u);
  EXPECT_EQ(comparisons[0].best, "");
}

}  // namespace
}  // namespace dp
