// The specifications made from cells and templates.
// SPDX-License-Identifier: MIT
#include "plot/pictures.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "../report/make_run.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::filesystem::path templates = std::filesystem::path(DP_SOURCE_DIR) / "lib/plot/templates";

PlotCell cell(const char* strategy, std::uint32_t nodes, double capacity) {
  PlotCell c;
  c.strategy = strategy;
  c.nodes = nodes;
  c.capacity = capacity;
  c.capacity_ci95 = 5;
  c.runs_at_max = c.valid_at_max = 3;
  c.nodes_are = "processes of one host";
  return c;
}

json spec_of(const std::vector<PlotCell>& cells, const char* name = "streaming_throughput_comparison") {
  return json::parse(make_pictures({cells, {}}, templates, {name}).at(0).spec);
}

std::vector<std::string> names_of(const std::vector<PlotCell>& cells) {
  std::vector<std::string> names;
  for (const Picture& p : make_pictures({cells, {}}, templates)) names.push_back(p.name);
  return names;
}

TEST(Pictures, LeaveNoPlaceholderUnfilled) {
  PlotCell one = cell("uniform", 1, 100), two = cell("uniform", 2, 190);
  one.runs_at_rate = two.runs_at_rate = 1;
  one.cpu_percent = one.memory_mb = 50;
  two.speedup = 1.9;
  two.efficiency = 0.95;
  const auto pictures = make_pictures({{one, two}, {}}, templates);
  ASSERT_EQ(pictures.size(), 9u);
  for (const Picture& p : pictures) {
    EXPECT_THAT(p.spec, testing::Not(testing::ContainsRegex(": \"[$][a-z]"))) << p.name;
  }
}

TEST(Pictures, AreOnlyOfWhatWasMeasured) {
  PlotCell at_rate = cell("uniform", 1, 0);
  at_rate.capacity.reset();
  at_rate.runs_at_max = 0;
  at_rate.runs_at_rate = 3;
  EXPECT_THAT(names_of({at_rate}), testing::ElementsAre("streaming_latency"));
}

TEST(Pictures, OfScalingNeedSeveralNumbersOfNodes) {
  PlotCell one = cell("uniform", 1, 100);
  one.speedup = one.efficiency = 1;
  for (const std::string& name : names_of({one}))
    EXPECT_THAT(name, testing::Not(testing::AnyOf("streaming_scaling_efficiency", "capacity_against_ideal")));
}

PlotCell scaled(const char* strategy, std::uint32_t nodes, double speedup, double ci95) {
  PlotCell c = cell(strategy, nodes, 100 * speedup);
  c.speedup = speedup;
  c.speedup_ci95 = ci95;
  c.efficiency = speedup / nodes;
  return c;
}

TEST(Pictures, OfEfficiencyGiveItTheIntervalOfTheSpeedUp) {
  const json spec =
      spec_of({scaled("uniform", 1, 1, 0), scaled("uniform", 2, 1.9, 0.1)}, "streaming_scaling_efficiency");
  const json row = spec.at("data").at("values").at(1);
  EXPECT_DOUBLE_EQ(row.at("value"), 95);
  EXPECT_DOUBLE_EQ(row.at("low"), 90);
  EXPECT_DOUBLE_EQ(row.at("high"), 100);
  EXPECT_EQ(row.at("capacity_value"), 190);
}

TEST(Pictures, ShadeWhereTheHostRunsOutOfCores) {
  const auto layer = [](const json& spec, std::size_t place) {
    return spec.at("layer").at(place).at("data").at("values");
  };
  PlotCell eight = scaled("uniform", 8, 3, 0.1);
  const std::vector<PlotCell> roomy{scaled("uniform", 2, 1, 0), eight};
  const json without = spec_of(roomy, "capacity_against_ideal");
  EXPECT_TRUE(layer(without, 0).empty());
  EXPECT_EQ(layer(without, 2).at(1).at("ideal"), 4);
  eight.oversubscribed = true;
  const json with = spec_of({scaled("uniform", 2, 1, 0), eight}, "capacity_against_ideal");
  EXPECT_EQ(layer(with, 0).at(0).at("from"), 4);
}

TEST(Pictures, OnALogarithmicAxisHaveNoWhiskerDownToZero) {
  const auto rows_with = [](double ci95) {
    const json spec = spec_of({scaled("uniform", 1, 1, 0), scaled("uniform", 2, 1.3, ci95)}, "capacity_against_ideal");
    return std::pair(spec.at("data").at("values").at(1), spec.at("title").dump().find("are cut") != std::string::npos);
  };
  const auto [wide, told] = rows_with(1.4);
  EXPECT_DOUBLE_EQ(wide.at("low"), 0.25);
  EXPECT_DOUBLE_EQ(wide.at("high"), 2.7);
  EXPECT_TRUE(told);
  const auto [narrow, told_too] = rows_with(0.3);
  EXPECT_DOUBLE_EQ(narrow.at("low"), 1.0);
  EXPECT_FALSE(told_too);
}

