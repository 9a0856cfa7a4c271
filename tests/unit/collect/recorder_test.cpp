// The figures of a run, from settlements made by hand: every expected value follows from the times and counts
// given.
// SPDX-License-Identifier: MIT
#include "collect/recorder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "base/random.hpp"

namespace dp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr Time t0{std::chrono::hours(1)};
constexpr Duration ms(double n) { return from_seconds(n / 1000); }

dp::Run run_at(double rate, std::uint64_t samples = 0) {
  return {1, samples, "plan", true, t0, rate, 0, "data", {"payload", "inline"}, "digest"};
}

/// Two samples, labels 0 and 1, due `scheduled` ms after t0.
Announced batch_at(double scheduled, double lateness = 0) {
  static std::uint64_t number = 0;
  Announced batch;
  batch.id = BatchId{number++};
  batch.scheduled = t0 + ms(scheduled);
  batch.released = batch.scheduled + ms(lateness);
  batch.ids = {0, 1};
  batch.labels = {0, 1};
  return batch;
}

/// Collected `latency` ms after it was due; computing took the last `service` ms of that.
Stations served(const Announced& batch, double latency, double service = 1) {
  const Time collected = batch.scheduled + ms(latency);
  return {{batch.scheduled, batch.released, batch.released, batch.released},
          {collected - ms(service), collected - ms(service), collected},
          collected};
}

Usage of_worker(std::vector<std::string> options, std::string host = "here") {
  return {{t0, {}, 0, 0, 0}, std::move(host), "a backend", std::move(options)};
}

Report some_router() {
  Report router;
  router.strategy = "uniform";
  return router;
}

const Verdict* verdict(const RunReport& report, const std::string& about) {
  const auto found = std::ranges::find_if(
      report.verdicts, [&](const Verdict& v) { return v.criterion.find(about) != v.criterion.npos; });
  return found == report.verdicts.end() ? nullptr : &*found;
}

struct RecorderTest : testing::Test {
  explicit RecorderTest(std::vector<Label> expected = {}) : recorder(std::move(expected)) {}

  void begin(double rate = 1000) { recorder.begin(run_at(rate), t0); }
  void take(const Announced& batch, const Stations& at, const std::string& worker = "w0",
            std::vector<Label> predictions = {0, 1}) {
    recorder.announced(batch);
    recorder.completed(batch, at, worker, predictions);
    ++batches;
  }
  void take(double scheduled, double latency, double lateness = 0) {
    const Announced batch = batch_at(scheduled, lateness);
    take(batch, served(batch, latency));
  }
  RunReport report(const Report& router = some_router()) const {
    return recorder.report(router, true, 2 * batches);
  }

  Recorder recorder;
  std::uint64_t batches = 0;
};

// ---- latency ---------------------------------------------------------------------------------------------

TEST_F(RecorderTest, ASamplesLatencyRunsFromItsOwnArrivalABatchsFromItsSchedule) {
  begin();
  Announced batch = batch_at(10);
  batch.arrivals = {t0 + ms(2), t0 + ms(10)};
  take(batch, served(batch, 20));
  const RunReport r = report();
  EXPECT_DOUBLE_EQ(r.latency_ms.mean.value(), (28 + 20) / 2.0);
  EXPECT_DOUBLE_EQ(r.latency_ms.max.value(), 28);
  EXPECT_DOUBLE_EQ(r.batch_latency_ms.mean.value(), 20);
  EXPECT_EQ(r.latency_ms.n, 1U) << "samples of one batch are not independent";
}

TEST_F(RecorderTest, LatencyIncludesTheGeneratorsLateness) {
  begin();
  take(10, 20, 5);
  EXPECT_DOUBLE_EQ(report().batch_latency_ms.mean.value(), 20);
}

TEST_F(RecorderTest, TheStagesSumToTheBatchLatency) {
  begin();
  const double steps[] = {1, 2, 3, 4, 5, 6};
  const Announced batch = batch_at(10, steps[0]);
  const auto at = [&](int until) {
    double sum = 10;
    for (int i = 0; i < until; ++i) sum += steps[i];
    return t0 + ms(sum);
  };
  take(batch, {{at(0), at(1), at(2), at(3)}, {at(3) + ms(1), at(4), at(5)}, at(6)});
  const StageTimes s = report().stages_ms;
  EXPECT_DOUBLE_EQ(s.generator.mean, 1);
  EXPECT_DOUBLE_EQ(s.admission.mean, 2);
  EXPECT_DOUBLE_EQ(s.router.mean, 3);
  EXPECT_DOUBLE_EQ(s.queue.mean, 4);
  EXPECT_DOUBLE_EQ(s.compute.mean, 5);
  EXPECT_DOUBLE_EQ(s.return_.mean, 6);
  EXPECT_DOUBLE_EQ(report().batch_latency_ms.mean.value(), 21);
}

TEST_F(RecorderTest, PercentilesAreSupportedByEnoughBatchesOnly) {
  // The smallest numbers for which I(p; h, t+1) <= 0.01 with t = 1: p90 64, p99 662 (MLPerf's early
  // stopping).
  const struct {
    int batches;
    bool p90, p99;
  } cases[] = {{63, false, false}, {64, true, false}, {661, true, false}, {662, true, true}};
  for (const auto& one : cases) {
    Recorder recorder({});
    recorder.begin(run_at(1000), t0);
    for (int i = 0; i < one.batches; ++i) {
      const Announced batch = batch_at(i);
      recorder.announced(batch);
      recorder.completed(batch, served(batch, 5), "w0", {0, 1});
    }
    const RunReport r = recorder.report(some_router(), true, 0);
    for (const Latency* figures : {&r.latency_ms, &r.batch_latency_ms}) {
      EXPECT_EQ(figures->supported.p90, one.p90) << one.batches;
      EXPECT_EQ(figures->supported.p99, one.p99) << one.batches;
    }
  }
}

