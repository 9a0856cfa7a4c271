// dp-infer's state machine against a router and a collector in virtual time; the test plays the inference
// thread.
// SPDX-License-Identifier: MIT
#include "infer/worker.hpp"

#include <gmock/gmock.h>

#include "../support/dialling_rig.hpp"
#include "base/file.hpp"

namespace dp {
namespace {

using test::ms;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

WorkerOptions plain() {
  WorkerOptions options;
  options.name = "w0";
  options.boot_id = "this boot";
  options.host = "here";
  options.detail = "test backend";
  options.record = {"backend", "test"};
  return options;
}

Batch batch(std::uint64_t id, std::uint32_t attempt = 1) {
  static const std::vector<std::byte> pixels(8, std::byte{9});
  Batch b;
  b.lease = {Session{3}, BatchId{id}, attempt};
  b.shape = {1, 2, 2};
  b.ids = {static_cast<SampleId>(2 * id), static_cast<SampleId>(2 * id + 1)};
  b.payload = {nullptr, pixels};
  b.checksum = checksum(pixels);
  b.times.scheduled = Time{ms(5)};
  return b;
}

struct WorkerTest : testing::Test {
  explicit WorkerTest(WorkerOptions options = plain()) : rig(std::move(options), 1) {
    rig.route.welcome.data = {{1, 2, 2}, 4, PayloadMode::inline_pixels, "a data set"};
  }

  void warm() {
    rig.tick();
    rig.stage.warmed(rig.now, rig.out);
    rig.carry();
  }
  void give(std::uint64_t id, std::uint32_t attempt = 1) { rig.tell(rig.route, batch(id, attempt)); }
  void compute(Outcome outcome = {{4, 7}}) {
    const Time started = rig.now;
    rig.now += ms(5);
    rig.stage.computed(rig.now, started, rig.now, std::move(outcome), rig.out);
    rig.carry();
  }
  void acknowledge(std::vector<std::uint64_t> ids) { rig.tell(rig.collect, Ack{std::move(ids)}); }
  void interrupt() {
    rig.stage.drain(rig.now, rig.out);
    rig.carry();
  }
  /// The highest limit told so far.
  std::uint64_t limit() const {
    std::uint64_t highest = 0;
    for (const Credit& c : rig.route.all<Credit>()) highest = std::max(highest, c.limit);
    for (const Done& d : rig.route.all<Done>()) highest = std::max(highest, d.limit);
    return highest;
  }
  std::vector<std::uint64_t> computing() const {
    std::vector<std::uint64_t> ids;
    for (const Compute& c : rig.actions<Compute>()) ids.push_back(raw(c.batch.lease.batch));
    return ids;
  }
  std::vector<std::uint64_t> results() const {
    std::vector<std::uint64_t> ids;
    for (const Result& r : rig.collect.all<Result>()) ids.push_back(raw(r.lease.batch));
    return ids;
  }
  std::vector<std::uint64_t> returned() const {
    std::vector<std::uint64_t> ids;
    for (const Return& r : rig.route.all<Return>()) ids.push_back(raw(r.lease.batch));
    return ids;
  }

  test::DiallingRig<Worker> rig;
};

// ---- warming up and credit -------------------------------------------------------------------------------

TEST_F(WorkerTest, ANewRouterSessionInheritsNoCredit) {
  warm();
  for (std::uint64_t id = 0; id < 50; ++id) {
    give(id);
    compute();
  }
  rig.restart(rig.route);
  rig.route.pings.clear();
  rig.advance(ms(3000));
  ASSERT_FALSE(rig.route.pings.empty());
  for (const Ping& ping : rig.route.pings) EXPECT_LE(ping.limit, 2U);
}

TEST_F(WorkerTest, AWrongNumberOfPredictionsIsADataErrorAndNoResult) {
  warm();
  give(0);
  compute({{4}});
  ASSERT_EQ(rig.route.all<Done>().size(), 1U);
  EXPECT_EQ(rig.route.all<Done>()[0].error, ErrorClass::data);
  EXPECT_TRUE(results().empty());
}

TEST_F(WorkerTest, WarmsUpOnTheShapeTheRouterTells) {
  rig.tick();
  const auto asked = rig.actions<WarmUp>();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].data.shape, (Shape{1, 2, 2}));
  EXPECT_EQ(asked[0].data.max_batch, 4U);
}

