// Run files of every shape that dp.run/1 ever had are read: what is there as it is, what is not as unknown or not asked for.
// SPDX-License-Identifier: MIT
#include "kept_runs.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "report/run_report.hpp"

namespace dp {
namespace {

using testing::Each;
using testing::Field;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;
using Json = nlohmann::json;

RunReport kept(std::size_t index) {
  const KeptRun run = kept_runs().at(index);
  return parse_run_report(run.text, run.name);
}

/// What is in `part` is in `whole` too, with the same value.
void expect_within(const Json& part, const Json& whole, const std::string& where) {
  if (part.is_object()) {
    for (const auto& [key, value] : part.items()) {
      ASSERT_TRUE(whole.contains(key)) << where << "." << key;
      expect_within(value, whole.at(key), where + "." + key);
    }
  } else if (part.is_array()) {
    ASSERT_EQ(part.size(), whole.size()) << where;
    for (std::size_t i = 0; i < part.size(); ++i) expect_within(part[i], whole[i], where + "[]");
  } else {
    EXPECT_EQ(part, whole) << where;
  }
}

/// Puts a key that no version knows into every object but config, whose keys are the tools' options.
void add_unknown_keys(Json& json) {
  if (json.is_object()) json["of a later version"] = {{"x", 1}};
  for (auto& [key, value] : json.items()) {
    if (key != "config" && key != "of a later version" && value.is_structured()) add_unknown_keys(value);
  }
}

TEST(KeptRuns, AreReadWithEveryValueTheyHave) {
  ASSERT_THAT(kept_runs(), SizeIs(testing::Ge(4)));
  for (const KeptRun& run : kept_runs()) {
    const Json again = Json::parse(write_run_report(parse_run_report(run.text, run.name)));
    expect_within(Json::parse(run.text), again, run.name);
  }
}

TEST(KeptRuns, BeforeObjectivesHaveNone) {
  EXPECT_THAT(kept(0).slo, IsEmpty());
  EXPECT_TRUE(kept(0).valid);
  EXPECT_THAT(kept(1).slo, SizeIs(1));
}

TEST(KeptRuns, BeforeHeldSamplesWereCountedDoNotKnowThem) {
  for (const std::size_t i : {0, 1}) {
    EXPECT_FALSE(kept(i).data_moved_mb) << i;
    EXPECT_FALSE(kept(i).workers.at(0).data_mb_peak) << i;
  }
  EXPECT_THAT(kept(2).data_moved_mb, Optional(12.5));
  EXPECT_THAT(kept(2).workers.at(0).data_mb_peak, Optional(12.5));
}

TEST(KeptRuns, BeforeWarmUpKeptNoneApart) {
  for (const std::size_t i : {0, 1, 2}) {
    const RunReport r = kept(i);
    EXPECT_EQ(r.warmup.seconds, 0) << i;
    EXPECT_EQ(r.warmup.batches, 0U) << i;
    EXPECT_FALSE(r.warmup.batch_latency_ms.mean) << i;
    EXPECT_EQ(r.steady_state.seconds, 0U) << i;
    EXPECT_FALSE(r.steady_state.steady) << i;
    EXPECT_FALSE(r.steady_state.completed.mean) << i;
    EXPECT_FALSE(r.resources_interval_s) << i;
    EXPECT_FALSE(r.host.steal_percent.during) << i;
    EXPECT_FALSE(r.host.cpu_busy_percent) << i;
    EXPECT_FALSE(r.host.memory_used_mb) << i;
    EXPECT_EQ(r.versions.onednn + r.versions.blas, "") << i;
    ASSERT_THAT(r.series, SizeIs(4)) << i;
    EXPECT_THAT(r.series, Each(Field(&SecondOfRun::p50_ms, std::nullopt))) << i;
    EXPECT_THAT(r.series, Each(Field(&SecondOfRun::max_ms, std::nullopt))) << i;
    EXPECT_THAT(r.series, Each(Field(&SecondOfRun::p99_ms, Optional(40)))) << i;
  }
  EXPECT_EQ(kept(3).steady_state.seconds, 4U);
}

TEST(KeptRuns, BeforeRowsHadALengthHaveRowsOfASecond) {
  for (const std::size_t i : {0, 1, 2, 3})
    EXPECT_THAT(kept(i).series, Each(Field(&SecondOfRun::seconds, 1U))) << i;
  EXPECT_THAT(kept(4).series, Each(Field(&SecondOfRun::seconds, 2U)));
}

TEST(KeptRuns, BeforeUsableCoresWereToldDoNotKnowThem) {
  for (const std::size_t i : {0, 1, 2, 3, 4}) {
    EXPECT_FALSE(kept(i).host.usable_cores) << i;
    EXPECT_FALSE(kept(i).workers.at(0).cores) << i;
  }
  EXPECT_THAT(kept(5).host.usable_cores, Optional(1.5));
  EXPECT_THAT(kept(5).workers.at(0).cores, Optional(1.5));
}

TEST(KeptRuns, ThatDoNotSaySoAreOfOneHostWhereTheirClockIsOne) {
  const KeptRun first = kept_runs().at(0);
  EXPECT_TRUE(kept(0).one_host);
  Json across = Json::parse(first.text);
  across["clock_bound_ms"] = 0.5;
  EXPECT_FALSE(parse_run_report(across.dump(), first.name).one_host);
  across["one_host"] = true;
  EXPECT_TRUE(parse_run_report(across.dump(), first.name).one_host) << "what is there counts";
}

TEST(KeptRuns, MayHaveKeysOfALaterVersion) {
  for (const KeptRun& run : kept_runs()) {
    Json json = Json::parse(run.text);
    const RunReport before = parse_run_report(json.dump(), run.name);
    add_unknown_keys(json);
    EXPECT_EQ(parse_run_report(json.dump(), run.name), before) << run.name;
  }
}

}  // namespace
}  // namespace dp