TEST(Pictures, OfHeatTurnTheirTextWhiteOnTheDarkHalf) {
  const json spec =
      spec_of({cell("uniform", 1, 100), cell("uniform", 2, 190)}, "streaming_performance_heatmaps");
  const json rows = spec.at("vconcat").at(0).at("data").at("values");
  EXPECT_EQ(rows.at(0).at("dark"), false);
  EXPECT_EQ(rows.at(1).at("dark"), true);
  EXPECT_EQ(spec.at("vconcat").size(), 1u) << "no CPU and no memory was measured";
}

TEST(Pictures, ThatAggregateAreOnePerNumberOfWorkers) {
  PlotCell stated = cell("uniform", 2, 100), overloaded = cell("dynamic", 2, 100);
  stated.runs_at_rate = stated.valid_at_rate = overloaded.runs_at_rate = overloaded.valid_at_rate = 1;
  stated.p50_ms = 20;
  overloaded.overloaded = true;
  const auto pictures =
      make_pictures({{cell("uniform", 1, 50), stated, overloaded}, {}}, templates, {"aggregate"});
  ASSERT_EQ(pictures.size(), 2u);
  EXPECT_EQ(pictures[0].name, "aggregate_1w");
  EXPECT_EQ(pictures[1].name, "aggregate_2w");
  const json latency = json::parse(pictures[1].spec).at("concat").at(1);
  ASSERT_EQ(latency.at("data").at("values").size(), 1u);
  EXPECT_EQ(latency.at("data").at("values").at(0).at("value"), 20);
  EXPECT_THAT(latency.dump(), HasSubstr(R"({"note":"overloaded","strategy":"dynamic"})"));
}

TEST(Pictures, OfRunsAsFastAsPossibleOnlyHaveNoPanelsForARate) {
  const auto pictures = make_pictures({{cell("uniform", 2, 100)}, {}}, templates, {"aggregate"});
  EXPECT_EQ(json::parse(pictures.at(0).spec).at("concat").size(), 1u);
}

TEST(Pictures, OfSpeedUpLeaveOutWhatWasNotMeasuredOnTheFewestNodes) {
  const std::vector<PlotCell> cells{scaled("uniform", 1, 1, 0), scaled("uniform", 2, 1.9, 0.1),
                                    scaled("dynamic", 2, 1, 0), scaled("dynamic", 4, 1.9, 0.1)};
  for (const char* name : {"capacity_against_ideal", "streaming_scaling_efficiency"}) {
    const json spec = spec_of(cells, name);
    EXPECT_THAT(spec.at("title").at("subtitle").dump(), HasSubstr("run on 1 node: dynamic."));
    EXPECT_THAT(spec.at("data").dump(), testing::Not(HasSubstr("dynamic")));
  }
}

TEST(Pictures, SaySoWhereIterationsDiffer) {
  PlotCell few = cell("dynamic", 2, 100);
  few.valid_at_max = 1;
  const json spec = spec_of({cell("uniform", 2, 100), few});
  EXPECT_THAT(spec.at("title").at("subtitle").dump(), HasSubstr("mean of 1 to 3 iterations"));
}

TEST(Pictures, OfTheWholeSweepLeaveInvalidRunsOutOfTheTable) {
  PlotCell invalid = cell("uniform", 4, 9999);
  invalid.valid_at_max = 0;
  const json spec = spec_of({cell("uniform", 2, 100), invalid}, "streaming_comprehensive_dashboard");
  EXPECT_EQ(spec.at("concat").back().at("data").at("values").at(0).at("text"), "100");
  EXPECT_THAT(
      spec_of({cell("uniform", 2, 100), invalid}, "streaming_performance_heatmaps").at("title").dump(),
      testing::Not(HasSubstr("9999")));
}

TEST(Pictures, OfTheWholeSweepSummarizeEachStrategy) {
  PlotCell one = scaled("uniform", 1, 1, 0), two = scaled("uniform", 2, 1.9, 0.1),
           four = scaled("uniform", 4, 2, 0.1);
  one.cpu_percent = 50;
  two.cpu_percent = 70;
  for (PlotCell* c : {&one, &two, &four}) c->runs_at_rate = c->valid_at_rate = 1;
  const json spec = spec_of({one, two, four}, "streaming_comprehensive_dashboard");
  const json rows = spec.at("concat").back().at("data").at("values");
  const auto text = [&](std::size_t row) { return rows.at(row).at("text").get<std::string>(); };
  EXPECT_EQ(text(0), "200") << "most capacity";
  EXPECT_EQ(text(1), "100") << "least capacity";
  EXPECT_EQ(text(2), "95.0") << "best efficiency above one node";
  EXPECT_EQ(text(3), "60.0") << "mean CPU";
  EXPECT_EQ(text(4), "–") << "memory was not measured";
}

