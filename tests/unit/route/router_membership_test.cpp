// dp-route as workers come and go: places by name, spares, and workers that come back on a new connection.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fake_pipeline.hpp"

namespace dp {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// A new session of the process that `old` belongs to, on a new connection.
PeerId reconnect(FakePipeline& pipe, PeerId old, std::vector<std::uint64_t> held,
                 std::vector<std::uint64_t> unacked) {
  Hello hello = FakePipeline::worker_hello(pipe.peer(old).name);
  hello.held = std::move(held);
  hello.unacked = std::move(unacked);
  pipe.kill(old);
  return pipe.hello(std::move(hello), Session{raw(pipe.peer(old).session) + 1});
}

RouterOptions one_attempt() {
  RouterOptions options = two_workers();
  options.attempts = 1;
  return options;
}

// ---- the same process again ------------------------------------------------------------------------------

TEST(RouterMembership, AWorkerThatReconnectsKeepsWhatItHoldsAndWhatItHasDone) {
  FakePipeline pipe(one_attempt());
  const auto workers = pipe.all_up(3);
  pipe.send(0, 6);
  pipe.done(workers[0], 0);
  const PeerId again = reconnect(pipe, workers[0], {2, 4}, {0});
  pipe.credit(again, 3);
  pipe.pass(9s);
  EXPECT_THAT(pipe.given(again), IsEmpty());
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(1, 3, 5));
  EXPECT_THAT(pipe.failed(), IsEmpty());
  pipe.done(again, 2);
  pipe.commit({0, 2, 4});
  EXPECT_EQ(pipe.router().buffered(), 3U);
}

TEST(RouterMembership, WhatAReconnectedWorkerNoLongerHoldsIsServedAgainUncharged) {
  FakePipeline pipe(one_attempt());
  const auto workers = pipe.all_up(3);
  pipe.send(0, 6);
  pipe.done(workers[0], 0);
  const PeerId again = reconnect(pipe, workers[0], {2}, {});
  pipe.credit(again, 3);
  pipe.pass(9s);
  EXPECT_THAT(pipe.given(again), UnorderedElementsAre(0, 4));
  EXPECT_THAT(pipe.failed(), IsEmpty());
}

TEST(RouterMembership, WhatAReconnectedWorkerKeptIsServedElsewhereWhenItDies) {
  RouterOptions options = one_attempt();
  options.attempts = 4;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(2);
  pipe.send(0, 4);
  pipe.done(workers[0], 0);
  const PeerId again = reconnect(pipe, workers[0], {2}, {0});
  pipe.pass(2s);
  pipe.kill(again);
  pipe.credit(workers[1], 10);
  pipe.pass(12s);
  EXPECT_THAT(pipe.given(workers[1]), UnorderedElementsAre(0, 1, 2, 3));
}

TEST(RouterMembership, AReconnectedWorkerKeepsItsQueue) {
  FakePipeline pipe(one_attempt());
  const auto workers = pipe.all_up(1);
  pipe.send(0, 8);
  const PeerId again = reconnect(pipe, workers[0], {0}, {});
  pipe.credit(again, 10);
  pipe.credit(workers[1], 10);
  EXPECT_THAT(pipe.given(again), ElementsAre(2, 4, 6));
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(1, 3, 5, 7));
}

TEST(RouterMembership, CreditOfTheOldSessionIsNotCreditOfTheNewOne) {
  FakePipeline pipe(one_attempt());
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);
  const PeerId again = reconnect(pipe, workers[0], {0}, {});
  pipe.send(2, 3);
  EXPECT_THAT(pipe.given(again), IsEmpty());
}

TEST(RouterMembership, AHelloSaidTwiceChangesNothing) {
  FakePipeline pipe(one_attempt());
  const auto workers = pipe.all_up(2);
  pipe.send(0, 4);
  pipe.hello_again(workers[0], FakePipeline::worker_hello("w0"));
  pipe.pass(9s);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 2));
  EXPECT_THAT(pipe.failed(), IsEmpty());
}

// ---- another process -------------------------------------------------------------------------------------

TEST(RouterMembership, AReplacementOfTheSameNameRegainsItsPlace) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(100);
  pipe.kill(workers[0]);
  pipe.pass(5s);
  const PeerId replacement = pipe.worker_up("w0", 100);
  pipe.send(10, 14);
  EXPECT_THAT(pipe.given(replacement), ElementsAre(10, 12));
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(11, 13));
}

TEST(RouterMembership, OfTwoVacantPlacesEachReplacementRegainsItsOwn) {
  FakePipeline pipe(two_workers());
  for (const PeerId worker : pipe.all_up(100)) pipe.kill(worker);
  pipe.pass(5s);
  const PeerId w1 = pipe.worker_up("w1", 100), w0 = pipe.worker_up("w0", 100);
  pipe.send(10, 14);
  EXPECT_THAT(pipe.given(w0), ElementsAre(10, 12));
  EXPECT_THAT(pipe.given(w1), ElementsAre(11, 13));
}

