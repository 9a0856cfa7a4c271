// dp-collect's state machine in virtual time: what is settled, acknowledged, committed and told at the end.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "collector_rig.hpp"

namespace dp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

// ---- sessions --------------------------------------------------------------------------------------------

TEST_F(CollectorTest, WelcomesEachRoleWithTheRunId) {
  for (const Role role : {Role::stream, Role::route, Role::infer}) {
    EXPECT_EQ(call(role, "someone").all<Welcome>().at(0).run, our_run);
  }
}

TEST_F(CollectorTest, RefusesForGoodWhoeverBelongsToAnotherRun) {
  const Caller& caller = call(Role::infer, "w0", RunId{0xB2});
  const auto rejects = caller.all<Reject>();
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_FALSE(rejects[0].hello_again);
  EXPECT_THAT(rejects[0].reason,
              testing::AllOf(HasSubstr("00000000000000a1"), HasSubstr("00000000000000b2")));
}

TEST_F(CollectorTest, WelcomesWhoComesBackToItsRun) {
  EXPECT_EQ(call(Role::infer, "w0", our_run).count<Welcome>(), 1U);
}

TEST_F(CollectorTest, RefusesAnotherPlanForGood) {
  begin();
  planned.plan = "another plan";
  tell(*stream, planned);
  ASSERT_EQ(stream->count<Reject>(), 1U);
  EXPECT_FALSE(stream->all<Reject>()[0].hello_again);
  EXPECT_THAT(stream->all<Reject>()[0].reason, HasSubstr("another plan"));
}

// ---- the run is stored -----------------------------------------------------------------------------------

TEST_F(CollectorTest, SaysThatTheRunIsStoredOnlyOnceT0IsKnown) {
  stream = &call(Role::stream, "stream");
  route = &call(Role::route, "route");
  tell(*stream, dp::Run{4, 8, "the plan", false, {}, 1000, 0, "", {}, ""});
  settle_down();
  ASSERT_GE(stream->count<Commit>(), 1U);
  for (const Commit& c : stream->all<Commit>()) EXPECT_FALSE(c.run_stored);
  tell(*stream, dp::Run{4, 8, "the plan", true, now, 1000, 0, "", {}, ""});
  settle_down();
  EXPECT_TRUE(stream->all<Commit>().back().run_stored);
  EXPECT_TRUE(route->all<Commit>().back().run_stored);
}

TEST_F(CollectorTest, TheFirstT0Stays) {
  begin(1);
  dp::Run later = planned;
  later.t0 += std::chrono::seconds(7);
  tell(*stream, later);
  announce({0});
  now = t0 + std::chrono::seconds(2);
  tell(*worker, result(0));
  EXPECT_DOUBLE_EQ(collector.report().duration_s, 2);
}

// ---- settling --------------------------------------------------------------------------------------------

TEST_F(CollectorTest, AResultIsAcknowledgedToItsWorkerAndCommittedToStreamAndRouter) {
  begin();
  announce({0, 1, 2});
  tell(*worker, result(1));
  settle_down();
  EXPECT_THAT(acknowledged(*worker), ElementsAre(1));
  EXPECT_THAT(committed(*stream), ElementsAre(1));
  EXPECT_THAT(committed(*route), ElementsAre(1));
  EXPECT_EQ(worker->count<Commit>(), 0U);
}

TEST_F(CollectorTest, SettlementsShareTheirMessages) {
  begin(100);
  std::vector<std::uint64_t> all(100);
  std::iota(all.begin(), all.end(), 0);
  announce(all);
  settle_down();
  const std::size_t before = stream->count<Commit>();
  for (const std::uint64_t id : all) tell(*worker, result(id));
  settle_down();
  EXPECT_LE(worker->count<Ack>(), 2U);
  EXPECT_LE(stream->count<Commit>(), before + 2);
  EXPECT_EQ(committed(*stream).size(), 100U);
}

TEST_F(CollectorTest, CommitsTellExactlyWhatIsSettledInWhateverOrder) {
  constexpr std::uint64_t batches = 200;
  begin(batches);
  std::vector<std::uint64_t> all(batches);
  std::iota(all.begin(), all.end(), 0);
  announce(all);
  Rng rng(5);
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[rng.below(i)]);
  std::vector<std::uint64_t> settled;
  for (const std::uint64_t id : all) {
    tell(*worker, result(id));
    settled.push_back(id);
    settle_down();
    auto seen = committed(*route);
    std::ranges::sort(seen);
    std::ranges::sort(settled);
    ASSERT_EQ(seen, settled);
  }
  EXPECT_EQ(raw(route->all<Commit>().back().watermark), batches);
}

