// dp-route in the quiet: credit of the workers and of the stream, queues, and how long a batch is kept.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "fake_pipeline.hpp"

namespace dp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// ---- credit of the workers -------------------------------------------------------------------------------

TEST(RouterDispatch, SendsNoBatchBeyondTheCredit) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(2);
  pipe.send(0, 10);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 2));
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(1, 3));
}

TEST(RouterDispatch, CreditSaidTwiceCountsOnce) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(2);
  pipe.send(0, 10);
  for (int i = 0; i < 5; ++i) pipe.credit(workers[0], 2);
  pipe.pass(2s);  // heartbeats say it too
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 2));
}

TEST(RouterDispatch, CreditIsNeverTakenBack) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(2);
  pipe.credit(workers[0], 1);
  pipe.send(0, 10);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 2));
  pipe.credit(workers[0], 3);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 2, 4));
}

TEST(RouterDispatch, DoneBringsCredit) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(1);
  pipe.send(0, 10);
  pipe.done(workers[0], 0, ErrorClass::none, 1);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 2));
}

TEST(RouterDispatch, AnAssignedBatchWaitsForItsWorkerWhoeverElseHasCredit) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(1);
  pipe.credit(workers[1], 100);
  pipe.send(0, 6);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0));
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(1, 3, 5));
  pipe.credit(workers[0], 3);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 2, 4));
}

TEST(RouterDispatch, DynamicKeepsBatchesTogetherUntilSomebodyHasCredit) {
  FakePipeline pipe(two_workers("dynamic"));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 6);
  EXPECT_EQ(pipe.given(workers[0]).size() + pipe.given(workers[1]).size(), 2U);
  pipe.credit(workers[1], 4);
  EXPECT_THAT(pipe.given(workers[0]), SizeIs(1));
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(testing::_, 2, 3, 4));
}

TEST(RouterDispatch, ShardedSendsAShardToOneWorker) {
  FakePipeline pipe(two_workers("sharded"));
  const auto workers = pipe.all_up(100, {10, 10});
  for (std::uint64_t id = 0; id < 6; ++id) pipe.from(pipe.stream(), FakePipeline::batch(id, id % 2));
  EXPECT_THAT((std::vector{pipe.given(workers[0]), pipe.given(workers[1])}),
              UnorderedElementsAre(ElementsAre(0, 2, 4), ElementsAre(1, 3, 5)));
}

TEST(RouterDispatch, ABatchGoesOutWithALeaseItsTimeAndTheVeryPixels) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(1);
  pipe.send(0, 1);
  const auto sent = pipe.told<Batch>(workers[0]);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_NE(sent[0].lease.router, Session{});
  EXPECT_EQ(sent[0].lease.attempt, 1U);
  EXPECT_EQ(sent[0].times.routed, pipe.now());
  EXPECT_EQ(sent[0].payload.bytes.data(), FakePipeline::batch(0).payload.bytes.data());
}

TEST(RouterDispatch, NothingGoesOutBeforeTheStart) {
  FakePipeline pipe(two_workers());
  pipe.collector_up();
  pipe.stream_up();
  const PeerId first = pipe.worker_up("w0", 10);
  pipe.send(0, 4);
  EXPECT_THAT(pipe.given(first), IsEmpty());
  const PeerId second = pipe.worker_up("w1", 10);
  EXPECT_THAT(pipe.given(first), ElementsAre(0, 2));
  EXPECT_THAT(pipe.given(second), ElementsAre(1, 3));
}

TEST(RouterDispatch, OnlyTheStreamSendsBatches) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(10);
  pipe.from(workers[0], FakePipeline::batch(0));
  EXPECT_EQ(pipe.router().buffered(), 0U);
}

// ---- who serves ------------------------------------------------------------------------------------------

TEST(RouterDispatch, AStaticStrategyLeavesExtraWorkersIdle) {
  for (const std::string strategy : {"uniform", "sharded"}) {
    FakePipeline pipe(two_workers(strategy));
    pipe.all_up(10, {10, 10});
    const PeerId extra = pipe.worker_up("extra", 10);
    for (std::uint64_t id = 0; id < 10; ++id) pipe.from(pipe.stream(), FakePipeline::batch(id, id % 2));
    EXPECT_THAT(pipe.given(extra), IsEmpty());
  }
}

TEST(RouterDispatch, DynamicUsesExtraWorkers) {
  FakePipeline pipe(two_workers("dynamic"));
  pipe.all_up(1);
  const PeerId extra = pipe.worker_up("extra", 1);
  pipe.send(0, 3);
  EXPECT_THAT(pipe.given(extra), SizeIs(1));
}

