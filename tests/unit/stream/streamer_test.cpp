// dp-stream's state machine against a router and a collector in virtual time.
// SPDX-License-Identifier: MIT
#include "stream/streamer.hpp"

#include <gmock/gmock.h>

#include <numeric>
#include <set>

#include "../support/dialling_rig.hpp"
#include "base/file.hpp"

namespace dp {
namespace {

using test::ms;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t plenty = 1'000'000;

std::vector<std::uint64_t> ids_of(const std::vector<Batch>& batches) {
  std::vector<std::uint64_t> ids;
  for (const Batch& batch : batches) ids.push_back(raw(batch.lease.batch));
  return ids;
}

std::vector<std::uint64_t> announced(const test::Peer& collect) {
  std::vector<std::uint64_t> ids;
  for (const Announce& a : collect.all<Announce>()) ids.insert(ids.end(), a.batches.begin(), a.batches.end());
  return ids;
}

std::vector<std::uint64_t> first(std::uint64_t n) {
  std::vector<std::uint64_t> ids(n);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

/// 20 samples in 5 batches of 4 at 1000 samples/s: sample i arrives at i ms, so batch k is due at 4k + 3 ms.
PlanOptions small_plan() {
  PlanOptions plan;
  plan.layout = "sequential";
  plan.samples = 20;
  plan.batch_size = {4, 4};
  plan.rate = 1000;
  return plan;
}

Duration due(std::uint64_t batch) { return ms(4.0 * static_cast<double>(batch) + 3); }

StreamerOptions plain() {
  StreamerOptions options;
  options.boot_id = "this boot";
  options.lead = ms(100);
  return options;
}

struct StreamerTest : testing::Test {
  explicit StreamerTest(PlanOptions p = small_plan(), StreamerOptions o = plain())
      : data(open_dataset("synthetic:1x2x2:20")), plan(p, data->size()), rig(o, plan, *data, 1) {}

  /// Links up, run stored, t0 = now + lead.
  void start() {
    rig.tick();
    rig.tell(rig.route, Start{1});
    t0 = rig.now + ms(100);
    rig.tell(rig.collect, Commit{true, BatchId{0}, {}});
  }
  void credit(std::uint64_t limit) { rig.tell(rig.route, Credit{limit}); }
  void settle(std::initializer_list<std::uint64_t> ids) {
    for (const std::uint64_t id : ids) settled.insert(BatchId{id});
    Commit commit{true, settled.watermark(), {}};
    settled.image(commit.bitmap);
    rig.tell(rig.collect, commit);
  }
  std::vector<std::uint64_t> sent() const { return ids_of(rig.route.all<Batch>()); }

  std::unique_ptr<Dataset> data;
  Plan plan;
  test::DiallingRig<Streamer> rig;
  Settled settled;
  Time t0{};
};

TEST_F(StreamerTest, IntroducesItselfWithWhatItWillSend) {
  rig.tick();
  const Hello hello = rig.route.hellos.at(0);
  EXPECT_EQ(hello.role, Role::stream);
  EXPECT_FALSE(hello.started);
  EXPECT_EQ(hello.data.shape, (Shape{1, 2, 2}));
  EXPECT_EQ(hello.data.max_batch, 4U);
  EXPECT_EQ(hello.data.dataset, data->digest());
}

TEST_F(StreamerTest, SendsAndAnnouncesNothingBeforeStart) {
  rig.tick();
  rig.tell(rig.collect, Commit{true, BatchId{0}, {}});
  credit(plenty);
  rig.advance(std::chrono::seconds(5));
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_THAT(announced(rig.collect), IsEmpty());
}

TEST_F(StreamerTest, SendsNothingBeforeTheRunIsStored) {
  rig.tick();
  rig.tell(rig.route, Start{1});
  credit(plenty);
  rig.tell(rig.collect, Commit{false, BatchId{0}, {}});
  rig.advance(std::chrono::seconds(1));
  EXPECT_THAT(sent(), IsEmpty());
  rig.tell(rig.collect, Commit{true, BatchId{0}, {}});
  EXPECT_EQ(sent(), first(5));
}

TEST_F(StreamerTest, TellsTheCollectorOfTheRunBeforeAndAtStart) {
  start();
  const auto runs = rig.collect.all<dp::Run>();
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_FALSE(runs[0].started);
  EXPECT_TRUE(runs[1].started);
  EXPECT_EQ(runs[1].t0, t0);
  EXPECT_EQ(runs[1].batches, 5U);
  EXPECT_EQ(runs[1].samples, 20U);
  EXPECT_EQ(runs[1].plan, plan.digest());
  EXPECT_EQ(runs[1].rate, 1000);
}

TEST_F(StreamerTest, SendsEachBatchWhenItIsDue) {
  start();
  credit(plenty);
  for (std::uint64_t k = 0; k < 5; ++k) {
    rig.advance(t0 + due(k) - Duration(1) - rig.now);
    EXPECT_EQ(sent(), first(k));
    rig.advance(Duration(1));
    EXPECT_EQ(sent(), first(k + 1));
  }
  for (const Batch& batch : rig.route.all<Batch>()) {
    const Time scheduled = t0 + due(raw(batch.lease.batch));
    EXPECT_EQ(batch.times.scheduled, scheduled);
    EXPECT_EQ(batch.times.released, scheduled);
    EXPECT_EQ(batch.times.sent, scheduled);
  }
}

TEST_F(StreamerTest, ReleasesOnScheduleWhileTheRouterGivesNoCredit) {
  start();
  rig.advance(std::chrono::seconds(1));
  const Time late = rig.now;
  credit(plenty);
  const auto announces = rig.collect.all<Announce>();
  ASSERT_EQ(announces.size(), 1U);
  for (std::uint64_t k = 0; k < 5; ++k) {
    EXPECT_EQ(announces[0].scheduled.at(k), t0 + due(k));
    EXPECT_EQ(announces[0].released.at(k), t0 + due(k));
  }
  for (const Batch& batch : rig.route.all<Batch>()) EXPECT_EQ(batch.times.sent, late);
}

TEST_F(StreamerTest, ALateTickShowsAsLatenessOfWhatWasDueAndNothingElse) {
  start();
  credit(plenty);
  rig.advance(t0 + due(0) - rig.now);
  rig.stall(ms(6));  // batch 1 is due after 4 ms of these
  rig.tick();
  rig.advance(std::chrono::seconds(1));
  std::vector<Duration> lateness;
  for (const Announce& a : rig.collect.all<Announce>()) {
    for (std::size_t i = 0; i < a.batches.size(); ++i) lateness.push_back(a.released[i] - a.scheduled[i]);
  }
  EXPECT_THAT(lateness, ElementsAre(ms(0), ms(2), ms(0), ms(0), ms(0)));
}

TEST_F(StreamerTest, AnnouncesArrivalsOfSamplesIdsAndLabels) {
  start();
  credit(plenty);
  rig.advance(std::chrono::seconds(1));
  std::vector<SampleId> ids;
  for (const Announce& a : rig.collect.all<Announce>()) {
    for (std::size_t i = 0; i < a.ids.size(); ++i) {
      EXPECT_EQ(a.labels[i], data->label(a.ids[i]));
      EXPECT_EQ(a.arrivals[i], t0 + ms(static_cast<double>(ids.size())));
      ids.push_back(a.ids[i]);
    }
  }
  EXPECT_EQ(ids.size(), 20U);
}

TEST_F(StreamerTest, AnnouncesEachBatchOnceHoweverOftenItIsSent) {
  start();
  credit(plenty);
  rig.advance(ms(200));
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  credit(plenty);
  ASSERT_EQ(sent(), first(5)) << "sent again";
  EXPECT_EQ(announced(rig.collect), first(5));
}

TEST_F(StreamerTest, WhateverIsSentIsAnnouncedInTheSameTurn) {
  start();
  for (std::uint64_t limit = 1; limit <= 5; ++limit) {
    credit(limit);
    rig.advance(ms(60));
    EXPECT_EQ(announced(rig.collect), sent());
  }
  EXPECT_EQ(sent(), first(5));
}

TEST_F(StreamerTest, NeverSendsMoreThanTheCumulativeCredit) {
  start();
  rig.advance(std::chrono::seconds(1));
  const struct { std::uint64_t limit, sent; } steps[] = {{2, 2}, {2, 2}, {1, 2}, {3, 3}, {0, 3}, {9, 5}};
  for (const auto& step : steps) {
    credit(step.limit);
    rig.advance(ms(1));
    EXPECT_EQ(sent().size(), step.sent) << "after a limit of " << step.limit;
  }
}

TEST_F(StreamerTest, CreditOfAnEarlierRouterSessionCountsForNothing) {
  start();
  credit(4);
  rig.advance(std::chrono::seconds(1));
  ASSERT_EQ(sent(), first(4));
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  EXPECT_THAT(sent(), IsEmpty());
  credit(2);
  EXPECT_THAT(sent(), ElementsAre(0, 1));
}

TEST_F(StreamerTest, ANewRouterSessionGetsExactlyWhatIsNotSettledInOrderThenTheRest) {
  start();
  credit(4);
  rig.advance(std::chrono::seconds(1));
  settle({0, 2});
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  EXPECT_TRUE(rig.route.hellos.back().started);
  credit(plenty);
  EXPECT_THAT(sent(), ElementsAre(1, 3, 4));
}

TEST_F(StreamerTest, WhatSettlesBeforeItIsSentAgainIsNotSentAgain) {
  start();
  credit(plenty);
  rig.advance(std::chrono::seconds(1));
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  settle({0, 1, 3, 4});
  credit(plenty);
  EXPECT_THAT(sent(), ElementsAre(2));
}

TEST_F(StreamerTest, ANewCollectorSessionHearsOfTheRunAndOfWhatIsNotSettled) {
  start();
  credit(4);
  rig.advance(std::chrono::seconds(1));
  settle({1});
  const auto before = rig.collect.all<Announce>();
  rig.restart(rig.collect);
  rig.advance(std::chrono::seconds(2));
  EXPECT_THAT(announced(rig.collect), ElementsAre(0, 2, 3));
  ASSERT_TRUE(std::holds_alternative<dp::Run>(rig.collect.got.at(0)));
  EXPECT_EQ(std::get<dp::Run>(rig.collect.got[0]).t0, t0);
  const Announce again = rig.collect.all<Announce>().at(0);
  EXPECT_EQ(again.released.at(1), t0 + due(2));
  EXPECT_EQ(again.arrivals.size(), 12U);
}

TEST_F(StreamerTest, WhatWasTakenWhileTheCollectorWasAwayIsAnnouncedWhenItIsBack) {
  start();
  credit(2);
  rig.advance(std::chrono::seconds(1));
  rig.collect.answers = false;
  rig.advance(std::chrono::seconds(5));
  credit(4);
  rig.restart(rig.collect);
  rig.collect.answers = true;
  rig.advance(std::chrono::seconds(1));
  EXPECT_EQ(announced(rig.collect), first(4));
}

TEST_F(StreamerTest, SaysEosWithTheNumberOfBatchesOnceAllAreSent) {
  start();
  credit(4);
  rig.advance(std::chrono::seconds(1));
  EXPECT_EQ(rig.collect.count<Eos>(), 0U);
  credit(5);
  ASSERT_EQ(rig.collect.count<Eos>(), 1U);
  EXPECT_EQ(rig.collect.all<Eos>()[0].batches, 5U);
  EXPECT_TRUE(std::holds_alternative<Eos>(rig.collect.got.back())) << "after the last announcement";
  rig.advance(std::chrono::seconds(3));
  EXPECT_EQ(rig.collect.count<Eos>(), 1U);
}

TEST_F(StreamerTest, RepeatsEosOnANewCollectorSession) {
  start();
  credit(plenty);
  rig.advance(std::chrono::seconds(1));
  rig.restart(rig.collect);
  rig.advance(std::chrono::seconds(2));
  ASSERT_EQ(rig.collect.count<Eos>(), 1U);
  EXPECT_EQ(rig.collect.all<Eos>()[0].batches, 5U);
}

TEST_F(StreamerTest, FinEndsItWithByeToBoth) {
  start();
  credit(plenty);
  rig.advance(std::chrono::seconds(1));
  settle({0, 1, 2, 3, 4});
  EXPECT_FALSE(rig.stage.finished());
  rig.tell(rig.collect, Fin{});
  EXPECT_EQ(rig.stage.finished(), Exit::done);
  for (const test::Peer* peer : {&rig.route, &rig.collect}) {
    ASSERT_EQ(peer->count<Bye>(), 1U);
    EXPECT_FALSE(peer->all<Bye>()[0].interrupted);
  }
}

TEST_F(StreamerTest, InterruptedItTakesNothingNewAndSaysEosWithWhatItTook) {
  start();
  credit(plenty);
  rig.advance(t0 + due(1) - rig.now);
  rig.stage.drain(rig.now, rig.out);
  rig.carry();
  ASSERT_EQ(rig.collect.count<Eos>(), 1U);
  EXPECT_EQ(rig.collect.all<Eos>()[0].batches, 2U);
  rig.advance(std::chrono::seconds(1));
  EXPECT_EQ(sent(), first(2));
  EXPECT_FALSE(rig.stage.finished()) << "two batches are under way";
  rig.tell(rig.collect, Fin{});
  EXPECT_EQ(rig.stage.finished(), Exit::interrupted);
  EXPECT_TRUE(rig.route.all<Bye>().at(0).interrupted);
}

TEST_F(StreamerTest, InterruptedItStillSendsAgainWhatANewRouterLacks) {
  start();
  credit(plenty);
  rig.advance(t0 + due(1) - rig.now);
  rig.stage.drain(rig.now, rig.out);
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  credit(plenty);
  EXPECT_EQ(sent(), first(2));
}

TEST_F(StreamerTest, InterruptedItGivesUpInTheEnd) {
  start();
  credit(plenty);
  rig.advance(ms(110));
  rig.stage.drain(rig.now, rig.out);
  rig.advance(plain().give_up - Duration(1));
  EXPECT_FALSE(rig.stage.finished());
  rig.advance(Duration(1));
  EXPECT_EQ(rig.stage.finished(), Exit::interrupted);
}

TEST_F(StreamerTest, InterruptedBeforeStartItLeavesAtOnce) {
  rig.tick();
  rig.stage.drain(rig.now, rig.out);
  EXPECT_EQ(rig.stage.finished(), Exit::interrupted);
}

TEST_F(StreamerTest, ABatchNotSettledForLongIsSentAgainWithinCredit) {
  start();
  credit(7);
  rig.advance(std::chrono::seconds(1));
  settle({0, 1, 2});
  rig.advance(plain().resend - std::chrono::seconds(2));
  ASSERT_EQ(sent().size(), 5U);
  rig.advance(std::chrono::seconds(3));
  EXPECT_THAT(sent(), ElementsAre(0, 1, 2, 3, 4, 3, 4));
  rig.advance(std::chrono::seconds(120));
  EXPECT_EQ(sent().size(), 7U) << "the credit is used up";
  EXPECT_EQ(announced(rig.collect), first(5));
}

TEST_F(StreamerTest, ACommitBeyondThePlanIsIgnored) {
  start();
  credit(plenty);
  rig.advance(std::chrono::seconds(1));
  rig.tell(rig.collect, Commit{true, BatchId{6}, {}});
  rig.tell(rig.collect, Commit{true, BatchId{UINT64_MAX}, {1}});
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  credit(plenty);
  EXPECT_EQ(sent(), first(5)) << "none of them counts as settled";
}

TEST_F(StreamerTest, ALateCommitOfLessTakesNothingBack) {
  start();
  credit(plenty);
  rig.advance(std::chrono::seconds(1));
  settle({0, 1, 2, 3});
  rig.tell(rig.collect, Commit{true, BatchId{1}, {1}});
  rig.restart(rig.route);
  rig.advance(std::chrono::seconds(2));
  credit(plenty);
  EXPECT_THAT(sent(), ElementsAre(4));
}

TEST_F(StreamerTest, SendsEverySampleOnceWithTheDataSetsBytes) {
  start();
  credit(plenty);
  rig.advance(std::chrono::seconds(1));
  std::multiset<SampleId> seen;
  for (const Batch& batch : rig.route.all<Batch>()) {
    ASSERT_EQ(batch.mode, PayloadMode::inline_pixels);
    ASSERT_EQ(batch.payload.bytes.size(), batch.ids.size() * 4);
    EXPECT_EQ(batch.checksum, checksum(batch.payload.bytes));
    for (std::size_t i = 0; i < batch.ids.size(); ++i) {
      seen.insert(batch.ids[i]);
      std::vector<std::byte> pixels(4);
      data->copy(batch.ids[i], pixels);
      EXPECT_TRUE(std::ranges::equal(batch.payload.bytes.subspan(i * 4, 4), pixels));
    }
  }
  std::multiset<SampleId> all;
  for (SampleId id = 0; id < 20; ++id) all.insert(id);
  EXPECT_EQ(seen, all);
}

TEST_F(StreamerTest, ForwardsItsResourceFigures) {
  rig.tick();
  rig.stage.usage(rig.now, {rig.now, ms(5), 1, 2, 3}, rig.out);
  rig.carry();
  EXPECT_EQ(rig.collect.all<Usage>().back().usage.cpu, ms(5));
}

TEST_F(StreamerTest, AFinalRejectionEndsItWithTheReason) {
  rig.tick();
  rig.tell(rig.collect, Reject{false, "another plan"});
  EXPECT_EQ(rig.stage.finished(), Exit::failed);
  EXPECT_EQ(rig.stage.failure(), "another plan");
}

TEST_F(StreamerTest, WithoutARouterItGivesUpNamingIt) {
  rig.route.answers = false;
  rig.advance(std::chrono::seconds(60));
  EXPECT_FALSE(rig.stage.finished());
  rig.advance(std::chrono::seconds(1));
  EXPECT_EQ(rig.stage.finished(), Exit::failed);
  EXPECT_THAT(rig.stage.failure(), HasSubstr("no dp-route answered within 60 s"));
}

TEST_F(StreamerTest, WithoutACollectorItGivesUpNamingIt) {
  rig.collect.answers = false;
  rig.advance(std::chrono::seconds(61));
  EXPECT_EQ(rig.stage.finished(), Exit::failed);
  EXPECT_THAT(rig.stage.failure(), HasSubstr("no dp-collect answered within 60 s"));
}

// ---- other kinds of load ---------------------------------------------------------------------------------

struct ByReference : StreamerTest {
  static StreamerOptions options() {
    StreamerOptions o = plain();
    o.payload = PayloadMode::reference;
    return o;
  }
  ByReference() : StreamerTest(small_plan(), options()) {}
};

TEST_F(ByReference, NoPixelsTravel) {
  start();
  credit(plenty);
  rig.advance(std::chrono::seconds(1));
  ASSERT_EQ(sent(), first(5));
  for (const Batch& batch : rig.route.all<Batch>()) {
    EXPECT_EQ(batch.mode, PayloadMode::reference);
    EXPECT_TRUE(batch.payload.bytes.empty());
    EXPECT_EQ(batch.ids.size(), 4U);
  }
}

PlanOptions at_once(std::uint64_t samples) {
  PlanOptions plan = small_plan();
  plan.rate = 0;
  plan.samples = samples;
  return plan;
}

struct AtMaximumRate : StreamerTest {
  AtMaximumRate() : StreamerTest(at_once(400)) {}
};

TEST_F(AtMaximumRate, SendsAsMuchAsTheCreditAllowsFromT0On) {
  start();
  credit(70);
  rig.advance(t0 - Duration(1) - rig.now);
  EXPECT_THAT(sent(), IsEmpty());
  rig.advance(ms(1));
  EXPECT_EQ(sent(), first(70));
  EXPECT_EQ(announced(rig.collect), first(70));
  credit(plenty);
  rig.advance(ms(1));
  EXPECT_EQ(sent(), first(100));
  EXPECT_EQ(rig.collect.all<dp::Run>().back().rate, 0);
}

TEST_F(AtMaximumRate, ABatchIsDueWhenItIsTakenAndItsSamplesArriveThen) {
  start();
  rig.advance(ms(500));
  credit(1);
  const Announce a = rig.collect.all<Announce>().at(0);
  EXPECT_EQ(a.scheduled.at(0), rig.now);
  EXPECT_EQ(a.released.at(0), rig.now);
  EXPECT_THAT(a.arrivals, IsEmpty());
}

struct ClosedLoop : StreamerTest {
  static StreamerOptions options() {
    StreamerOptions o = plain();
    o.concurrency = 3;
    return o;
  }
  ClosedLoop() : StreamerTest(at_once(40), options()) {}
};

TEST_F(ClosedLoop, KeepsKBatchesOutstanding) {
  start();
  credit(plenty);
  rig.advance(ms(100));
  EXPECT_EQ(sent(), first(3));
  settle({1});
  EXPECT_EQ(sent(), first(4));
  settle({0, 2, 3});
  EXPECT_EQ(sent(), first(7));
  settle({4, 5, 6});
  EXPECT_EQ(sent(), first(10));
  EXPECT_EQ(rig.collect.all<Eos>().at(0).batches, 10U);
  EXPECT_EQ(rig.collect.all<dp::Run>().back().concurrency, 3U);
}

TEST_F(ClosedLoop, WhatAnEarlierProcessHadSettledIsNotSentAgain) {
  start();
  settle({0, 1});
  credit(plenty);
  rig.advance(ms(100));
  EXPECT_EQ(sent(), (std::vector<std::uint64_t>{2, 3, 4}));
}

}  // namespace
}  // namespace dp