TEST_F(CollectorTest, ANewcomerIsToldWhatIsSettled) {
  begin();
  announce({0, 1});
  tell(*worker, result(0));
  settle_down();
  leave(*route);
  Caller& again = call(Role::route, "route", our_run);
  settle_down();
  EXPECT_THAT(committed(again), ElementsAre(0));
  EXPECT_TRUE(again.all<Commit>().back().run_stored);
}

TEST_F(CollectorTest, TheFirstResultWinsAndTheSecondIsAcknowledgedAndCounted) {
  begin(1);
  Caller& second = call(Role::infer, "w1");
  announce({0});
  tell(*worker, result(0));
  tell(second, result(0));
  settle_down();
  EXPECT_THAT(acknowledged(*worker), ElementsAre(0));
  EXPECT_THAT(acknowledged(second), ElementsAre(0));
  leave(second);
  end(1);
  const RunReport report = collector.report();
  EXPECT_EQ(report.batches.completed, 1U);
  EXPECT_EQ(report.samples.completed, 2U);
  EXPECT_EQ(report.samples.double_counted, 0U);
  EXPECT_EQ(report.batches.duplicates_discarded, 1U);
  EXPECT_EQ(report.samples.duplicates_discarded, 2U);
  EXPECT_TRUE(report.valid) << "a discarded duplicate is information";
  ASSERT_EQ(report.workers.size(), 1U);
  EXPECT_EQ(report.workers[0].name, "w0");
}

TEST_F(CollectorTest, ADuplicateThatDiffersMakesTheRunInvalid) {
  begin(1);
  announce({0});
  tell(*worker, result(0, {0, 1}));
  tell(*worker, result(0, {0, 2}));
  end(1);
  const RunReport report = collector.report();
  EXPECT_FALSE(report.valid);
  EXPECT_THAT(report.verdicts,
              Contains(testing::AllOf(Field(&Verdict::criterion, HasSubstr("same predictions")),
                                      Field(&Verdict::ok, false))));
}

TEST_F(CollectorTest, AResultBeforeItsAnnouncementCountsFromWhenItCame) {
  begin(1);
  now = due(0) + ms(30);
  tell(*worker, result(0));
  settle_down();
  EXPECT_THAT(acknowledged(*worker), IsEmpty());
  EXPECT_THAT(committed(*stream), IsEmpty());
  advance(ms(40));
  announce({0});
  settle_down();
  EXPECT_THAT(acknowledged(*worker), ElementsAre(0));
  EXPECT_THAT(committed(*stream), ElementsAre(0));
  EXPECT_DOUBLE_EQ(collector.report().batch_latency_ms.max.value(), 30);
}

TEST_F(CollectorTest, AResultOfAnotherRunIsAcknowledgedAndForgotten) {
  begin();
  announce({0});
  tell(*worker, result(0, {0, 1}, RunId{0xB2}));
  settle_down();
  EXPECT_THAT(acknowledged(*worker), ElementsAre(0));
  EXPECT_THAT(committed(*stream), IsEmpty());
  EXPECT_EQ(collector.report().samples.completed, 0U);
  EXPECT_EQ(collector.report().samples.duplicates_discarded, 0U);
}

TEST_F(CollectorTest, FailedSettlesABatchAndALaterResultIsADuplicate) {
  begin(1);
  announce({0});
  tell(*route, Failed{BatchId{0}, 4, ErrorClass::transient, "worker lost"});
  tell(*worker, result(0));
  settle_down();
  EXPECT_THAT(committed(*route), ElementsAre(0));
  EXPECT_THAT(acknowledged(*worker), ElementsAre(0));
  end(1);
  const RunReport report = collector.report();
  EXPECT_EQ(report.samples.failed, 2U);
  EXPECT_EQ(report.samples.completed, 0U);
  EXPECT_EQ(report.samples.lost, 0U);
  EXPECT_EQ(report.samples.duplicates_discarded, 2U);
  EXPECT_FALSE(report.valid);
  EXPECT_THAT(events(), Contains(testing::AllOf(HasSubstr("batch 0"), HasSubstr("4 attempts"),
                                                HasSubstr("worker lost"))));
}