TEST(RouterMembership, AWorkerOfAnotherNameTakesAVacantPlace) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(100);
  pipe.kill(workers[0]);
  pipe.pass(5s);
  const PeerId other = pipe.worker_up("other", 100);
  pipe.send(10, 14);
  EXPECT_THAT(pipe.given(other), ElementsAre(10, 12));
}

TEST(RouterMembership, BatchesWaitWhileNobodyIsThere) {
  FakePipeline pipe(two_workers());
  for (const PeerId worker : pipe.all_up(0)) pipe.kill(worker);
  pipe.send(0, 4);
  pipe.pass(5s);
  const PeerId w0 = pipe.worker_up("w0", 100);
  EXPECT_THAT(pipe.given(w0), UnorderedElementsAre(0, 1, 2, 3));
}

// ---- spares ----------------------------------------------------------------------------------------------

TEST(RouterMembership, ASpareTakesADeadWorkersPlaceAndItsQueue) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(0);
  const PeerId spare = pipe.worker_up("spare", 100);
  pipe.send(0, 4);
  EXPECT_THAT(pipe.given(spare), IsEmpty());
  pipe.kill(workers[0]);
  pipe.pass(5s);
  EXPECT_THAT(pipe.given(spare), ElementsAre(0, 2));
  EXPECT_THAT(pipe.notices(), Contains(HasSubstr("spare worker spare takes the place of w0")));
  pipe.send(4, 8);
  EXPECT_THAT(pipe.given(spare), ElementsAre(0, 2, 4, 6));
}

TEST(RouterMembership, DebugTellsOfPlacesSparesLossesAndBackOffsAndInfoDoesNot) {
  for (const bool debug : {true, false}) {
    FakePipeline pipe(two_workers());
    if (debug) pipe.show_debug();
    const auto workers = pipe.all_up(100);
    pipe.worker_up("spare", 100);
    pipe.send(0, 4);
    const auto told = [&](const char* what) {
      const auto says = [&](const std::string& notice) { return notice.find(what) != notice.npos; };
      EXPECT_EQ(std::ranges::any_of(pipe.notices(), says), debug) << what;
    };
    told("dp-infer w0 joined: session ");
    told("worker w1 is warm");
    told("worker w1 has place 1");
    told("worker spare is a spare");
    EXPECT_LT(pipe.notices().size(), 20U) << "none of every batch";
    pipe.kill(workers[0]);
    pipe.pass(5s);
    told("worker spare has place 0");
    told("ms: worker lost (1 of 4 attempts charged)");
    EXPECT_THAT(pipe.notices(), Contains(HasSubstr("worker w0 was lost")));
  }
}

TEST(RouterMembership, ASpareThatWarmsUpAfterTheDeathTakesThePlaceThen) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(100);
  const PeerId spare = pipe.hello(FakePipeline::worker_hello("spare"));
  pipe.kill(workers[0]);
  pipe.pass(5s);
  pipe.credit(spare, 100);
  pipe.send(0, 4);
  EXPECT_THAT(pipe.given(spare), ElementsAre(0, 2));
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(1, 3));
}

TEST(RouterMembership, TheNameOfADeadWorkerWhosePlaceIsTakenBecomesASpare) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(100);
  const PeerId spare = pipe.worker_up("spare", 100);
  pipe.kill(workers[0]);
  pipe.pass(5s);
  const PeerId late = pipe.worker_up("w0", 100);
  pipe.send(0, 4);
  EXPECT_THAT(pipe.given(spare), ElementsAre(0, 2));
  EXPECT_THAT(pipe.given(late), IsEmpty());
}

// ---- what moves ------------------------------------------------------------------------------------------

TEST(RouterMembership, WhenAWorkerDiesOnlyItsQueueMoves) {
  RouterOptions options = two_workers();
  options.workers = 3;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(1);
  pipe.send(0, 12);
  pipe.kill(workers[0]);
  pipe.pass(9s);
  pipe.credit(workers[1], 4);
  pipe.credit(workers[2], 4);
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(1, 4, 7, 10));
  EXPECT_THAT(pipe.given(workers[2]), ElementsAre(2, 5, 8, 11));
  pipe.credit(workers[1], 100);
  pipe.credit(workers[2], 100);
  auto moved = pipe.given(workers[1]);
  const auto others = pipe.given(workers[2]);
  moved.erase(moved.begin(), moved.begin() + 4);
  moved.insert(moved.end(), others.begin() + 4, others.end());
  EXPECT_THAT(moved, UnorderedElementsAre(0, 3, 6, 9));
}

TEST(RouterMembership, ADeadWorkersShardsMoveToTheSurvivor) {
  FakePipeline pipe(two_workers("sharded"));
  const auto workers = pipe.all_up(100, {10, 10});
  pipe.kill(workers[0]);
  pipe.pass(5s);
  for (std::uint64_t id = 0; id < 4; ++id) pipe.from(pipe.stream(), FakePipeline::batch(id, id % 2));
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(0, 1, 2, 3));
}

}  // namespace
}  // namespace dp