TEST_F(RecorderTest, ARunWithoutResultsHasNoLatency) {
  begin();
  recorder.announced(batch_at(0));
  const RunReport r = report();
  EXPECT_EQ(r.latency_ms.n, 0U);
  EXPECT_FALSE(r.latency_ms.p50);
  EXPECT_EQ(r.samples.lost, 2U);
  EXPECT_FALSE(r.valid);
}

TEST_F(RecorderTest, ServiceTimesAreCountedPerBatch) {
  begin();
  for (int i = 0; i < 2; ++i) {
    const Announced batch = batch_at(10);
    take(batch, served(batch, 20, 4));
  }
  const auto bins = report().service_ms;
  ASSERT_THAT(bins, SizeIs(1));
  EXPECT_EQ(bins[0].count, 2U);
  EXPECT_NEAR(bins[0].lower_ms, 4, 0.004);
}

// ---- rates and series ------------------------------------------------------------------------------------

TEST_F(RecorderTest, TheFourRates) {
  begin(200);
  for (int k = 0; k < 10; ++k)
    take(10 * k + 5, k == 9 ? 105 : 5);  // samples 2k, 2k + 1 at 5 ms apiece from 0
  const Rates r = report().rates;
  EXPECT_DOUBLE_EQ(r.requested.value(), 200);
  EXPECT_DOUBLE_EQ(r.scheduled.value(), 200);  // 20 samples in 100 ms
  EXPECT_DOUBLE_EQ(r.released, 200);           // as they were due
  EXPECT_DOUBLE_EQ(r.completed, 100);          // 20 by 200 ms
  EXPECT_DOUBLE_EQ(report().duration_s, 0.2);
}

/// One sample.
Announced sample_at(double scheduled, double lateness = 0) {
  Announced batch = batch_at(scheduled, lateness);
  batch.ids.pop_back();
  batch.labels.pop_back();
  return batch;
}

TEST_F(RecorderTest, NSamplesAreNIntervalsAndNoRateExceedsWhatWasOffered) {
  begin(10);
  for (const double due : {0, 100, 200, 300}) {  // 4 samples at 10/s are 0.4 s
    const Announced batch = sample_at(due, due == 0 ? 50 : 0);
    take(batch, served(batch, 60), "w0", {0});
  }
  const RunReport r = report();
  EXPECT_DOUBLE_EQ(r.rates.scheduled.value(), 10);
  EXPECT_DOUBLE_EQ(r.rates.released, 10) << "the first was late, which makes the others no faster";
  EXPECT_DOUBLE_EQ(r.rates.completed, 10);
  EXPECT_DOUBLE_EQ(r.workers.at(0).utilization, 4 * 0.001 / 0.4);
}

TEST_F(RecorderTest, OneSampleIsOneInterval) {
  begin(10);
  const Announced batch = sample_at(0);
  take(batch, served(batch, 1), "w0", {0});
  EXPECT_DOUBLE_EQ(report().rates.completed, 10);
  EXPECT_DOUBLE_EQ(report().rates.released, 10);
}

TEST_F(RecorderTest, WhatTakesLongerThanItsScheduleIsCompletedAtALowerRate) {
  begin(10);
  for (const double due : {0, 100, 200, 300}) {
    const Announced batch = sample_at(due);
    take(batch, served(batch, 500), "w0", {0});
  }
  EXPECT_DOUBLE_EQ(report().rates.completed, 4 / 0.8);
}

TEST_F(RecorderTest, WithoutAScheduleNoRateIsRequested) {
  begin(0);
  take(0, 5);
  EXPECT_FALSE(report().rates.requested);
  EXPECT_FALSE(report().rates.scheduled);
  EXPECT_EQ(report().rate_mode, "max");
}

TEST_F(RecorderTest, TheSeriesSumsToTheTotals) {
  begin();
  Rng rng(3);
  for (int k = 0; k < 500; ++k) take(10.0 * k, 1 + 3000 * rng.uniform());
  recorder.announced(batch_at(4999));
  const RunReport r = report();
  std::uint64_t offered = 0, completed = 0;
  for (const SecondOfRun& second : r.series) {
    offered += second.offered;
    completed += second.completed;
    EXPECT_EQ(second.queue, offered - completed) << second.t_s;
  }
  EXPECT_EQ(offered, r.samples.announced);
  EXPECT_EQ(completed, r.samples.completed);
}

TEST_F(RecorderTest, TheSeriesCountsASampleWhenItArrivesAndWhenItIsCollected) {
  begin();
  Announced batch = batch_at(1500);
  batch.arrivals = {t0 + ms(500), t0 + ms(1500)};
  take(batch, served(batch, 700));
  const auto series = report().series;
  ASSERT_THAT(series, SizeIs(3));
  const std::uint64_t offered[] = {1, 1, 0}, completed[] = {0, 0, 2}, queue[] = {1, 2, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(series[i].offered, offered[i]) << i;
    EXPECT_EQ(series[i].completed, completed[i]) << i;
    EXPECT_EQ(series[i].queue, queue[i]) << i;
    EXPECT_EQ(series[i].p50_ms.has_value(), i == 2) << i;
    EXPECT_FALSE(series[i].p99_ms.has_value()) << "one batch supports no p99";
  }
}

// ---- verdicts --------------------------------------------------------------------------------------------