TEST(RouterDispatch, DynamicUsesAWorkerThatWarmedUpOnlyAfterTheStart) {
  FakePipeline pipe(two_workers("dynamic"));
  pipe.collector_up();
  pipe.stream_up();
  const PeerId slow = pipe.hello(FakePipeline::worker_hello("slow"));
  pipe.worker_up("w0", 1);
  pipe.worker_up("w1", 1);
  ASSERT_THAT(pipe.told<Start>(pipe.stream()), SizeIs(1));
  pipe.credit(slow, 1);
  pipe.send(0, 3);
  EXPECT_THAT(pipe.given(slow), SizeIs(1));
}

// ---- how long a batch is kept ----------------------------------------------------------------------------

TEST(RouterDispatch, ABatchIsKeptUntilCommitNotUntilDone) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(1);
  pipe.send(0, 2);
  pipe.done(workers[0], 0);
  EXPECT_EQ(pipe.router().buffered(), 2U);
  pipe.commit({0});
  EXPECT_EQ(pipe.router().buffered(), 1U);
  pipe.commit({1});  // settled before its DONE was heard
  EXPECT_EQ(pipe.router().buffered(), 0U);
  pipe.done(workers[1], 1);
  EXPECT_EQ(pipe.router().buffered(), 0U);
}

TEST(RouterDispatch, ABatchSettledWhileItWaitsIsNotSent) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(1);
  pipe.send(0, 6);
  pipe.commit({2});
  pipe.credit(workers[0], 10);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 4));
}

TEST(RouterDispatch, ABatchSentTwiceIsServedOnce) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(10);
  pipe.send(0, 2);
  pipe.send(0, 2);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0));
  EXPECT_EQ(pipe.router().buffered(), 2U);
  pipe.commit({0, 1});
  pipe.send(0, 2);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0));
  EXPECT_EQ(pipe.router().buffered(), 0U);
}

// ---- credit of the stream --------------------------------------------------------------------------------

TEST(RouterDispatch, TheStreamMayFillTheBufferAndNoMore) {
  RouterOptions options = two_workers();
  options.buffer = 4;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(10);
  EXPECT_EQ(pipe.stream_limit(), 4U);
  pipe.send(0, 4);
  pipe.done(workers[0], 0);
  pipe.done(workers[1], 1);
  EXPECT_EQ(pipe.stream_limit(), 4U);
  pipe.commit({1});
  EXPECT_EQ(pipe.stream_limit(), 5U);
  pipe.commit({0, 2, 3});
  EXPECT_EQ(pipe.stream_limit(), 8U);
}

TEST(RouterDispatch, TheBufferNeverHoldsMoreThanItsSize) {
  RouterOptions options = two_workers();
  options.buffer = 32;
  FakePipeline pipe(options);
  pipe.all_up(1'000'000);
  Rng rng(1);
  std::vector<std::uint64_t> open;
  for (std::uint64_t sent = 0, rounds = 0; rounds < 3000; ++rounds) {
    if (rng.below(2) && sent < pipe.stream_limit()) {
      const bool again = !open.empty() && rng.below(5) == 0;
      if (!again) open.push_back(sent);
      pipe.from(pipe.stream(), FakePipeline::batch(again ? open.front() : sent));
      ++sent;
    } else if (!open.empty()) {
      const auto at = static_cast<std::ptrdiff_t>(rng.below(open.size()));
      pipe.commit({open[static_cast<std::size_t>(at)]});
      open.erase(open.begin() + at);
    }
    ASSERT_LE(pipe.router().buffered() + (pipe.stream_limit() - sent), 32U);
    if (open.empty()) {
      ASSERT_EQ(pipe.stream_limit() - sent, 32U) << "an empty buffer must be open";
    }
  }
}