TEST_F(WorkerTest, AsksForNoCreditBeforeItIsWarm) {
  rig.advance(std::chrono::seconds(10));
  EXPECT_EQ(rig.route.count<Credit>(), 0U);
  for (const Ping& ping : rig.route.pings) EXPECT_EQ(ping.limit, 0U);
  rig.stage.warmed(rig.now, rig.out);
  rig.carry();
  EXPECT_EQ(limit(), 2U);
}

TEST_F(WorkerTest, AnUnaskedBatchBeforeItIsWarmOpensNoCredit) {
  rig.tick();
  Batch spoilt = batch(0);
  ++spoilt.checksum;
  rig.tell(rig.route, spoilt);
  EXPECT_EQ(rig.route.all<Done>().at(0).limit, 0U);
}

TEST_F(WorkerTest, WarmsUpOnceThoughTheRouterRestartsMeanwhile) {
  rig.tick();
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  EXPECT_EQ(rig.actions<WarmUp>().size(), 1U);
  rig.stage.warmed(rig.now, rig.out);
  rig.carry();
  EXPECT_EQ(limit(), 2U);
}

TEST_F(WorkerTest, TheLimitIsWhatCameIsGonePlusTheWindow) {
  warm();
  give(0);
  give(1);
  EXPECT_EQ(limit(), 2U) << "the window is full";
  for (std::uint64_t done = 1; done <= 4; ++done) {
    compute();
    EXPECT_EQ(rig.route.all<Done>().back().limit, 2 + done);
    give(done + 1);
  }
}

TEST_F(WorkerTest, HeartbeatsRepeatTheLimitAndNameWhatItHolds) {
  warm();
  give(0);
  give(1);
  rig.advance(std::chrono::seconds(1));
  EXPECT_EQ(rig.route.pings.back().limit, 2U);
  EXPECT_THAT(rig.route.pings.back().held, ElementsAre(0, 1));
}

TEST_F(WorkerTest, ANewRouterSessionCountsCreditFromZeroLessWhatItHolds) {
  warm();
  for (std::uint64_t id = 0; id < 3; ++id) {
    give(id);
    compute();
  }
  give(3);
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  EXPECT_EQ(limit(), 1U);
  EXPECT_THAT(rig.route.hellos.back().held, ElementsAre(3));
}

struct Capped : WorkerTest {
  static WorkerOptions options() {
    WorkerOptions o = plain();
    o.unacked_cap = 2;
    return o;
  }
  Capped() : WorkerTest(options()) {}
};

TEST_F(Capped, UnacknowledgedResultsStopCreditAndAnAckOpensItAgain) {
  warm();
  give(0);
  compute();
  EXPECT_EQ(limit(), 3U);
  give(1);
  compute();
  EXPECT_EQ(limit(), 3U) << "two results are not in the ledger";
  acknowledge({0});
  EXPECT_EQ(rig.route.all<Credit>().back().limit, 4U);
}

// ---- computing -------------------------------------------------------------------------------------------

TEST_F(WorkerTest, ComputesOneAtATimeInOrder) {
  warm();
  give(0);
  give(1);
  EXPECT_THAT(computing(), ElementsAre(0));
  compute();
  EXPECT_THAT(computing(), ElementsAre(0, 1));
}

struct Ahead : WorkerTest {
  static WorkerOptions options() {
    WorkerOptions o = plain();
    o.credit = 8;
    o.ahead = 3;
    return o;
  }
  Ahead() : WorkerTest(options()) {}
};