TEST_F(RecorderTest, GrowingLatencyIsOverloadAndNotTheGeneratorsFault) {
  recorder.begin(run_at(1000, 2000), t0);
  for (int k = 0; k < 200; ++k) take(10.0 * k, 5 + 5.0 * k);  // half of what comes is served
  const RunReport r = report();
  EXPECT_TRUE(r.overloaded);
  EXPECT_FALSE(r.valid);
  EXPECT_FALSE(verdict(r, "keeps up")->ok);
  EXPECT_THAT(verdict(r, "keeps up")->observed, HasSubstr("500 ms a second"));
  EXPECT_TRUE(verdict(r, "generator")->ok);
}

TEST_F(RecorderTest, NoisyButFlatLatencyIsNotOverload) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Recorder recorder({});
    recorder.begin(run_at(200, 120), t0);
    Rng rng(seed);
    for (int k = 0; k < 60; ++k) {
      const Announced batch = batch_at(10.0 * k);
      recorder.announced(batch);
      recorder.completed(batch, served(batch, 2 + rng.exponential(8)), "w0", {0, 1});
    }
    EXPECT_FALSE(recorder.report(some_router(), true, 120).overloaded) << "seed " << seed;
  }
}

TEST_F(RecorderTest, AnOutageThatWasOvercomeIsNotOverload) {
  recorder.begin(run_at(1000, 2000), t0);
  for (int k = 0; k < 200; ++k) {
    const double due = 10.0 * k;
    take(due, due > 1200 && due < 1700 ? 1705 - due : 5);  // nothing is served from 1.2 s to 1.7 s
  }
  EXPECT_FALSE(report().overloaded);
}

TEST_F(RecorderTest, CpuAndMemoryAreThoseSinceT0) {
  begin();
  const auto reading = [&](double at, double cpu, std::uint64_t rss) {
    recorder.usage(Role::stream, "stream", {{t0 + ms(at), ms(cpu), rss, rss, rss}, {}, {}, {}});
  };
  reading(-1000, 0, 9'000'000);  // warming up: not counted
  reading(-250, 740, 9'000'000);
  reading(250, 750, 1'000'000);
  reading(750, 800, 3'000'000);
  reading(1250, 10, 2'000'000);  // restarted under its name
  reading(1750, 60, 2'000'000);
  ASSERT_THAT(report().stages, SizeIs(1));
  const StageReport stage = report().stages[0];
  EXPECT_DOUBLE_EQ(stage.cpu_percent->mean, 100 * (10 + 50 + 50) / 1500.0);
  EXPECT_DOUBLE_EQ(stage.cpu_percent->max, 10);
  EXPECT_DOUBLE_EQ(stage.rss_mb->mean, 2);
  EXPECT_DOUBLE_EQ(stage.anonymous_mb->first, 1);
}

TEST_F(RecorderTest, ASlowStartIsNotOverload) {
  recorder.begin(run_at(200, 200), t0);
  for (int k = 0; k < 100; ++k) take(10.0 * k, k < 10 ? 100 - 9 * k : 10);
  EXPECT_FALSE(report().overloaded);
}

TEST_F(RecorderTest, ARiseThatIsSmallAgainstTheTimeOrTheLatencyIsNotOverload) {
  const struct {
    double every, first, rise;
    int n;
  } cases[] = {{1000, 5, 0.45, 100}, {10, 100, 0.44, 10}};  // ms; batches
  for (const auto& one : cases) {
    Recorder recorder({});
    const int n = one.n;
    recorder.begin(run_at(2000 / one.every, 2 * static_cast<std::uint64_t>(n)), t0);
    for (int k = 0; k < n; ++k) {
      const Announced batch = batch_at(one.every * k);
      recorder.announced(batch);
      recorder.completed(batch, served(batch, one.first + one.rise * k), "w0", {0, 1});
    }
    EXPECT_FALSE(recorder.report(some_router(), true, 0).overloaded);
  }
}

TEST_F(RecorderTest, AStallAtTheEndOfAShortRunIsNotOverload) {
  recorder.begin(run_at(200, 800), t0);
  for (int k = 0; k < 400; ++k) {
    const double due = 10.0 * k;
    take(due, due > 3500 ? 4005 - due : 5);  // nothing is served in the last half second of four
  }
  EXPECT_FALSE(report().overloaded);
}

TEST_F(RecorderTest, OverloadThatBeginsHalfWayIsSeen) {
  recorder.begin(run_at(200, 800), t0);
  for (int k = 0; k < 400; ++k) take(10.0 * k, k < 200 ? 5 : 5 + 5.0 * (k - 200));
  EXPECT_TRUE(report().overloaded);
}

TEST_F(RecorderTest, AsFastAsPossibleIsNeverOverload) {
  begin(0);
  for (int k = 0; k < 200; ++k) take(10.0 * k, 5 + 5.0 * k);
  EXPECT_FALSE(report().overloaded);
  EXPECT_TRUE(report().valid);
}

TEST_F(RecorderTest, TheGeneratorMayBeLateByAMillisecondOrTwoPercentOfTheMedian) {
  const struct {
    double lateness, latency;
    bool ok;
  } cases[] = {{0.9, 10, true},   {1.1, 10, false}, {1.9, 100, true},
               {2.1, 100, false}, {3.9, 200, true}, {4.1, 200, false}};
  for (const auto& one : cases) {
    Recorder recorder({});
    recorder.begin(run_at(1000), t0);
    for (int k = 0; k < 20; ++k) {
      const Announced batch = batch_at(10.0 * k, one.lateness);
      recorder.announced(batch);
      recorder.completed(batch, served(batch, one.latency), "w0", {0, 1});
    }
    const RunReport r = recorder.report(some_router(), true, 40);
    EXPECT_EQ(verdict(r, "generator")->ok, one.ok) << one.lateness << " of " << one.latency;
    EXPECT_EQ(r.valid, one.ok);
    EXPECT_EQ(verdict(r, "generator")->remedy.empty(), one.ok);
  }
}

