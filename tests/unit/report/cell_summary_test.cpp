// Figures of a cell over its iterations.
// SPDX-License-Identifier: MIT
#include "report/cell_summary.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "make_run.hpp"

namespace dp {
namespace {

std::vector<CellSummary> summaries_of(std::vector<MeasuredRun> runs) {
  return summarize_cells(group_runs(std::move(runs)));
}

// t(0.975; 2) = 4.303 from printed tables.
TEST(CellSummary, CapacityIsTheMeanAtMaxWithItsInterval) {
  const CellSummary s =
      summaries_of({make_run({.seed = 1, .completed = 90}), make_run({.seed = 2, .completed = 100}),
                    make_run({.seed = 3, .completed = 110})})[0];
  EXPECT_DOUBLE_EQ(s.capacity->mean, 100);
  EXPECT_NEAR(*s.capacity->half_width, 4.303 * 10 / std::sqrt(3), 0.01);
  EXPECT_FALSE(s.throughput);
}

// 2 nodes at 9 an hour are 18 an hour; 1000 samples/s take 1000 s for a million: 18 × 1000 / 3600 = 5.
TEST(CellSummary, CostIsWhatAllNodesCostWhileAMillionSamplesAreServed) {
  const auto cells = summarize_cells(group_runs({make_run({.nodes = 2, .seed = 1, .completed = 1000}),
                                                 make_run({.nodes = 2, .seed = 2, .completed = 500})}),
                                     9.0);
  ASSERT_TRUE(cells[0].cost_per_million);
  EXPECT_DOUBLE_EQ(cells[0].cost_per_million->values.at(0), 5);
  EXPECT_DOUBLE_EQ(cells[0].cost_per_million->mean, 7.5);
  EXPECT_TRUE(cells[0].cost_per_million->half_width);
}

TEST(CellSummary, HasNoCostWithoutAPrice) { EXPECT_FALSE(summaries_of({make_run({})})[0].cost_per_million); }

TEST(CellSummary, ASingleIterationHasNoInterval) {
  EXPECT_FALSE(summaries_of({make_run({})})[0].capacity->half_width);
}

TEST(CellSummary, SpeedupIsAgainstTheSameStrategysSmallestNodeCount) {
  const auto s =
      summaries_of({make_run({.nodes = 2, .completed = 100}), make_run({.nodes = 4, .completed = 180}),
                    make_run({.strategy = "dynamic", .nodes = 4, .completed = 500})});
  EXPECT_DOUBLE_EQ(s[0].speedup->mean, 1);
  EXPECT_DOUBLE_EQ(s[1].speedup->mean, 1.8);
  EXPECT_DOUBLE_EQ(*s[1].efficiency, 0.9);
  EXPECT_DOUBLE_EQ(s[2].speedup->mean, 1);
}

// Ratios 2, 3 and 4: standard deviation 1.
TEST(CellSummary, SpeedupsIntervalPairsIterations) {
  std::vector<MeasuredRun> runs;
  for (int seed : {1, 2, 3}) {
    runs.push_back(make_run({.nodes = 1, .seed = seed, .completed = 100}));
    runs.push_back(make_run({.nodes = 2, .seed = seed, .completed = 100.0 * (seed + 1)}));
  }
  EXPECT_NEAR(*summaries_of(runs)[1].speedup->half_width, 4.303 / std::sqrt(3), 0.001);
}

TEST(CellSummary, HasNoSpeedupWithoutAValidBase) {
  const auto s = summaries_of({make_run({.nodes = 1, .valid = false}), make_run({.nodes = 2})});
  EXPECT_FALSE(s[1].speedup);
}

TEST(CellSummary, StatesNoPercentileThatARunDoesNotSupport) {
  const CellSummary s = summaries_of({make_run({.rate_mode = "open"})})[0];
  EXPECT_DOUBLE_EQ(s.p95_ms->mean, 30);
  EXPECT_FALSE(s.p99_ms);
}

TEST(CellSummary, StatesNoLatencyOfAnOverloadedCell) {
  MeasuredRun slow = make_run({.rate_mode = "open", .seed = 2});
  slow.report.overloaded = true;
  const CellSummary s = summaries_of({make_run({.rate_mode = "open"}), slow})[0];
  EXPECT_TRUE(s.overloaded);
  EXPECT_FALSE(s.p50_ms);
  EXPECT_TRUE(s.throughput);
}

TEST(CellSummary, SumsProcessorAndMemoryOverAllProcesses) {
  MeasuredRun run = make_run({.rate_mode = "open"});
  run.report.workers.resize(2);
  run.report.workers[0].cpu_percent = MeanMax{90, 100};
  run.report.workers[1].rss_mb = MeanPeak{200, 250};
  run.report.stages = {{"route", MeanMax{5, 6}, MeanPeak{30, 31}, std::nullopt}};
  const CellSummary s = summaries_of({run})[0];
  EXPECT_DOUBLE_EQ(s.cpu_percent->mean, 95);
  EXPECT_DOUBLE_EQ(s.memory_mb->mean, 230);
  EXPECT_FALSE(cpu_percent_of(make_run({}).report));
}

TEST(CellSummary, NamesRunsFarFromTheMedian) {
  std::vector<MeasuredRun> runs;
  for (int seed : {1, 2, 3, 4, 5, 6, 7, 8}) {
    runs.push_back(make_run({.seed = seed, .completed = seed == 8 ? 100.0 : 10.0}));
    runs.back().file = std::to_string(seed);
  }
  EXPECT_EQ(summaries_of(runs)[0].outliers, std::vector<std::string>{"8"});
}

struct StreamsCase {
  const char* what;
  std::vector<SecondOfRun> series;
  std::uint64_t successful, failed;
};

TEST(Streams, AreSecondsWhoseSamplesAreDoneASecondLater) {
  const StreamsCase cases[] = {
      {"nothing offered", {}, 0, 0},
      {"done within the second", {{0, 100, 100, 0, {}, {}, {}}, {1, 100, 100, 0, {}, {}, {}}}, 2, 0},
      {"the rest done in the next", {{0, 100, 60, 40, {}, {}, {}}, {1, 0, 40, 0, {}, {}, {}}}, 1, 0},
      {"the rest done too late",
       {{0, 100, 60, 40, {}, {}, {}}, {1, 0, 0, 40, {}, {}, {}}, {2, 0, 40, 0, {}, {}, {}}},
       0,
       1},
      {"a backlog of more than a second",
       {{0, 100, 50, 50, {}, {}, {}}, {1, 100, 49, 101, {}, {}, {}}, {2, 0, 101, 0, {}, {}, {}}},
       1,
       1},
      {"samples that never came back", {{0, 100, 68, 32, {}, {}, {}}}, 0, 1},
      {"rows of several seconds",
       {{0, 400, 360, 40, {}, {}, {}, 4}, {4, 400, 300, 140, {}, {}, {}, 4}},
       4,
       4},
  };
  for (const StreamsCase& c : cases) {
    RunReport report;
    report.series = c.series;
    const Streams streams = streams_of(report);
    EXPECT_EQ(streams.successful, c.successful) << c.what;
    EXPECT_EQ(streams.failed, c.failed) << c.what;
  }
}

}  // namespace
}  // namespace dp