TEST_F(Ahead, KeepsThatManyWithTheInferenceThreadAndTheRestInHand) {
  warm();
  for (std::uint64_t id = 0; id < 6; ++id) give(id);
  EXPECT_THAT(computing(), ElementsAre(0, 1, 2));
  compute();
  EXPECT_THAT(computing(), ElementsAre(0, 1, 2, 3));
  interrupt();
  EXPECT_THAT(returned(), ElementsAre(4, 5));
}

TEST_F(WorkerTest, TheResultCarriesLeaseTimesAndPredictions) {
  warm();
  const Time received = rig.now;
  give(5, 3);
  compute({{1, 2}});
  const auto all = rig.collect.all<Result>();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].run, test::run_id);
  EXPECT_EQ(all[0].lease, (Lease{Session{3}, BatchId{5}, 3}));
  EXPECT_EQ(all[0].outbound.scheduled, Time{ms(5)});
  EXPECT_EQ(all[0].worker.received, received);
  EXPECT_EQ(all[0].worker.started, received);
  EXPECT_EQ(all[0].worker.done, received + ms(5));
  EXPECT_THAT(all[0].predictions, ElementsAre(1, 2));
}

TEST_F(WorkerTest, DoneTellsServiceTimeAndSamples) {
  warm();
  give(0);
  compute();
  const Done done = rig.route.all<Done>().at(0);
  EXPECT_EQ(done.service, ms(5));
  EXPECT_EQ(done.samples, 2U);
  EXPECT_EQ(done.error, ErrorClass::none);
}

TEST_F(WorkerTest, AnErrorGoesToTheRouterWithItsClassAndThereIsNoResult) {
  for (const ErrorClass error :
       {ErrorClass::transient, ErrorClass::resource, ErrorClass::data, ErrorClass::permanent}) {
    WorkerOptions options = plain();
    test::DiallingRig<Worker> rig(options, 1);
    rig.tick();
    rig.stage.warmed(rig.now, rig.out);
    rig.carry();
    rig.tell(rig.route, batch(0));
    rig.stage.computed(rig.now, rig.now, rig.now, {{}, error, std::string(5000, 'x')}, rig.out);
    rig.carry();
    const Done done = rig.route.all<Done>().at(0);
    EXPECT_EQ(done.error, error);
    EXPECT_LE(done.message.size(), 512U) << "the header has a limit";
    EXPECT_EQ(done.limit, 3U);
    EXPECT_EQ(rig.collect.count<Result>(), 0U);
  }
}

TEST_F(WorkerTest, APayloadThatDoesNotMatchItsChecksumIsADataErrorAndNotComputed) {
  warm();
  Batch spoilt = batch(0);
  ++spoilt.checksum;
  rig.tell(rig.route, spoilt);
  const Done done = rig.route.all<Done>().at(0);
  EXPECT_EQ(done.error, ErrorClass::data);
  EXPECT_THAT(done.message, HasSubstr("checksum"));
  EXPECT_EQ(done.limit, 3U) << "its place is free";
  EXPECT_THAT(computing(), IsEmpty());
}

TEST_F(WorkerTest, ABatchByReferenceHasNoPayloadToCheck) {
  warm();
  Batch reference = batch(0);
  reference.mode = PayloadMode::reference;
  reference.payload = {};
  reference.checksum = 0;
  rig.tell(rig.route, reference);
  EXPECT_THAT(computing(), ElementsAre(0));
}

// ---- keeping results until they are in the ledger --------------------------------------------------------

TEST_F(WorkerTest, AResultIsRepeatedByAgeUntilItIsAcknowledged) {
  warm();
  give(0);
  compute();
  rig.advance(std::chrono::seconds(2));
  EXPECT_THAT(results(), ElementsAre(0)) << "three heartbeats have not passed";
  rig.advance(std::chrono::seconds(2));
  EXPECT_THAT(results(), ElementsAre(0, 0));
  acknowledge({0});
  rig.advance(std::chrono::seconds(20));
  EXPECT_THAT(results(), ElementsAre(0, 0));
}