TEST_F(RecorderTest, WithoutAScheduleTheGeneratorIsNotJudged) {
  begin(0);
  take(0, 5, 100);
  EXPECT_EQ(verdict(report(), "generator"), nullptr);
}

TEST_F(RecorderTest, ARunThatDidNotEndOrDidNotAnnounceEverythingIsInvalid) {
  begin();
  take(0, 5);
  EXPECT_TRUE(recorder.report(some_router(), true, 2).valid);
  EXPECT_FALSE(recorder.report(some_router(), false, 2).valid);
  EXPECT_FALSE(recorder.report(some_router(), true, 4).valid);
}

TEST_F(RecorderTest, AFailedBatchMakesTheRunInvalid) {
  begin();
  take(0, 5);
  const Announced bad = batch_at(1);
  recorder.announced(bad);
  recorder.failed(bad, t0 + ms(50));
  const RunReport r = recorder.report(some_router(), true, 4);
  EXPECT_EQ(r.samples.announced, 4U);
  EXPECT_EQ(r.samples.completed, 2U);
  EXPECT_EQ(r.samples.failed, 2U);
  EXPECT_EQ(r.samples.lost, 0U);
  EXPECT_FALSE(verdict(r, "accounted for")->ok);
  EXPECT_FALSE(verdict(r, "accounted for")->remedy.empty());
}

TEST_F(RecorderTest, ABatchCountedTwiceIsFoundAndMakesTheRunInvalid) {
  begin();
  const Announced batch = batch_at(0);
  take(batch, served(batch, 5));
  recorder.failed(batch, t0 + ms(50));
  const RunReport r = report();
  EXPECT_EQ(r.batches.double_counted, 1U);
  EXPECT_EQ(r.samples.double_counted, 2U);
  EXPECT_EQ(r.samples.lost, 0U);
  EXPECT_FALSE(verdict(r, "accounted for")->ok);
}

TEST_F(RecorderTest, WithoutTheRoutersReportTheRunIsInvalid) {
  begin();
  take(0, 5);
  EXPECT_TRUE(report().valid);
  EXPECT_FALSE(report(Report{}).valid);
  EXPECT_FALSE(verdict(report(Report{}), "dp-route")->ok);
}

TEST_F(RecorderTest, AWorkerThatFailedEverythingItWasGivenMakesTheRunInvalid) {
  const struct {
    const char* what;
    std::uint64_t served, failed;
    bool lost, ok;
  } cases[] = {{"failed all", 0, 3, false, false},
               {"failed some", 1, 3, false, true},
               {"was given none", 0, 0, false, true},
               {"died over its first", 0, 1, true, true}};
  for (const auto& one : cases) {
    Recorder recorder({}, false, ms(100));
    recorder.begin(run_at(1000, 4), t0);
    for (const char* worker : {"w0", "w1"}) recorder.usage(Role::infer, worker, of_worker({}));
    for (int k = 0; k < 2; ++k) {  // the first in the warm-up
      const Announced batch = batch_at(100.0 * k);
      recorder.announced(batch);
      recorder.completed(batch, served(batch, 5), k == 0 && one.served ? "w1" : "w0", {0, 1});
    }
    if (one.lost) recorder.lost_worker("w1");
    Report router = some_router();
    if (one.failed) router.failing = {"w1"}, router.failures = {one.failed};
    const RunReport r = recorder.report(router, true, 4);
    EXPECT_EQ(r.valid, one.ok) << one.what;
    ASSERT_THAT(r.workers, SizeIs(2));
    EXPECT_EQ(r.workers[0].failed, 0U);
    EXPECT_EQ(r.workers[1].failed, one.failed) << one.what;
    const Verdict* found = verdict(r, "failed every batch");
    EXPECT_EQ(found == nullptr, one.ok) << one.what;
    if (!found) continue;
    EXPECT_THAT(found->observed, HasSubstr("w1 failed all 3"));
    EXPECT_FALSE(found->remedy.empty());
  }
}

TEST_F(RecorderTest, AWorkerNobodyHeardOfIsListedForItsFailures) {
  begin();
  take(0, 5);
  Report router = some_router();
  router.failing = {"w7"};
  router.failures = {2};
  const RunReport r = report(router);
  ASSERT_THAT(r.workers, SizeIs(2));
  EXPECT_EQ(r.workers[1].name, "w7");
  EXPECT_EQ(r.workers[1].failed, 2U);
}

