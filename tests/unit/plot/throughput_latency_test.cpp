// throughput_latency: latency against completed rate, from runs at several rates.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "../report/make_run.hpp"
#include "plot/pictures.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using nlohmann::json;
using testing::HasSubstr;

MeasuredRun run_at(double rate, double p95_ms, const char* strategy = "uniform", std::uint32_t nodes = 2) {
  MeasuredRun run = make_run({.run_id = fmt::format("{}{}{}", strategy, nodes, rate),
                              .strategy = strategy,
                              .nodes = nodes,
                              .rate_mode = "open",
                              .completed = rate});
  run.report.rates.requested = rate;
  run.report.latency_ms.p50 = p95_ms / 2;
  run.report.latency_ms.p95 = p95_ms;
  return run;
}

MeasuredRun run_at_max(double capacity) {
  return make_run({.run_id = "max", .nodes = 2, .completed = capacity});
}

std::vector<Picture> pictures_of(std::vector<MeasuredRun> runs) {
  return make_pictures(plot_data_of(std::move(runs)),
                       std::filesystem::path(DP_SOURCE_DIR) / "lib/plot/templates", {"throughput_latency"});
}

json spec_of(std::vector<MeasuredRun> runs) { return json::parse(pictures_of(std::move(runs)).at(0).spec); }

std::string joined(const json& lines) {
  std::string text;
  for (const json& line : lines) text.append(text.empty() ? "" : " ").append(line.get<std::string>());
  return text;
}

std::vector<json> rows_of(const json& spec, const char* percentile) {
  std::vector<json> rows;
  for (const json& row : spec.at("data").at("values")) {
    if (row.value("percentile", "") == percentile) rows.push_back(row);
  }
  return rows;
}

TEST(ThroughputLatency, HasAPointForEachRateAndStatesTheKnee) {
  const json spec =
      spec_of({run_at(200, 40), run_at(400, 30), run_at(800, 60), run_at(900, 61), run_at_max(1000)});
  const auto p95 = rows_of(spec, "p95"), p50 = rows_of(spec, "p50");
  ASSERT_EQ(p95.size(), 4u);
  EXPECT_EQ(p95[2].at("completed"), 800);
  EXPECT_EQ(p95[2].at("value"), 60);
  EXPECT_EQ(p50[2].at("value"), 30);
  EXPECT_EQ(joined(spec.at("title").at("text")),
            "On 2 nodes, p95 latency stays within twice its least up to 800 samples/s, 80 % of capacity");
}

TEST(ThroughputLatency, SaysWhereLowerRatesAreSlower) {
  const json spec =
      spec_of({run_at(100, 90), run_at(200, 55), run_at(400, 30), run_at(800, 58), run_at(900, 61)});
  EXPECT_EQ(joined(spec.at("title").at("text")),
            "On 2 nodes, p95 latency stays within twice its least from 200 to 800 samples/s");
}

TEST(ThroughputLatency, CountsTheRunsBehindItsMarks) {
  MeasuredRun late = run_at(400, 30), again = run_at(400, 31);
  late.report.valid = false;
  late.report.run_id = "late";
  const json spec = spec_of({run_at(200, 40), late, again});
  EXPECT_THAT(joined(spec.at("title").at("subtitle")), HasSubstr("a mark for each rate, one iteration."));
}

TEST(ThroughputLatency, StatesNoLatencyOfAnOverloadedRate) {
  MeasuredRun overloaded = run_at(1200, 900), late = run_at(300, 35);
  overloaded.report.overloaded = true;
  overloaded.report.valid = late.report.valid = false;
  overloaded.report.rates.completed = 990;
  const json spec = spec_of({run_at(200, 40), run_at(400, 30), late, overloaded});
  EXPECT_EQ(rows_of(spec, "p95").size(), 2u);
  const auto none = rows_of(spec, "none");
  ASSERT_EQ(none.size(), 1u);
  EXPECT_EQ(none[0].at("completed"), 990);
  EXPECT_TRUE(none[0].at("value").is_null());
  const std::string subtitle = joined(spec.at("title").at("subtitle"));
  EXPECT_THAT(subtitle, HasSubstr("Empty marks at the upper edge: overloaded"));
  EXPECT_THAT(subtitle, HasSubstr("Left out: 1 without a valid run"));
}

TEST(ThroughputLatency, StatesNoLatencyAboveCapacity) {
  const json spec = spec_of({run_at(200, 40), run_at(400, 30), run_at(1010, 35), run_at_max(1000)});
  EXPECT_EQ(rows_of(spec, "p95").size(), 2u);
  EXPECT_EQ(rows_of(spec, "none").size(), 1u);
}

TEST(ThroughputLatency, MarksCapacity) {
  const json spec = spec_of({run_at(200, 40), run_at(400, 30), run_at_max(1000)});
  const json& rule = spec.at("data").at("values").back();
  EXPECT_EQ(rule.at("capacity"), 1000);
  EXPECT_EQ(rule.at("panel"), "2 nodes");
}

TEST(ThroughputLatency, NeedsSeveralRatesOfANodeCount) {
  EXPECT_TRUE(pictures_of({run_at(200, 40), run_at_max(1000)}).empty());
  EXPECT_TRUE(pictures_of({run_at(200, 40), run_at(400, 40, "uniform", 4)}).empty());
  const json spec = spec_of({run_at(200, 40), run_at(400, 40), run_at(400, 40, "uniform", 4)});
  EXPECT_EQ(rows_of(spec, "p95").size(), 2u);
}

}  // namespace
}  // namespace dp
