// The text of --trace: every figure follows from the times of settled_batch.hpp. tests/trace/check_trace.py checks
// whole files.
// SPDX-License-Identifier: MIT
#include "collect/batch_trace.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "settled_batch.hpp"

namespace dp {
namespace {

using Json = nlohmann::json;

struct BatchTraceTest : testing::Test {
  BatchTraceTest() {
    trace.opened(some_run, false);
    trace.started(t0);
  }
  std::vector<Json> events(const std::string& phase) {
    if (all.is_null()) all = Json::parse(trace.take() + BatchTrace::closing);
    std::vector<Json> found;
    for (const Json& event : all) {
      if (event["ph"] == phase) found.push_back(event);
    }
    return found;
  }
  BatchTrace trace;
  Json all;
};

TEST_F(BatchTraceTest, WithoutABatchItIsWholeToo) {
  EXPECT_TRUE(events("X").empty());
  EXPECT_FALSE(events("M").empty());
}

TEST_F(BatchTraceTest, ComputingIsASliceOnTheWorkersTrack) {
  trace.settled(settled_batch(0, us(0), "a"));
  trace.settled(settled_batch(1, us(40'000), "b"));
  trace.settled(settled_batch(2, us(80'000), "a"));
  const auto slices = events("X");
  ASSERT_EQ(slices.size(), 3U);
  EXPECT_DOUBLE_EQ(slices[1]["ts"].get<double>(), 55'000);
  EXPECT_DOUBLE_EQ(slices[1]["dur"].get<double>(), 6'000);
  EXPECT_EQ(slices[1]["args"], Json::parse(R"({"batch": 1, "samples": 2, "attempt": 1})"));
  EXPECT_EQ(slices[0]["tid"], slices[2]["tid"]);
  EXPECT_NE(slices[0]["tid"], slices[1]["tid"]);
  std::map<Json, std::string> names;
  for (const Json& m : events("M")) {
    if (m["name"] == "thread_name" && m["pid"] == slices[0]["pid"]) names[m["tid"]] = m["args"]["name"];
  }
  EXPECT_EQ(names[slices[0]["tid"]], "a");
  EXPECT_EQ(names[slices[1]["tid"]], "b");
}

TEST_F(BatchTraceTest, EachStageBeforeAndAfterIsAPairOfItsOwn) {
  trace.settled(settled_batch(10, us(0)));
  const auto begins = events("b"), ends = events("e");
  const struct {
    const char* stage;
    double from, to;
    int process;
  } stages[] = {{"generator", 0, 1'000, 1},
                {"admission", 1'000, 3'000, 1},
                {"router", 3'000, 6'000, 2},
                {"queue", 6'000, 15'000, 3},
                {"return", 21'000, 28'000, 4}};
  ASSERT_EQ(begins.size(), std::size(stages));
  ASSERT_EQ(ends.size(), std::size(stages));
  for (std::size_t i = 0; i < std::size(stages); ++i) {
    for (const Json& event : {begins[i], ends[i]}) {
      EXPECT_EQ(event["cat"], stages[i].stage);
      EXPECT_EQ(event["id"], "0xa");
      EXPECT_EQ(event["pid"], stages[i].process);
    }
    EXPECT_DOUBLE_EQ(begins[i]["ts"].get<double>(), stages[i].from);
    EXPECT_DOUBLE_EQ(ends[i]["ts"].get<double>(), stages[i].to);
  }
}

TEST_F(BatchTraceTest, SlicesOfAWorkerWhoseClockIsABitOffDoNotOverlap) {
  trace.settled(settled_batch(0, us(0)));
  trace.settled(settled_batch(1, us(5'900)));  // computes from 20.9 ms on, 0.1 ms before the other ends
  const auto slices = events("X");
  EXPECT_DOUBLE_EQ(slices[1]["ts"].get<double>(), 21'000);
  EXPECT_DOUBLE_EQ(slices[1]["dur"].get<double>(), 5'900);
}

TEST_F(BatchTraceTest, WhatRunsBackwardsTakesNoTime) {
  SettledBatch batch = settled_batch(0, us(0));
  std::swap(batch.at_worker.started, batch.at_worker.done);
  batch.outbound.sent = Time(Duration::min());
  trace.settled(batch);
  EXPECT_DOUBLE_EQ(events("X").at(0)["dur"].get<double>(), 0);
  for (std::size_t i = 0; i < events("b").size(); ++i)
    EXPECT_LE(events("b")[i]["ts"].get<double>(), events("e")[i]["ts"].get<double>());
}

TEST_F(BatchTraceTest, FailuresAndEventsAreInstants) {
  trace.settled(failed_batch(3, us(0), "worker \"x\" died"));
  trace.happened(t0 + us(7), "dp-infer w1 was lost");
  EXPECT_TRUE(events("X").empty());
  const auto instants = events("i");
  ASSERT_EQ(instants.size(), 2U);
  EXPECT_EQ(instants[0]["args"], Json::parse(R"({"batch": 3, "why": "worker \"x\" died"})"));
  EXPECT_DOUBLE_EQ(instants[0]["ts"].get<double>(), 28'000);
  EXPECT_EQ(instants[1]["name"], "dp-infer w1 was lost");
  EXPECT_DOUBLE_EQ(instants[1]["ts"].get<double>(), 7);
}

}  // namespace
}  // namespace dp