TEST_F(RecorderTest, AClosedLoopIsJudgedByWhatWasOutstanding) {
  const struct {
    std::uint32_t asked;
    int at_once, batches;
    const char *buffer, *payload;
    bool ok;
    const char* remedy;
  } cases[] = {{4, 4, 12, "0", "inline", true, ""},
               {20, 18, 40, "0", "inline", true, ""},  // two are under way back to dp-stream
               {20, 17, 40, "0", "inline", false, "lower --concurrency"},
               {20, 5, 5, "0", "inline", false, "--samples"},
               {257, 257, 300, "0", "inline", false, "--buffer 257"},
               {257, 257, 300, "257", "inline", true, ""},
               {257, 257, 300, "0", "reference", true, ""},
               {4, 4, 12, "3", "inline", false, "--buffer 4"}};
  for (const auto& one : cases) {
    Recorder recorder({});
    dp::Run run = run_at(0, static_cast<std::uint64_t>(2 * one.batches));
    run.concurrency = one.asked;
    run.options = {"payload", one.payload};
    recorder.begin(run, t0);
    std::vector<Announced> out;
    for (int k = 0; k < one.batches || !out.empty();) {
      if (k < one.batches && out.size() < static_cast<std::size_t>(one.at_once)) {
        out.push_back(batch_at(k++));
        recorder.announced(out.back());
        continue;
      }
      recorder.completed(out.front(), served(out.front(), 1000), "w0", {0, 1});
      out.erase(out.begin());
    }
    Report router = some_router();
    router.options = {"buffer", one.buffer};
    const RunReport r = recorder.report(router, true, static_cast<std::uint64_t>(2 * one.batches));
    const Verdict* found = verdict(r, "outstanding");
    ASSERT_TRUE(found) << one.asked;
    EXPECT_EQ(found->ok, one.ok) << one.asked << " asked, " << one.at_once << " at once";
    EXPECT_EQ(r.valid, one.ok);
    EXPECT_THAT(found->remedy, HasSubstr(one.remedy));
    EXPECT_THAT(found->observed, HasSubstr(fmt::format("at most {} at once", one.at_once)));
  }
}

TEST_F(RecorderTest, WithoutAClosedLoopNothingNeedsToBeOutstanding) {
  begin();
  take(0, 5);
  EXPECT_EQ(verdict(report(), "outstanding"), nullptr);
}

TEST_F(RecorderTest, TheStrategyIsCoupledWhenTheBufferFilledUnderASchedule) {
  Report router = some_router();
  router.full = 3;
  begin();
  take(0, 5);
  EXPECT_TRUE(report(router).coupled);
  router.full = 0;
  EXPECT_FALSE(report(router).coupled);
}

// ---- warm-up and steady state ---------------------------------------------------------------------------

struct WithWarmUp : RecorderTest {
  WithWarmUp() { recorder = Recorder({}, false, std::chrono::seconds(1)); }
};

TEST_F(WithWarmUp, WhatIsDueInItIsAccountedForAndKeptApart) {
  recorder.begin(run_at(20, 60), t0);
  for (int k = 0; k < 30; ++k) take(100.0 * k + 50, k < 10 ? 500 : k == 29 ? 50 : 20);
  const RunReport r = report();
  EXPECT_TRUE(r.valid);
  EXPECT_EQ(r.samples.completed, 60U);
  EXPECT_EQ(r.warmup.seconds, 1);
  EXPECT_EQ(r.warmup.batches, 10U);
  EXPECT_EQ(r.warmup.samples, 20U);
  EXPECT_DOUBLE_EQ(r.warmup.completed_rate, 20 / 1.45);  // the last one, due at 950 ms, 500 ms later
  EXPECT_DOUBLE_EQ(r.warmup.batch_latency_ms.mean.value(), 500);
  EXPECT_EQ(r.batch_latency_ms.n, 20U);
  EXPECT_DOUBLE_EQ(r.batch_latency_ms.max.value(), 50);
  EXPECT_DOUBLE_EQ(r.latency_ms.max.value(), 50);
  EXPECT_DOUBLE_EQ(r.duration_s, 3);
  EXPECT_DOUBLE_EQ(r.rates.scheduled.value(), 20);  // 40 samples in the 2 s since the last of the warm-up
  EXPECT_DOUBLE_EQ(r.rates.released, 20);
  EXPECT_DOUBLE_EQ(r.rates.completed, 20);
  ASSERT_THAT(r.workers, SizeIs(1));
  EXPECT_EQ(r.workers[0].batches, 20U);
  EXPECT_DOUBLE_EQ(r.workers[0].busy_s, 0.02);
  EXPECT_DOUBLE_EQ(r.workers[0].utilization, 0.01);
  ASSERT_THAT(r.series, SizeIs(4));
  EXPECT_GT(r.series[0].completed, 0U) << "the series shows the warm-up too";
}

TEST_F(WithWarmUp, WithoutAScheduleItGoesByTheTimeOfCompletion) {
  recorder.begin(run_at(0, 8), t0);
  for (const double released : {0.0, 800.0, 1100.0, 1600.0}) take(released, 400);
  const RunReport r = report();
  EXPECT_EQ(r.warmup.batches, 1U);
  EXPECT_EQ(r.batch_latency_ms.n, 3U);
  EXPECT_DOUBLE_EQ(r.rates.completed, 6 / 1.6);  // at 1.2, 1.5 and 2 s, the one before at 0.4 s
  EXPECT_DOUBLE_EQ(r.warmup.completed_rate, 2 / 0.4);
}

TEST_F(WithWarmUp, ItsRateExceedsNeitherWhatWasOfferedNorWhatCameBack) {
  for (const double latency : {10.0, 6400.0}) {
    Recorder recorder({}, false, ms(350));
    recorder.begin(run_at(10, 8), t0);
    for (int k = 0; k < 8; ++k) {  // four of them before 0.35 s
      const Announced batch = sample_at(100.0 * k);
      recorder.announced(batch);
      recorder.completed(batch, served(batch, latency), "w0", {0});
    }
    const RunReport r = recorder.report(some_router(), true, 8);
    ASSERT_EQ(r.warmup.samples, 4U);
    EXPECT_DOUBLE_EQ(r.warmup.completed_rate, latency == 10 ? 10 : 4 / 6.7);
    EXPECT_DOUBLE_EQ(r.rates.completed, latency == 10 ? 10 : 4 / 6.75);
  }
}

