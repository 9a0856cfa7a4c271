// A run cut into slots, and the picture of it.
// SPDX-License-Identifier: MIT
#include "plot/time_slots.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "../report/make_run.hpp"
#include "make_batches.hpp"
#include "plot/pictures.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string joined(const json& lines) {
  std::string text;
  for (const json& line : lines) text.append(line.get<std::string>()).append(" ");
  return text;
}

PlotData data_of(const MeasuredRun& run) {
  PlotData data;
  data.shown = ShownRun{run, make_batches(), 1};
  return data;
}

std::vector<Picture> pictures_of(const PlotData& data) {
  return make_pictures(data, std::filesystem::path(DP_SOURCE_DIR) / "lib/plot/templates",
                       {"latency_over_time"});
}

TEST(TimeSlots, HoldEightBatchesOrMoreAndRatesOverTheirOwnLength) {
  BatchTimes times = make_batches();
  times.batches[35].collected_ms = 4950;
  times.batches[35].latency_ms = 1450;
  const auto slots = slots_of(times);
  ASSERT_EQ(slots.size(), 8u);
  EXPECT_DOUBLE_EQ(slots[0].until_s, 1);
  EXPECT_DOUBLE_EQ(slots[0].offered, 100);
  EXPECT_DOUBLE_EQ(slots[0].completed, 100);
  EXPECT_DOUBLE_EQ(slots[0].under_way, 0);
  EXPECT_DOUBLE_EQ(slots[3].completed, 90);
  EXPECT_DOUBLE_EQ(slots[3].under_way, 10);
  EXPECT_DOUBLE_EQ(slots[4].completed, 110);
  EXPECT_EQ(slots[4].p50_ms, 50);
  EXPECT_EQ(slots[4].max_ms, 1450);
  EXPECT_DOUBLE_EQ(slots[7].until_s, 7.95);
  EXPECT_DOUBLE_EQ(slots[7].completed, 100 / 0.95);
}

TEST(TimeSlots, OfAReportAreItsSeconds) {
  RunReport report;
  report.duration_s = 2.5;
  report.series = {
      {0, 1000, 980, 20, 40, {}, 41}, {1, 1000, 1000, 20, {}, {}, {}}, {2, 500, 520, 0, 40, {}, 42}};
  auto slots = slots_of(report);
  ASSERT_EQ(slots.size(), 3u);
  EXPECT_DOUBLE_EQ(slots[0].completed, 980);
  EXPECT_DOUBLE_EQ(slots[0].under_way, 20);
  EXPECT_EQ(slots[0].p50_ms, 40);
  EXPECT_EQ(slots[0].max_ms, 41);
  EXPECT_EQ(slots[1].p50_ms, std::nullopt);
  EXPECT_DOUBLE_EQ(slots[2].until_s, 2.5);
  EXPECT_DOUBLE_EQ(slots[2].completed, 1040);
  report.duration_s = 2.2;
  slots = slots_of(report);
  ASSERT_EQ(slots.size(), 2u) << "a fifth of a second has no rate of its own";
  EXPECT_DOUBLE_EQ(slots[1].until_s, 2.2);
  EXPECT_DOUBLE_EQ(slots[1].completed, 1520 / 1.2);
  EXPECT_DOUBLE_EQ(slots[1].under_way, 0);
  EXPECT_EQ(slots[1].max_ms, 42);
}

TEST(TimeSlots, OfAReportWithLongRowsHaveRatesOverTheirLength) {
  RunReport report;
  report.duration_s = 10;
  report.series = {{0, 4000, 3600, 400, 40, {}, 41, 4},
                   {4, 4000, 4000, 400, 40, {}, 43, 4},
                   {8, 0, 400, 0, 40, {}, 42, 4}};
  auto slots = slots_of(report);
  ASSERT_EQ(slots.size(), 3u);
  EXPECT_DOUBLE_EQ(slots[0].until_s, 4);
  EXPECT_DOUBLE_EQ(slots[0].offered, 1000);
  EXPECT_DOUBLE_EQ(slots[0].completed, 900);
  EXPECT_DOUBLE_EQ(slots[2].until_s, 10);
  EXPECT_DOUBLE_EQ(slots[2].completed, 200) << "in two seconds";
  report.duration_s = 8.9;
  slots = slots_of(report);
  ASSERT_EQ(slots.size(), 2u) << "less than a quarter of a row has no rate of its own";
  EXPECT_DOUBLE_EQ(slots[1].completed, 4400 / 4.9);
}

