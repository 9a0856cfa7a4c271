// The specifications made from cells and templates.
// SPDX-License-Identifier: MIT
#include "plot/pictures.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"

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

json spec_of(const std::vector<PlotCell>& cells) {
  return json::parse(make_pictures({cells, {}}, templates).at(0).spec);
}

TEST(Pictures, LeaveNoPlaceholderUnfilled) {
  PlotCell c = cell("uniform", 1, 100);
  c.runs_at_rate = 1;
  const auto pictures = make_pictures({{c}, {}}, templates);
  ASSERT_EQ(pictures.size(), 2u);
  for (const Picture& p : pictures) {
    EXPECT_THAT(p.spec, testing::Not(testing::ContainsRegex(": \"[$][a-z]"))) << p.name;
  }
}

TEST(Pictures, AreOnlyOfWhatWasMeasured) {
  PlotCell at_rate = cell("uniform", 1, 0);
  at_rate.capacity.reset();
  at_rate.runs_at_max = 0;
  at_rate.runs_at_rate = 3;
  const auto pictures = make_pictures({{at_rate}, {}}, templates);
  ASSERT_EQ(pictures.size(), 1u);
  EXPECT_EQ(pictures[0].name, "streaming_latency");
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