TEST_F(CollectorTest, AResultBeatsALaterFailedAndARepeatedFailedCountsOnce) {
  begin(2);
  announce({0, 1});
  tell(*worker, result(0));
  for (const std::uint64_t id : {0, 1, 1}) tell(*route, Failed{BatchId{id}, 4, ErrorClass::data, "bad"});
  const RunReport report = collector.report();
  EXPECT_EQ(report.batches.completed, 1U);
  EXPECT_EQ(report.batches.failed, 1U);
}

TEST_F(CollectorTest, FailedBeforeTheAnnouncementWaitsForItsRepetition) {
  begin(1);
  const Failed failed{BatchId{0}, 4, ErrorClass::data, "bad"};
  tell(*route, failed);
  announce({0});
  EXPECT_EQ(collector.report().batches.failed, 0U);
  tell(*route, failed);
  EXPECT_EQ(collector.report().batches.failed, 1U);
}

TEST_F(CollectorTest, AWrongNumberOfPredictionsIsAFailureWithTheWorkersName) {
  const std::vector<std::vector<Label>> wrong = {{}, {0}, {0, 1, 1}};
  begin(3);
  announce({0, 1, 2});
  for (std::uint64_t id = 0; id < wrong.size(); ++id) tell(*worker, result(id, wrong[id]));
  settle_down();
  EXPECT_EQ(collector.report().batches.failed, 3U);
  EXPECT_EQ(collector.report().batches.completed, 0U);
  EXPECT_THAT(acknowledged(*worker), ElementsAre(0, 1, 2));
  EXPECT_THAT(events(), ElementsAre(testing::AllOf(HasSubstr("w0"), HasSubstr("batch 0")),
                                    HasSubstr("batch 1"), HasSubstr("batch 2")));
}

TEST_F(CollectorTest, AnnouncingAgainAddsNothing) {
  begin(3);
  announce({0, 1});
  tell(*worker, result(0));
  announce({0, 1});
  announce({2});
  EXPECT_EQ(collector.report().samples.announced, 6U);
}

TEST_F(CollectorTest, WhatIsNotInThePlanIsNotTakenIn) {
  begin(2);
  announce({0, 1, 2, 1'000'000'000'000});
  EXPECT_EQ(collector.report().batches.announced, 2U);
}

TEST_F(CollectorTest, OnlyTheRightRoleIsBelieved) {
  begin(1);
  announce({0});
  tell(*worker, Failed{BatchId{0}, 4, ErrorClass::data, "not yours to say"});
  tell(*worker, Eos{0});
  tell(*route, result(0));
  settle_down();
  EXPECT_THAT(committed(*stream), IsEmpty());
  EXPECT_EQ(stream->count<Fin>(), 0U);
}

TEST_F(CollectorTest, TimesOfAnotherHostAreShiftedToItsOwnClock) {
  begin(1);
  stream->clock_offset = std::chrono::hours(3);
  stream->clock_bound = ms(0.25);
  worker->clock_offset = -std::chrono::hours(2);
  route->clock_offset = std::chrono::hours(5);
  ping_all();
  announce({0});
  Result r = result(0);
  r.outbound.sent = due(0) + ms(2) - stream->clock_offset;
  r.outbound.routed = due(0) + ms(3) - route->clock_offset;
  r.worker = {due(0) + ms(4) - worker->clock_offset, due(0) + ms(5) - worker->clock_offset,
              due(0) + ms(9) - worker->clock_offset};
  now = due(0) + ms(10);
  tell(*worker, r);
  const RunReport report = collector.report();
  EXPECT_DOUBLE_EQ(report.batch_latency_ms.max.value(), 10);
  EXPECT_DOUBLE_EQ(report.stages_ms.admission.mean, 2);
  EXPECT_DOUBLE_EQ(report.stages_ms.router.mean, 1);
  EXPECT_DOUBLE_EQ(report.stages_ms.queue.mean, 2);
  EXPECT_DOUBLE_EQ(report.stages_ms.compute.mean, 4);
  EXPECT_DOUBLE_EQ(report.stages_ms.return_.mean, 1);
  EXPECT_DOUBLE_EQ(report.clock_bound_ms.value(), 0.25);
}

// ---- the end ---------------------------------------------------------------------------------------------

