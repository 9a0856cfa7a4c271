// latency_percentiles: nothing is drawn that the batches do not support.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "../report/make_run.hpp"
#include "plot/pictures.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// p50 20 ms, p90 25 ms and p95 30 ms are supported by 200 batches.
MeasuredRun run_at_rate(const char* strategy, std::uint32_t nodes, std::int64_t seed) {
  MeasuredRun run = make_run({.run_id = fmt::format("{}{}{}", strategy, nodes, seed),
                              .strategy = strategy,
                              .nodes = nodes,
                              .rate_mode = "open",
                              .seed = seed});
  run.report.latency_ms.n = 200;
  run.report.latency_ms.p90 = 25;
  return run;
}

std::vector<Picture> pictures_of(std::vector<MeasuredRun> runs) {
  return make_pictures(plot_data_of(std::move(runs)),
                       std::filesystem::path(DP_SOURCE_DIR) / "lib/plot/templates", {"latency_percentiles"});
}

json spec_of(std::vector<MeasuredRun> runs) { return json::parse(pictures_of(std::move(runs)).at(0).spec); }

std::string joined(const json& lines) {
  std::string text;
  for (const json& line : lines)
    text += fmt::format("{}{}", text.empty() ? "" : " ", line.get<std::string>());
  return text;
}

template <class T>
std::vector<T> all(const json& spec, const char* field) {
  std::vector<T> values;
  for (const json& row : spec.at("data").at("values")) {
    if (row.contains(field)) values.push_back(row.at(field));
  }
  return values;
}

TEST(LatencyPercentiles, EndALineWhereSomeRunDoesNotSupportThePercentile) {
  MeasuredRun first = run_at_rate("uniform", 2, 1), second = run_at_rate("uniform", 2, 2);
  first.report.latency_ms.supported.p99 = true;
  second.report.latency_ms.p50 = 22;
  const json spec = spec_of({first, second});
  EXPECT_THAT(all<std::string>(spec, "percentile"), ElementsAre("p50", "p90", "p95"));
  EXPECT_THAT(joined(spec.at("title").at("subtitle")),
              HasSubstr("p99 needs 662, p99.9 6636 batches a run, the shortest had 200."));
  const json& p50 = spec.at("data").at("values").at(0);
  EXPECT_EQ(p50.at("value"), 21);
  EXPECT_NEAR(p50.at("high").get<double>(), 21 + 12.7062,
              1e-3);  // Student's t of one degree of freedom, SD √2
}

TEST(LatencyPercentiles, StandWhereATenthOfTheSamplesIsAStepToTheRight) {
  MeasuredRun run = run_at_rate("uniform", 2, 1);
  run.report.latency_ms.p999 = 60;
  run.report.latency_ms.supported = {true, true, true, true, true};
  const json spec = spec_of({run});
  std::vector<int> places;
  for (double at : all<double>(spec, "at")) places.push_back(static_cast<int>(std::lround(at)));
  EXPECT_THAT(places, ElementsAre(2, 10, 20, 100, 1000));
  EXPECT_THAT(joined(spec.at("title").at("subtitle")), testing::Not(HasSubstr("A line ends")));
  EXPECT_EQ(joined(spec.at("title").at("text")),
            "At 1000 samples/s, p99.9 latency on 2 nodes is 60.0 ms, 3.0 times the median");
}

TEST(LatencyPercentiles, SayWhichStrategyHasNoLine) {
  MeasuredRun overloaded = run_at_rate("dynamic", 1, 1), alone = run_at_rate("uniform", 4, 1);
  overloaded.report.overloaded = alone.report.overloaded = true;
  const json spec = spec_of({run_at_rate("uniform", 1, 1), overloaded, alone});
  EXPECT_THAT(all<std::string>(spec, "strategy"), ElementsAre("uniform", "uniform", "uniform"));
  const auto notes = all<json>(spec, "note");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(joined(notes[0]), "overloaded: dynamic");
  EXPECT_THAT(joined(spec.at("title").at("subtitle")), HasSubstr("No panel for 4 nodes: overloaded."));
}

TEST(LatencyPercentiles, AreNotDrawnOfAMedianAlone) {
  MeasuredRun run = run_at_rate("uniform", 1, 1);
  run.report.latency_ms.supported = {true, false, false, false, false};
  EXPECT_TRUE(pictures_of({run}).empty());
}

}  // namespace
}  // namespace dp
