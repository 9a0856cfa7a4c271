// Objectives against reports made by hand.
// SPDX-License-Identifier: MIT
#include "collect/slo.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

/// 1000 batches: p99 is supported from 662 on, p99.9 from 6636 on.
RunReport measured() {
  RunReport report;
  report.latency_ms.n = 1000;
  report.latency_ms.mean = 12;
  report.latency_ms.p50 = 10;
  report.latency_ms.p99 = 40;
  report.latency_ms.p999 = 44;
  report.latency_ms.max = 45;
  report.latency_ms.supported = {true, true, true, true, false};
  report.latency_ms.upper.p50 = 11;
  report.latency_ms.upper.p99 = 43.5;
  report.rates.requested = 2000;
  report.rates.completed = 1990;
  return report;
}

std::vector<Objective> objectives(std::vector<std::string> texts) { return parse_objectives(texts); }

Verdict judged(const std::string& text, const RunReport& report = measured()) {
  return judge(objectives({text}), report).at(0);
}

TEST(Slo, IsMetUpToItsLimitAndNotBeyond) {
  const struct {
    const char* text;
    bool met;
  } cases[] = {{"p99=40ms", true},        {"p99=39.999ms", false},   {"p50=0.01s", true}, {"p50=9ms", false},
               {"mean=12ms", true},       {"mean=11999us", false},   {"max=45ms", true},  {"max=44ms", false},
               {"throughput=1990", true}, {"throughput=1991", false}};
  for (const auto& one : cases) {
    EXPECT_EQ(judged(one.text).ok, one.met) << one.text;
    EXPECT_EQ(judged(one.text).remedy.empty(), one.met) << one.text;
  }
}

TEST(Slo, TheVerdictStatesTheConfidenceBoundBesideThePercentile) {
  const Verdict verdict = judged("p99=50ms");
  EXPECT_EQ(verdict.criterion, "SLO p99 <= 50 ms");
  EXPECT_EQ(verdict.required, "<= 50 ms");
  EXPECT_THAT(verdict.observed, HasSubstr("40.000 ms"));
  EXPECT_THAT(verdict.observed, HasSubstr("99 % confidence <= 43.500 ms"));
}

TEST(Slo, APercentileWithoutEnoughBatchesIsNeverMet) {
  for (const char* text : {"p999=1min", "p99.9=1min"}) {
    const Verdict verdict = judged(text);
    EXPECT_FALSE(verdict.ok);
    EXPECT_THAT(verdict.observed, HasSubstr("not supported by 1000 batches"));
    EXPECT_THAT(verdict.required, HasSubstr("6636"));
    EXPECT_THAT(verdict.remedy, HasSubstr("6636"));
  }
}

TEST(Slo, AnOverloadedRunMissesEveryLatency) {
  RunReport report = measured();
  report.overloaded = true;
  for (const char* text : {"p50=1min", "p99=1min", "mean=1min", "max=1min"}) {
    EXPECT_FALSE(judged(text, report).ok) << text;
    EXPECT_THAT(judged(text, report).observed, HasSubstr("overloaded"));
  }
  EXPECT_TRUE(judged("throughput=1000", report).ok) << "what it completed is a fact";
}

TEST(Slo, NothingMeasuredMeetsNothing) {
  for (const char* text : {"p50=1min", "max=1min", "mean=1min", "throughput=1"})
    EXPECT_FALSE(judged(text, RunReport{}).ok) << text;
}

TEST(Slo, MoreThanIsOfferedCanOnlyBeReachedByOfferingMore) {
  EXPECT_THAT(judged("throughput=2000").remedy, HasSubstr("--rate"));
  EXPECT_THAT(judged("throughput=1995").remedy, HasSubstr("workers"));
}

TEST(Slo, EachObjectiveHasItsVerdict) {
  const auto verdicts = judge(objectives({"p99=50ms", "p50=1ms"}), measured());
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_TRUE(verdicts[0].ok);
  EXPECT_FALSE(verdicts[1].ok);
}

TEST(Slo, WhatCannotBeReadIsRefusedByName) {
  for (const std::string text : {"", "p99", "p99=", "p98=5ms", "p99=50", "p99=-1ms", "p99=0ms", "=5ms",
                                 "p99=5ms ", "throughput=1ms", "throughput=0", "P99=5ms"}) {
    try {
      objectives({text});
      ADD_FAILURE() << "taken: '" << text << "'";
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr("--slo")) << text;
    }
  }
}

}  // namespace
}  // namespace dp