TEST_F(WorkerTest, ANewCollectorSessionGetsWhatIsNotAcknowledged) {
  warm();
  for (std::uint64_t id = 0; id < 3; ++id) {
    give(id);
    compute();
  }
  acknowledge({1});
  rig.restart(rig.collect);
  rig.advance(std::chrono::seconds(2));
  EXPECT_THAT(results(), ElementsAre(0, 2));
  EXPECT_THAT(rig.collect.hellos.back().unacked, ElementsAre(0, 2));
}

TEST_F(WorkerTest, AResultComputedBeforeTheCollectorWasReachedBelongsToItsRun) {
  rig.collect.answers = false;
  warm();
  give(0);
  compute();
  rig.collect.answers = true;
  rig.advance(std::chrono::seconds(1));
  ASSERT_THAT(results(), ElementsAre(0));
  EXPECT_EQ(rig.collect.all<Result>()[0].run, test::run_id);
}

TEST_F(WorkerTest, HelloListsWhatItComputesFirstThenWhatWaitsAndWhatIsNotAcknowledged) {
  warm();
  give(9);
  compute();
  give(4);
  give(2);
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  const Hello hello = rig.route.hellos.back();
  EXPECT_THAT(hello.held, ElementsAre(4, 2));
  EXPECT_THAT(hello.unacked, ElementsAre(9));
  EXPECT_EQ(hello.run, test::run_id);
}

// ---- duplicates ------------------------------------------------------------------------------------------

TEST_F(WorkerTest, ABatchItAlreadyHoldsIsComputedOnceUnderTheNewLease) {
  warm();
  give(0, 1);
  give(1, 1);
  give(0, 2);
  give(1, 5);
  EXPECT_THAT(computing(), ElementsAre(0));
  compute();
  compute();
  EXPECT_THAT(computing(), ElementsAre(0, 1));
  std::vector<std::uint32_t> attempts;
  for (const Done& d : rig.route.all<Done>()) attempts.push_back(d.lease.attempt);
  EXPECT_THAT(attempts, ElementsAre(2, 5));
  EXPECT_EQ(limit(), 4U) << "two were asked for and what came beyond does not count; the window is two";
}

TEST_F(WorkerTest, ABatchItHasDoneIsAnsweredAtOnceWithTheResultItKept) {
  warm();
  give(0, 1);
  compute();
  give(0, 2);
  EXPECT_THAT(computing(), ElementsAre(0)) << "not computed again";
  const auto all = rig.collect.all<Result>();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].lease.attempt, 2U);
  const Done done = rig.route.all<Done>().back();
  EXPECT_EQ(done.lease.attempt, 2U);
  EXPECT_EQ(done.error, ErrorClass::none);
  EXPECT_EQ(done.limit, 4U);
}

// ---- the end ---------------------------------------------------------------------------------------------

TEST_F(WorkerTest, DrainLetsItFinishAndLeave) {
  warm();
  give(0);
  rig.tell(rig.route, Drain{});
  EXPECT_FALSE(rig.stage.finished()) << "it computes";
  compute();
  EXPECT_FALSE(rig.stage.finished()) << "its result is not in the ledger";
  acknowledge({0});
  EXPECT_EQ(rig.stage.finished(), Exit::done);
  EXPECT_FALSE(rig.route.all<Bye>().at(0).interrupted);
  EXPECT_FALSE(rig.collect.all<Bye>().at(0).interrupted);
}

TEST_F(WorkerTest, DrainWhenIdleEndsItAtOnce) {
  warm();
  rig.tell(rig.route, Drain{});
  EXPECT_EQ(rig.stage.finished(), Exit::done);
}