TEST_F(CollectorTest, SaysFinToStreamAndRouterOnceEverythingIsSettled) {
  begin(2);
  announce({0, 1});
  tell(*stream, Eos{2});
  tell(*worker, result(1));
  EXPECT_EQ(stream->count<Fin>(), 0U);
  tell(*worker, result(0));
  EXPECT_EQ(stream->count<Fin>(), 1U);
  EXPECT_EQ(route->count<Fin>(), 1U);
  EXPECT_EQ(worker->count<Fin>(), 0U);
  EXPECT_THAT(acknowledged(*worker), ElementsAre(1, 0));
  EXPECT_EQ(committed(*stream).size(), 2U) << "before FIN";
}

TEST_F(CollectorTest, WithoutEosThereIsNoFin) {
  begin(2);
  announce({0});
  tell(*worker, result(0));
  advance(std::chrono::seconds(5));
  EXPECT_EQ(stream->count<Fin>(), 0U);
}

TEST_F(CollectorTest, EndsWhenEverybodyHasLeft) {
  begin(2);
  announce({0, 1});
  for (const std::uint64_t id : {0, 1}) tell(*worker, result(id));
  tell(*stream, Eos{2});
  tell(*route, routers);
  leave(*stream);
  leave(*worker);
  EXPECT_FALSE(collector.finished());
  leave(*route);
  EXPECT_EQ(collector.finished(), Exit::done);
  EXPECT_TRUE(collector.report().valid);
}

TEST_F(CollectorTest, AnInterruptedStreamEndsTheRunShortAndInvalid) {
  begin(4);
  announce({0, 1});
  for (const std::uint64_t id : {0, 1}) tell(*worker, result(id));
  end(2);
  ASSERT_EQ(collector.finished(), Exit::done);
  const RunReport report = collector.report();
  EXPECT_EQ(report.samples.lost, 0U);
  EXPECT_FALSE(report.valid);
  EXPECT_THAT(report.verdicts, Contains(testing::AllOf(Field(&Verdict::criterion, HasSubstr("whole plan")),
                                                       Field(&Verdict::observed, HasSubstr("4 of 8")),
                                                       Field(&Verdict::ok, false))));
}

TEST_F(CollectorTest, ARestartedStreamCompletesTheRunButNotValidly) {
  begin(2);
  announce({0});
  leave(*stream);
  stream = &call(Role::stream, "stream", our_run);
  complete(2);
  ASSERT_EQ(collector.finished(), Exit::done);
  EXPECT_EQ(collector.report().samples.completed, 4U);
  EXPECT_FALSE(collector.report().valid);
  EXPECT_THAT(events(), Contains(HasSubstr("dp-stream was restarted")));
}

TEST_F(CollectorTest, AStreamOnANewConnectionIsNotARestartedOne) {
  begin(2);
  announce({0});
  stream->session = Session{raw(stream->session) + 1};
  hello(*stream, our_run, true);
  complete(2);
  ASSERT_EQ(collector.finished(), Exit::done);
  EXPECT_TRUE(collector.report().valid);
}

TEST_F(CollectorTest, WhoComesBackAfterFinIsToldFin) {
  begin(1);
  announce({0});
  tell(*worker, result(0));
  tell(*stream, Eos{1});
  leave(*route);
  EXPECT_EQ(call(Role::route, "route", our_run).count<Fin>(), 1U);
}

TEST_F(CollectorTest, GivesUpWaitingForGoodbyesAndNamesTheWorkersThatWereGone) {
  begin(1);
  announce({0});
  tell(*worker, result(0));
  tell(*stream, Eos{1});
  leave(*stream);
  leave(*route);
  advance(plain().give_up - ms(1));
  EXPECT_FALSE(collector.finished());
  advance(ms(1));
  ASSERT_EQ(collector.finished(), Exit::done);
  EXPECT_TRUE(collector.report().workers.at(0).lost);
  EXPECT_THAT(events(), ElementsAre(HasSubstr("w0")));
}

TEST_F(CollectorTest, TheRoutersReportIsInTheRunsReport) {
  begin(1);
  route->clock_offset = std::chrono::hours(1);
  ping_all();
  routers.strategy = "sharded";
  routers.options = {"workers", "2"};
  routers.slots = {"w9", "w0"};
  routers.events = {"something happened"};
  routers.event_times = {t0 + std::chrono::seconds(3) - route->clock_offset};
  complete(1);
  const RunReport run = collector.report();
  EXPECT_EQ(run.strategy, "sharded");
  EXPECT_EQ(run.nodes, 2U);
  EXPECT_EQ(run.workers.at(0).slot, 1U);
  EXPECT_THAT(run.events, ElementsAre(RunEvent{3, "something happened"}));
}