TEST_F(WithWarmUp, ARunOfNothingElseIsInvalid) {
  recorder.begin(run_at(20, 2), t0);
  take(10, 20);
  const RunReport r = report();
  EXPECT_FALSE(r.valid);
  ASSERT_TRUE(verdict(r, "something was measured"));
  EXPECT_THAT(verdict(r, "something was measured")->remedy, HasSubstr("--warmup"));
  EXPECT_EQ(r.samples.completed, 2U);
}

TEST_F(WithWarmUp, ProcessFiguresBeginAfterIt) {
  begin();
  const auto reading = [&](double at, double cpu) {
    recorder.usage(Role::stream, "stream", {{t0 + ms(at), ms(cpu), 0, 0, 0}, {}, {}, {}});
  };
  reading(0, 0);
  reading(500, 500);  // busy while warming up
  reading(1000, 600);
  reading(1500, 650);
  const StageReport stage = report().stages.at(0);
  EXPECT_DOUBLE_EQ(stage.cpu_percent->mean,
                   100 * 150 / 1000.0);  // from 0.5 s: the reading that spans its end
  EXPECT_DOUBLE_EQ(stage.cpu_percent->max, 20);
}

TEST_F(RecorderTest, ALongRunIsJudgedSteadyOrNot) {
  const struct {
    double last_rate;
    bool steady;
  } cases[] = {{1000, true}, {500, false}};  // samples/s at the end of 20 s, from 1000 in a straight line
  for (const auto& one : cases) {
    Recorder recorder({});
    recorder.begin(run_at(0), t0);
    double due = 0;
    std::uint64_t samples = 0;
    while (due < 20'500) {
      const Announced batch = batch_at(due);
      recorder.announced(batch);
      recorder.completed(batch, served(batch, 1), "w0", {0, 1});
      samples += 2;
      due += 2000 / (1000 - (1000 - one.last_rate) * due / 20'000);
    }
    const RunReport r = recorder.report(some_router(), true, samples);
    EXPECT_EQ(r.steady_state.seconds, 20U);
    EXPECT_EQ(r.steady_state.steady, one.steady);
    EXPECT_EQ(r.valid, one.steady);
    ASSERT_TRUE(verdict(r, "steady state"));
    EXPECT_EQ(verdict(r, "steady state")->remedy.empty(), one.steady);
  }
}

TEST_F(RecorderTest, HostileTimesDoNotOverflowTheSums) {
  begin();
  constexpr Time far{std::chrono::nanoseconds(std::int64_t{1} << 60)};
  for (int i = 0; i < 4; ++i) {
    const Announced batch = batch_at(0);
    take(batch, {{batch.scheduled, batch.released, batch.released, batch.released},
                 {-far.time_since_epoch() + Time{}, -far.time_since_epoch() + Time{}, far},
                 batch.scheduled + ms(5)});
  }
  const double span = 2 * std::ldexp(1.0, 60) / 1e9;  // of each, in seconds
  EXPECT_DOUBLE_EQ(report().workers.at(0).busy_s, 4 * span);
}

// ---- correctness -----------------------------------------------------------------------------------------

struct WithExpected : RecorderTest {
  WithExpected() : RecorderTest({0, 2, 5}) {}
};

TEST_F(WithExpected, AccuracyIsCountedOverLabelledAndAgreementOverComparedSamples) {
  begin();
  recorder.usage(Role::infer, "w0", of_worker({"backend", "torch"}));
  Announced batch = batch_at(0);
  batch.ids = {0, 1, 2, 3};
  batch.labels = {0, 1, no_label, 9};
  take(batch, served(batch, 5), "w0", {0, 2, 7, 9});
  const Accuracy a = report().accuracy;
  EXPECT_EQ(a.labelled, 3U);
  EXPECT_EQ(a.compared, 3U);
  EXPECT_DOUBLE_EQ(a.top1.value(), 2 / 3.0);       // samples 0 and 3
  EXPECT_DOUBLE_EQ(a.agreement.value(), 2 / 3.0);  // samples 0 and 1
}

TEST_F(WithExpected, AgreementBelowNineNinesInAThousandIsInvalid) {
  for (const int wrong : {1, 2}) {
    Recorder recorder({0, 2, 5});
    recorder.begin(run_at(1000), t0);
    recorder.usage(Role::infer, "w0", of_worker({"backend", "torch"}));
    Announced batch = batch_at(0);
    batch.ids.assign(1000, 0);
    batch.labels.assign(1000, 0);
    std::vector<Label> predictions(1000, 0);
    for (int i = 0; i < wrong; ++i) predictions[static_cast<std::size_t>(i)] = 1;
    recorder.announced(batch);
    recorder.completed(batch, served(batch, 5), "w0", predictions);
    EXPECT_EQ(recorder.report(some_router(), true, 1000).valid, wrong == 1);
  }
}

TEST(RecorderExpected, ClassesBeyondAByteAreComparedAndUnknownOnesAreNot) {
  for (const bool any : {true, false}) {
    Recorder recorder(any ? std::vector<Label>{300, no_label} : std::vector<Label>(2, no_label));
    recorder.begin(run_at(1000), t0);
    recorder.usage(Role::infer, "w0", of_worker({"backend", "torch"}));
    const Announced batch = batch_at(0);
    recorder.announced(batch);
    recorder.completed(batch, served(batch, 5), "w0", {300, 301});
    const RunReport r = recorder.report(some_router(), true, 2);
    EXPECT_EQ(r.accuracy.compared, any ? 1U : 0U);
    EXPECT_EQ(r.accuracy.agreement, any ? std::optional(1.0) : std::nullopt);
    EXPECT_EQ(r.valid, any) << "a comparison that was asked for and did not take place is no agreement";
  }
}

TEST_F(RecorderTest, BackendsThatDoNotPredictHaveNoAccuracy) {
  begin();
  recorder.usage(Role::infer, "w0", of_worker({"backend", "null"}));
  take(0, 5);
  EXPECT_FALSE(report().accuracy.top1);
  EXPECT_FALSE(report().accuracy.agreement);
}

// ---- workers and balance ---------------------------------------------------------------------------------

TEST_F(RecorderTest, BalanceByHand) {
  begin();
  const auto serve = [&](const std::string& worker, int times, double service) {
    for (int i = 0; i < times; ++i) {
      const Announced batch = batch_at(0);
      take(batch, served(batch, 1000, service), worker);
    }
  };
  serve("w0", 3, 100);  // 6 samples, 0.3 s
  serve("w1", 1, 100);  // 2 samples, 0.1 s
  const RunReport r = report();
  EXPECT_DOUBLE_EQ(r.balance.load_balancing_efficiency.value(), 0.2 / 0.3);
  EXPECT_DOUBLE_EQ(r.balance.jain.value(), 64.0 / (2 * 40));  // (6 + 2)² / (2 · (36 + 4))
  ASSERT_THAT(r.workers, SizeIs(2));
  EXPECT_EQ(r.workers[0].samples, 6U);
  EXPECT_EQ(r.workers[0].batches, 3U);
  EXPECT_DOUBLE_EQ(r.workers[0].busy_s, 0.3);
  EXPECT_DOUBLE_EQ(r.workers[0].utilization, 0.3);
  EXPECT_DOUBLE_EQ(r.workers[0].service_ms_per_sample.value(), 50);
}

TEST_F(RecorderTest, AWorkerThatServedNothingCountsInTheBalance) {
  begin();
  recorder.usage(Role::infer, "idle", of_worker({}));
  take(0, 5);
  const RunReport r = report();
  EXPECT_DOUBLE_EQ(r.balance.load_balancing_efficiency.value(), 0.5);
  EXPECT_DOUBLE_EQ(r.balance.jain.value(), 0.5);
}

// Samples of 3000 bytes: w0 serves 0, 1, 2 (1 twice), w1 serves 1 and 2.
TEST_F(RecorderTest, AWorkersDataAreItsDistinctSamplesOnce) {
  dp::Run run = run_at(1000);
  run.options = {"payload", "reference", "sample-bytes", "3000"};
  recorder.begin(run, t0);
  const auto serve = [&](std::vector<SampleId> ids, const std::string& worker) {
    Announced batch = batch_at(5);
    batch.ids = std::move(ids);
    take(batch, served(batch, 5), worker);
  };
  serve({0, 1}, "w0");
  serve({1, 2}, "w0");
  serve({2, 1}, "w1");
  recorder.usage(Role::infer, "w2", of_worker({}));
  const RunReport r = report();
  ASSERT_THAT(r.workers, SizeIs(3));
  EXPECT_DOUBLE_EQ(r.workers[0].data_mb_peak.value(), 0.009);
  EXPECT_DOUBLE_EQ(r.workers[1].data_mb_peak.value(), 0.006);
  EXPECT_DOUBLE_EQ(r.workers[2].data_mb_peak.value(), 0);
  EXPECT_DOUBLE_EQ(r.data_moved_mb.value(), 0.015);
}

TEST_F(RecorderTest, DataAreNotToldWhereASamplesSizeIsNotKnown) {
  begin();
  take(5, 5);
  EXPECT_FALSE(report().workers.at(0).data_mb_peak);
  EXPECT_FALSE(report().data_moved_mb);
}

TEST_F(RecorderTest, ShardDistributionEfficiencyIsMeanOverMaximalLoadOfTheWorkersWanted) {
  const struct {
    std::vector<std::uint32_t> map;
    std::vector<std::uint64_t> load;
    const char* workers;
    double expected;
  } cases[] = {
      {{0, 1, 0, 1}, {10, 10, 10, 10}, "2", 1},
      {{0, 0, 1}, {10, 20, 10}, "2", 20.0 / 30},
      {{0, 0, 1}, {10, 20, 10}, "4", 10.0 / 30},
  };
  begin();
  take(0, 5);
  for (const auto& one : cases) {
    Report router = some_router();
    router.options = {"workers", one.workers};
    router.shard_map = one.map;
    router.shard_load = one.load;
    EXPECT_DOUBLE_EQ(report(router).balance.shard_distribution_efficiency.value(), one.expected);
  }
  EXPECT_FALSE(report().balance.shard_distribution_efficiency);
}

TEST_F(RecorderTest, OversubscribedWhenAHostsWorkersHaveMoreThreadsThanCores) {
  using Workers = std::vector<std::array<std::string, 4>>;  // backend, threads, cores, host
  const struct {
    Workers workers;
    bool expected;
  } cases[] = {
      {{{"torch", "1", "2", "a"}, {"torch", "1", "2", "a"}}, false},
      {{{"torch", "2", "2", "a"}, {"torch", "1", "2", "a"}}, true},
      {{{"torch", "2", "2", "a"}, {"torch", "2", "2", "b"}}, false},
      {{{"synthetic", "4", "2", "a"}, {"null", "4", "2", "a"}}, false},
  };
  for (const auto& one : cases) {
    Recorder recorder({});
    recorder.begin(run_at(1000), t0);
    int number = 0;
    for (const auto& [backend, threads, cores, host] : one.workers) {
      recorder.usage(Role::infer, std::to_string(number++),
                     of_worker({"backend", backend, "threads", threads, "host_cores", cores}, host));
    }
    EXPECT_EQ(recorder.report(some_router(), true, 0).oversubscribed, one.expected);
  }
}

TEST_F(RecorderTest, CoresAreThoseAWorkerMayUseOnItsMachineWhateverItsHostIsCalled) {
  const struct {
    const char *what, *cpus[2], *quotas[2], *machine[2];
    bool expected;
  } cases[] = {
      {"the same core", {"0", "0"}, {"", ""}, {"m", "m"}, true},
      {"a core each", {"0", "1"}, {"", ""}, {"m", "m"}, false},
      {"the same number on two machines", {"0", "0"}, {"", ""}, {"m", "n"}, false},
      {"containers under one quota", {"0-3", "0-3"}, {"7:1", "7:1"}, {"m", "m"}, true},
      {"containers with quotas of their own", {"0-3", "0-3"}, {"7:1", "8:1"}, {"m", "m"}, false},
  };
  for (const auto& one : cases) {
    Recorder recorder({});
    recorder.begin(run_at(1000), t0);
    for (const int w : {0, 1}) {
      recorder.usage(Role::infer, std::to_string(w),
                     of_worker({"backend", "torch", "threads", "1", "host_cores", "4", "cpus", one.cpus[w],
                                "cpu_quotas", one.quotas[w], "machine", one.machine[w]},
                               fmt::format("container-{}", w)));
    }
    const RunReport r = recorder.report(some_router(), true, 0);
    EXPECT_EQ(r.oversubscribed, one.expected) << one.what;
    EXPECT_EQ(r.workers.at(0).cores, 1) << one.what;
  }
}

TEST_F(RecorderTest, ProcessFiguresAreMeansAndPeaksOfTheReadings) {
  begin();
  constexpr std::uint64_t mb = 1'000'000;
  const auto reading = [](double at_s, double cpu_s, std::uint64_t rss, std::uint64_t anonymous,
                          std::uint64_t peak) {
    return Usage{
        {t0 + from_seconds(at_s), from_seconds(cpu_s), rss * mb, anonymous * mb, peak * mb}, {}, {}, {}};
  };
  for (const Role role : {Role::stream, Role::infer}) {
    recorder.usage(role, "x", reading(0, 1, 10, 5, 10));
    recorder.usage(role, "x", reading(1, 1.2, 30, 9, 40));
    recorder.usage(role, "x", reading(2, 2, 20, 7, 40));
  }
  take(0, 5);
  const RunReport r = report();
  ASSERT_THAT(r.stages, SizeIs(1));
  EXPECT_EQ(r.stages[0].role, "stream");
  EXPECT_DOUBLE_EQ(r.stages[0].cpu_percent->mean, 50);  // one second of CPU in two
  EXPECT_DOUBLE_EQ(r.stages[0].cpu_percent->max, 80);
  EXPECT_DOUBLE_EQ(r.stages[0].rss_mb->mean, 20);
  EXPECT_DOUBLE_EQ(r.stages[0].rss_mb->peak, 40);
  EXPECT_EQ(*r.stages[0].anonymous_mb, (FirstLastPeak{5, 7, 9}));
  ASSERT_THAT(r.workers, SizeIs(2));
  EXPECT_DOUBLE_EQ(r.workers[1].cpu_percent->mean, 50);
  EXPECT_DOUBLE_EQ(r.workers[1].rss_mb->peak, 40);
}

TEST_F(RecorderTest, WhatWorkersSayOfThemselvesIsRecorded) {
  begin();
  recorder.usage(Role::infer, "w0",
                 of_worker({"backend", "torch", "credit", "2", "weights", "r.safetensors", "weights_digest",
                            "ab", "libtorch", "1.13", "onednn", "2.6", "blas", "libopenblas"}));
  take(0, 5);
  const RunReport r = report();
  EXPECT_EQ(r.backend, "torch");
  EXPECT_EQ(r.credit, 2U);
  EXPECT_EQ(r.weights, (Asset{"r.safetensors", "ab"}));
  EXPECT_EQ(r.versions.libtorch, "1.13");
  EXPECT_EQ(r.versions.onednn, "2.6");
  EXPECT_EQ(r.versions.blas, "libopenblas");
  EXPECT_EQ(r.workers.at(0).host, "here");
  EXPECT_EQ(r.data, (Asset{"data", "digest"}));
  EXPECT_EQ(r.payload, "inline");
}

TEST_F(RecorderTest, EventsAreInTheOrderOfTime) {
  begin();
  recorder.event(t0 + std::chrono::seconds(9), "last");
  recorder.event(t0 + std::chrono::seconds(1), "first");
  Report router = some_router();
  router.events = {"between"};
  router.event_times = {t0 + std::chrono::seconds(5)};
  EXPECT_THAT(report(router).events,
              ElementsAre(RunEvent{1, "first"}, RunEvent{5, "between"}, RunEvent{9, "last"}));
}

TEST(RecorderPredictions, AreKeptBySampleIdWhenAskedFor) {
  Recorder recorder({}, true);
  recorder.begin(run_at(1000), t0);
  Announced batch = batch_at(0);
  batch.ids = {3, 1};
  recorder.announced(batch);
  recorder.completed(batch, served(batch, 5), "w0", {7, 300});
  EXPECT_THAT(recorder.predictions(), ElementsAre(no_label, 300, no_label, 7));
}

TEST_F(RecorderTest, KeepsNoPredictionsUnasked) {
  begin();
  take(0, 5);
  EXPECT_TRUE(recorder.predictions().empty());
}

}  // namespace
}  // namespace dp