TEST_F(WorkerTest, WhileDrainingItAsksForNothingMoreAndHandsBackWhatComes) {
  warm();
  give(0);
  rig.tell(rig.route, Drain{});
  const std::uint64_t before = limit();
  give(1, 4);
  compute();
  EXPECT_EQ(limit(), before);
  ASSERT_THAT(returned(), ElementsAre(1));
  EXPECT_EQ(rig.route.all<Return>()[0].lease.attempt, 4U);
}

TEST_F(WorkerTest, InterruptedItHandsBackWhatWaitsAndFinishesWhatItComputes) {
  warm();
  give(0);
  give(1);
  interrupt();
  EXPECT_THAT(returned(), ElementsAre(1));
  EXPECT_FALSE(rig.stage.finished());
  compute();
  acknowledge({0});
  EXPECT_THAT(results(), ElementsAre(0));
  EXPECT_EQ(rig.stage.finished(), Exit::interrupted);
  EXPECT_TRUE(rig.route.all<Bye>().at(0).interrupted);
}

TEST_F(WorkerTest, InterruptedWhileWarmingUpItLeavesAtOnce) {
  rig.tick();
  interrupt();
  EXPECT_EQ(rig.stage.finished(), Exit::interrupted);
}

TEST_F(WorkerTest, WithoutAcknowledgementItGivesUpInTheEnd) {
  const struct {
    bool interrupted;
    Exit exit;
  } ways[] = {{false, Exit::done}, {true, Exit::interrupted}};
  for (const auto& way : ways) {
    test::DiallingRig<Worker> rig(plain(), 1);
    rig.tick();
    rig.stage.warmed(rig.now, rig.out);
    rig.carry();
    rig.tell(rig.route, batch(0));
    rig.stage.computed(rig.now, rig.now, rig.now, {{1, 2}}, rig.out);
    rig.carry();
    if (way.interrupted) {
      rig.stage.drain(rig.now, rig.out);
    } else {
      rig.tell(rig.route, Drain{});
    }
    rig.advance(plain().give_up - Duration(1));
    EXPECT_FALSE(rig.stage.finished());
    rig.advance(Duration(1));
    EXPECT_EQ(rig.stage.finished(), way.exit);
  }
}

TEST_F(WorkerTest, WithoutARouterItGivesUpNamingIt) {
  rig.route.answers = false;
  rig.advance(std::chrono::seconds(61));
  EXPECT_EQ(rig.stage.finished(), Exit::failed);
  EXPECT_THAT(rig.stage.failure(), HasSubstr("dp-route"));
}

TEST_F(WorkerTest, AFinalRejectionEndsItWithTheReason) {
  rig.tick();
  rig.tell(rig.route, Reject{false, "wrong data set"});
  EXPECT_EQ(rig.stage.finished(), Exit::failed);
  EXPECT_EQ(rig.stage.failure(), "wrong data set");
}

TEST_F(WorkerTest, IntroducesItselfOnceInEachCollectorSession) {
  const auto hosts = [&] {
    std::vector<std::string> all;
    for (const Usage& u : rig.collect.all<Usage>()) all.push_back(u.host);
    return all;
  };
  const auto figures = [&] {
    rig.stage.usage(rig.now, {rig.now, ms(1), 1, 1, 1}, rig.out);
    rig.carry();
  };
  figures();
  rig.tick();
  figures();
  EXPECT_THAT(hosts(), ElementsAre("here", ""));
  EXPECT_THAT(rig.collect.all<Usage>()[0].options, ElementsAre("backend", "test"));
  EXPECT_EQ(rig.collect.all<Usage>()[0].usage.cpu, ms(1));
  rig.restart(rig.collect);
  rig.advance(std::chrono::seconds(2));
  EXPECT_THAT(hosts(), ElementsAre("here"));
}

}  // namespace
}  // namespace dp