TEST_F(CollectorTest, InterruptedItEndsAtOnce) {
  begin();
  collector.drain(now, out);
  EXPECT_EQ(collector.finished(), Exit::interrupted);
}

// ---- losses ----------------------------------------------------------------------------------------------

TEST_F(CollectorTest, AWorkerThatFallsSilentIsNamedAndTheRunGoesOn) {
  begin(1);
  call(Role::infer, "w1").alive = false;
  advance(std::chrono::seconds(4));
  EXPECT_THAT(warnings, Contains(HasSubstr("w1 was lost")));
  complete(1);
  ASSERT_EQ(collector.finished(), Exit::done);
  const RunReport report = collector.report();
  EXPECT_TRUE(report.valid);
  EXPECT_THAT(
      report.workers,
      ElementsAre(testing::AllOf(Field(&WorkerReport::name, "w0"), Field(&WorkerReport::lost, false)),
                  testing::AllOf(Field(&WorkerReport::name, "w1"), Field(&WorkerReport::lost, true))));
}

TEST_F(CollectorTest, AWorkerThatSaysGoodbyeIsNotLost) {
  begin(1);
  leave(call(Role::infer, "w1"));
  complete(1);
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(CollectorTest, WithoutAStreamBeforeTheRunItFailsNamingWhatIsMissing) {
  call(Role::route, "route");
  advance(std::chrono::seconds(61));
  EXPECT_EQ(collector.finished(), Exit::failed);
  EXPECT_THAT(collector.failure(), HasSubstr("no dp-stream for 60 s"));
}

TEST_F(CollectorTest, WithoutARouterBeforeTheRunItFailsNamingWhatIsMissing) {
  call(Role::stream, "stream");
  advance(std::chrono::seconds(61));
  EXPECT_EQ(collector.finished(), Exit::failed);
  EXPECT_THAT(collector.failure(), HasSubstr("no dp-route for 60 s"));
}

TEST_F(CollectorTest, WhenTheRouterStaysAwayTheReportSaysWhatWasLost) {
  begin(3);
  announce({0, 1, 2});
  tell(*worker, result(0));
  route->alive = false;
  advance(std::chrono::seconds(62));
  EXPECT_FALSE(collector.finished()) << "three heartbeats, and then the wait";
  advance(std::chrono::seconds(4));
  ASSERT_EQ(collector.finished(), Exit::done);
  const RunReport report = collector.report();
  EXPECT_EQ(report.samples.completed, 2U);
  EXPECT_EQ(report.samples.lost, 4U);
  EXPECT_EQ(report.batches.lost, 2U);
  EXPECT_FALSE(report.valid);
  EXPECT_THAT(events(), Contains(HasSubstr("no dp-route for 60 s")));
}

TEST_F(CollectorTest, ARouterThatComesBackInTimeIsWaitedFor) {
  begin(1);
  route->alive = false;
  advance(std::chrono::seconds(50));
  route = &call(Role::route, "route", our_run);
  advance(std::chrono::seconds(120));
  EXPECT_FALSE(collector.finished());
  complete(1);
  EXPECT_EQ(collector.finished(), Exit::done);
}

TEST_F(CollectorTest, ProgressCountsWhatIsCompletedSinceT0) {
  begin(4);
  EXPECT_FALSE(collector.progress(now)) << "before t0";
  announce({0, 1});
  now = t0 + std::chrono::seconds(2);
  tell(*worker, result(0));
  tell(*worker, result(1));
  const auto progress = collector.progress(now);
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->samples, 4U);
  EXPECT_EQ(progress->planned, 8U);
  EXPECT_DOUBLE_EQ(progress->rate, 4 / 2.001);  // a sample at 1000/s stands for a millisecond, also the first
}

TEST_F(CollectorTest, ProgressShowsNoHigherRateThanIsOffered) {
  begin(4);
  announce({0});
  now = t0 + std::chrono::milliseconds(1);  // two samples by then, due at 0 and 1 ms
  tell(*worker, result(0));
  EXPECT_DOUBLE_EQ(collector.progress(now)->rate, 1000);
}

}  // namespace
}  // namespace dp