TEST(Pictures, GiveAStrategyTheSameColourInAnyCompany) {
  const auto colour_of = [](const json& spec, std::size_t place) {
    const json& bars = spec.at("vconcat").at(0).at("layer").at(0);
    return bars.at("encoding").at("color").at("scale").at("range").at(place);
  };
  const json alone = spec_of({cell("dynamic", 1, 100)});
  const json together = spec_of({cell("sharded", 1, 90), cell("dynamic", 1, 100), cell("uniform", 1, 100)});
  EXPECT_EQ(colour_of(alone, 0), colour_of(together, 1));
  EXPECT_NE(colour_of(together, 0), colour_of(together, 1));
}

TEST(Pictures, PromiseIdealScalingOnlyWhereTheHostHasTheCores) {
  PlotCell four = cell("uniform", 4, 250);
  four.oversubscribed = true;
  const json rows = spec_of({cell("uniform", 1, 100), cell("uniform", 2, 190), four}).at("data").at("values");
  EXPECT_TRUE(rows.at(0).at("ideal").is_null());
  EXPECT_EQ(rows.at(1).at("ideal"), 200);
  EXPECT_TRUE(rows.at(2).at("ideal").is_null());
  EXPECT_EQ(rows.at(1).at("low"), 185);
  EXPECT_EQ(rows.at(1).at("high"), 195);
}

TEST(Pictures, MarkBarsWithoutAValidRun) {
  PlotCell c = cell("uniform", 1, 100);
  c.valid_at_max = 0;
  EXPECT_EQ(spec_of({c}).at("data").at("values").at(0).at("state"), "INVALID");
}

TEST(Pictures, OfOneNameAreDrawnAlone) {
  PlotCell c = cell("uniform", 1, 100);
  c.runs_at_rate = 1;
  const PlotData data{{c}, {}};
  const auto pictures = make_pictures(data, templates, {"streaming_latency"});
  ASSERT_EQ(pictures.size(), 1u);
  EXPECT_EQ(pictures[0].name, "streaming_latency");
  EXPECT_THROW(make_pictures(data, templates, {"streaming_latencies"}), UsageError);
  const auto missing = left_out(pictures, {"streaming_latency", "streaming_resource_utilization"});
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_STREQ(missing[0].name, "streaming_resource_utilization");
}

TEST(Pictures, OfResourcesHaveARowForEachFigureThatWasMeasured) {
  PlotCell c = cell("uniform", 1, 100), blank = cell("dynamic", 1, 100);
  c.runs_at_rate = c.valid_at_rate = blank.runs_at_rate = 1;
  c.cpu_percent = 40;
  c.cpu_percent_ci95 = 4;
  c.memory_mb = 250;
  const auto pictures = make_pictures({{c, blank}, {}}, templates, {"streaming_resource_utilization"});
  ASSERT_EQ(pictures.size(), 1u);
  const json spec = json::parse(pictures[0].spec);
  const json cpu = spec.at("vconcat").at(0).at("data").at("values");
  ASSERT_EQ(cpu.size(), 1u);
  EXPECT_EQ(cpu.at(0).at("value"), 40);
  EXPECT_EQ(cpu.at(0).at("low"), 36);
  EXPECT_EQ(cpu.at(0).at("high"), 44);
  const json memory = spec.at("vconcat").at(1).at("data").at("values");
  EXPECT_EQ(memory.at(0).at("value"), 250);
  EXPECT_TRUE(memory.at(0).at("low").is_null());
}

TEST(Pictures, OfTheWholeSweepNameTheBestStrategyWhereItIsProven) {
  std::vector<MeasuredRun> runs;
  for (const std::int64_t seed : {1, 2, 3}) {
    for (const std::uint32_t nodes : {1u, 2u}) {
      for (const auto& [strategy, capacity] : {std::pair("uniform", 1000.0), std::pair("dynamic", 1500.0)}) {
        runs.push_back(make_run({.run_id = fmt::format("{}{}{}", strategy, nodes, seed),
                                 .strategy = strategy,
                                 .nodes = nodes,
                                 .seed = seed,
                                 .completed = capacity * nodes + static_cast<double>(seed)}));
      }
    }
  }
  const PlotData data = plot_data_of(std::move(runs));
  const auto pictures = make_pictures(data, templates, {"streaming_comprehensive_dashboard"});
  const json best = json::parse(pictures.at(0).spec).at("concat").at(1).at("data").at("values");
  EXPECT_EQ(best.at(0).at("name"), "undecided") << "on one node there is nothing to route";
  EXPECT_EQ(best.at(1).at("name"), "dynamic");
  EXPECT_EQ(best.at(1).at("value"), 3002);
}

TEST(Pictures, NameATemplateThatIsNotJson) {
  const auto folder = std::filesystem::temp_directory_path() / ("dp-templates-" + std::to_string(getpid()));
  std::filesystem::copy(templates, folder);
  write_atomically(folder / "streaming_throughput_comparison.vl.json", "{");
  try {
    make_pictures({{cell("uniform", 1, 100)}, {}}, folder);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("streaming_throughput_comparison.vl.json: not JSON"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace dp