TEST(TimeSlots, OfAShortReportShowNoHigherRateThanWasOffered) {
  RunReport report;
  report.rates.requested = 10;
  report.samples.announced = 14;
  report.duration_s = 1.301;  // the last of 14 samples at 10/s is due at 1.3 s, and stands for the time to 1.4 s
  report.series = {{0, 10, 10, 0, {}, {}, {}}, {1, 4, 4, 0, {}, {}, {}}};
  const auto slots = slots_of(report);
  ASSERT_EQ(slots.size(), 2u);
  EXPECT_DOUBLE_EQ(slots[1].until_s, 1.4);
  EXPECT_NEAR(slots[1].offered, 10, 1e-9);
  EXPECT_NEAR(slots[1].completed, 10, 1e-9);
}

TEST(TimeSlots, EndWithTheLastBatch) {
  BatchTimes times = make_batches();
  times.batches.back().collected_ms = 8100;  // 0.1 s of a slot of one second
  const auto slots = slots_of(times);
  ASSERT_EQ(slots.size(), 8u);
  EXPECT_DOUBLE_EQ(slots[7].until_s, 8.1);
  EXPECT_DOUBLE_EQ(slots[7].completed, 100 / 1.1);
  EXPECT_DOUBLE_EQ(slots[7].under_way, 0);
}

TEST(LatencyOverTime, StatesNoLatencyOfAnOverloadedRun) {
  MeasuredRun run = make_run({.strategy = "dynamic", .nodes = 2, .rate_mode = "open"});
  run.report.batch_latency_ms.p50 = 50;
  run.report.batch_latency_ms.supported.p50 = true;
  const json steady = json::parse(pictures_of(data_of(run)).at(0).spec);
  EXPECT_EQ(joined(steady.at("title").at("text")),
            "dynamic on 2 nodes at 1000 samples/s: latency p50 50.0 ms ");
  run.report.overloaded = true;
  run.report.valid = false;
  run.report.verdicts = {{"keeps up", "", "", false, ""}};
  const json overloaded = json::parse(pictures_of(data_of(run)).at(0).spec);
  EXPECT_THAT(joined(overloaded.at("title").at("text")),
              HasSubstr("overloaded, the queue grows to 0 samples"));
  EXPECT_THAT(joined(overloaded.at("title").at("subtitle")), HasSubstr("It is INVALID: keeps up."));
}

TEST(LatencyOverTime, StatesNoLatencyOfARunAsFastAsPossible) {
  MeasuredRun run = make_run({.strategy = "dynamic", .nodes = 2, .completed = 1500});
  run.report.batch_latency_ms.p50 = 1568;
  run.report.batch_latency_ms.supported.p50 = true;
  const json spec = json::parse(pictures_of(data_of(run)).at(0).spec);
  EXPECT_EQ(joined(spec.at("title").at("text")),
            "dynamic on 2 nodes as fast as possible: 1500 samples/s completed ");
}

TEST(LatencyOverTime, ShowsWhatHappened) {
  MeasuredRun run = make_run({.rate_mode = "open"});
  run.report.events = {{2.5, "w2 was lost"}, {99, "after the end"}};
  const json spec = json::parse(pictures_of(data_of(run)).at(0).spec);
  EXPECT_THAT(joined(spec.at("title").at("subtitle")), HasSubstr("Vertical lines: at 2.5 s w2 was lost."));
  EXPECT_EQ(spec.at("vconcat").at(0).at("layer").at(0).at("data").at("values").size(), 1u);
}

TEST(LatencyOverTime, NeedsFiveSlots) {
  PlotData data;
  data.shown = ShownRun{make_run({.rate_mode = "open"}), std::nullopt, 1};
  EXPECT_TRUE(pictures_of(data).empty());
}

}  // namespace
}  // namespace dp