TEST(RouterDispatch, TheBufferIsLargerByReference) {
  const std::pair<PayloadMode, std::uint64_t> cases[] = {{PayloadMode::inline_pixels, 256},
                                                         {PayloadMode::reference, 65'536}};
  for (const auto& [mode, room] : cases) {
    FakePipeline pipe(two_workers());
    pipe.collector_up();
    const PeerId stream = pipe.hello(FakePipeline::stream_hello({}, false, mode));
    const auto credits = pipe.told<Credit>(stream);
    ASSERT_THAT(credits, SizeIs(1));
    EXPECT_EQ(credits[0].limit, room);
  }
}

TEST(RouterDispatch, ANewSessionOfTheStreamMaySendAgainWhatIsHere) {
  RouterOptions options = two_workers();
  options.buffer = 4;
  FakePipeline pipe(options);
  pipe.all_up(10);
  pipe.send(0, 3);
  pipe.kill(pipe.stream());
  pipe.pass(4s);
  pipe.stream_up({}, true);
  EXPECT_EQ(pipe.stream_limit(), 4U);
  pipe.send(0, 3);  // held already: takes no room
  EXPECT_EQ(pipe.stream_limit(), 4U);
}

TEST(RouterDispatch, AStreamWithOtherShardsOrAnImpossibleShapeIsRefused) {
  FakePipeline pipe(two_workers());
  pipe.all_up(10, {5, 6});
  const PeerId other = pipe.hello(FakePipeline::stream_hello({5, 6, 7}));
  EXPECT_EQ(pipe.told<Reject>(other).size(), 1U);
  Hello vast = FakePipeline::stream_hello({5, 6});
  vast.data.shape = {1U << 31, 1U << 31, 2};
  const PeerId huge = pipe.hello(vast);
  EXPECT_EQ(pipe.told<Reject>(huge).size(), 1U);
}

TEST(RouterDispatch, NewSessionsOfTheStreamNeverFillMoreThanTwiceTheBuffer) {
  RouterOptions options = two_workers();
  options.buffer = 4;
  FakePipeline pipe(options);
  pipe.all_up(10);
  std::uint64_t sent = 0;
  for (int session = 0; session < 4; ++session) {
    const std::uint64_t may = pipe.stream_limit();
    pipe.send(sent, sent + may);
    sent += may;
    pipe.kill(pipe.stream());
    pipe.pass(4s);
    pipe.stream_up({}, true);
  }
  EXPECT_EQ(sent, 8U);
}

// ---- what does not fit -----------------------------------------------------------------------------------

TEST(RouterDispatch, ABatchThatIsNotWhatWasAnnouncedFailsAsBadData) {
  const std::function<void(Batch&)> breaks[] = {
      [](Batch& batch) {
        batch.shape = {2, 1, 2};
      },
      [](Batch& batch) { batch.ids.resize(9); },
      [](Batch& batch) { batch.mode = PayloadMode::reference; },
      [](Batch& batch) { batch.shard = 2; },
  };
  for (const auto& break_it : breaks) {
    FakePipeline pipe(two_workers("sharded"));
    const auto workers = pipe.all_up(10, {10, 10});
    Batch batch = FakePipeline::batch(5);
    break_it(batch);
    pipe.from(pipe.stream(), batch);
    const auto failures = pipe.told_collector<Failed>();
    ASSERT_THAT(failures, SizeIs(1));
    EXPECT_EQ(failures.at(0).batch, BatchId{5});
    EXPECT_EQ(failures.at(0).error, ErrorClass::data);
    for (const PeerId worker : workers) EXPECT_THAT(pipe.given(worker), IsEmpty());
    pipe.commit({5});
    EXPECT_EQ(pipe.router().buffered(), 0U);
  }
}

// ---- the decision log ------------------------------------------------------------------------------------

std::vector<std::string> what(const FakePipeline& pipe) {
  std::vector<std::string> all;
  for (const Decision& decision : pipe.decisions()) all.emplace_back(decision.what);
  return all;
}

TEST(RouterDispatch, DecisionsAreLoggedWhenAskedFor) {
  RouterOptions options = two_workers();
  options.log_decisions = true;
  options.attempts = 1;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(1);
  pipe.send(2, 3);
  EXPECT_THAT(what(pipe), ElementsAre("assign", "dispatch"));
  const Decision dispatch = pipe.decisions().at(1);
  EXPECT_EQ(dispatch.at, pipe.now());
  EXPECT_EQ(dispatch.batch, BatchId{2});
  EXPECT_EQ(dispatch.slot, Slot{0});
  EXPECT_EQ(dispatch.worker, "w0");
  EXPECT_EQ(dispatch.attempt, 1U);
  pipe.done(workers[0], 2, ErrorClass::resource);
  EXPECT_THAT(what(pipe), ElementsAre("assign", "dispatch", "failed"));
}

TEST(RouterDispatch, ADecisionToWaitAndARetryAreLogged) {
  RouterOptions options = two_workers("dynamic");
  options.workers = 1;
  options.log_decisions = true;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(1);
  pipe.send(0, 2);
  EXPECT_THAT(what(pipe), ElementsAre("assign", "dispatch", "central"));
  pipe.done(workers[0], 0, ErrorClass::resource);
  EXPECT_EQ(what(pipe).back(), "retry");
}

TEST(RouterDispatch, DecisionsAreNotLoggedUnasked) {
  FakePipeline pipe(two_workers());
  pipe.all_up(1);
  pipe.send(0, 4);
  EXPECT_THAT(pipe.decisions(), IsEmpty());
}

}  // namespace
}  // namespace dp
