// dp-route killed and started again in the middle of a run: the stream re-sends, the workers say what they
// hold.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_pipeline.hpp"

namespace dp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A router in the middle of a run is replaced by a new one, which has reached the collector.
struct Restarted : FakePipeline {
  explicit Restarted(RouterOptions options = two_workers()) : FakePipeline(std::move(options)) {
    all_up(2);
    send(0, 4);
    restart();
    collector_up();
  }
  PeerId back(const std::string& name, std::vector<std::uint64_t> held, std::vector<std::uint64_t> unacked,
              std::uint64_t limit) {
    Hello hello = worker_hello(name);
    hello.held = std::move(held);
    hello.unacked = std::move(unacked);
    const PeerId id = this->hello(std::move(hello));
    credit(id, limit);
    return id;
  }
};

TEST(RouterRestart, AdoptsWhatTheWorkersHoldWhenTheStreamResendsFirst) {
  Restarted pipe;
  const PeerId stream = pipe.stream_up({}, true);
  pipe.send(0, 6);
  const PeerId w0 = pipe.back("w0", {0}, {2}, 5), w1 = pipe.back("w1", {3}, {1}, 5);
  EXPECT_THAT(pipe.told<Start>(stream), SizeIs(1));
  EXPECT_THAT(pipe.given(w0), ElementsAre(4));
  EXPECT_THAT(pipe.given(w1), ElementsAre(5));
}

TEST(RouterRestart, AdoptsWhatTheWorkersHoldWhenTheyComeBackFirst) {
  Restarted pipe;
  pipe.stream_up({}, true);
  const PeerId w0 = pipe.back("w0", {0}, {2}, 5), w1 = pipe.back("w1", {3}, {1}, 5);
  pipe.send(0, 6);
  EXPECT_THAT(pipe.given(w0), ElementsAre(4));
  EXPECT_THAT(pipe.given(w1), ElementsAre(5));
}

TEST(RouterRestart, AnAdoptedBatchIsServedElsewhereWhenItsWorkerDies) {
  Restarted pipe;
  pipe.stream_up({}, true);
  const PeerId w0 = pipe.back("w0", {0}, {2}, 5), w1 = pipe.back("w1", {}, {}, 5);
  pipe.send(0, 3);
  ASSERT_THAT(pipe.given(w1), ElementsAre(1));
  pipe.kill(w0);
  pipe.pass(12s);
  EXPECT_THAT(pipe.given(w1), testing::UnorderedElementsAre(1, 0, 2));
}

TEST(RouterRestart, TheDoneOfAnAdoptedBatchCounts) {
  RouterOptions options = two_workers();
  options.attempts = 1;
  Restarted pipe(options);
  pipe.stream_up({}, true);
  const PeerId w0 = pipe.back("w0", {0}, {}, 5), w1 = pipe.back("w1", {}, {}, 5);
  pipe.send(0, 1);
  pipe.done(w0, 0);
  pipe.kill(w0);
  pipe.pass(9s);
  EXPECT_THAT(pipe.failed(), IsEmpty());  // had it still been computing, this would have been charged to it
  EXPECT_THAT(pipe.given(w1), ElementsAre(0));
}

TEST(RouterRestart, AnAdoptedLeaseRunsOutToo) {
  Restarted pipe;
  pipe.stream_up({}, true);
  const PeerId w0 = pipe.back("w0", {0}, {}, 5), w1 = pipe.back("w1", {}, {}, 5);
  pipe.send(0, 1);
  pipe.peer(w0).held.clear();
  pipe.pass(20s);
  EXPECT_THAT(pipe.given(w1), ElementsAre(0));
}

TEST(RouterRestart, WhatIsSettledIsNotServedAgain) {
  Restarted pipe;
  pipe.commit({0, 1, 3});
  pipe.stream_up({}, true);
  const PeerId w0 = pipe.back("w0", {}, {}, 5), w1 = pipe.back("w1", {}, {}, 5);
  pipe.send(0, 4);
  EXPECT_THAT(pipe.given(w0), ElementsAre(2));
  EXPECT_THAT(pipe.given(w1), IsEmpty());
  EXPECT_EQ(pipe.router().buffered(), 1U);
}

TEST(RouterRestart, GoesOnWithoutAMissingWorkerAfterTheGracePeriod) {
  Restarted pipe;
  const PeerId stream = pipe.stream_up({}, true);
  const PeerId w0 = pipe.back("w0", {0}, {}, 5);
  pipe.send(0, 4);
  pipe.pass(2s);
  EXPECT_THAT(pipe.told<Start>(stream), IsEmpty());
  EXPECT_THAT(pipe.given(w0), IsEmpty());
  pipe.pass(2s);
  EXPECT_THAT(pipe.told<Start>(stream), SizeIs(1));
  EXPECT_THAT(pipe.given(w0), testing::UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(pipe.notices(), Contains(HasSubstr("restarted")));
}

TEST(RouterRestart, ANewRunHasNoGracePeriod) {
  FakePipeline pipe(two_workers());
  pipe.collector_up();
  pipe.stream_up();
  pipe.worker_up("w0", 5);
  pipe.pass(30s);
  EXPECT_THAT(pipe.told<Start>(pipe.stream()), IsEmpty());
}

TEST(RouterRestart, AWorkerThatComesBackLateKeepsWhatNobodyElseHasGot) {
  Restarted pipe;
  pipe.stream_up({}, true);
  const PeerId w0 = pipe.back("w0", {}, {}, 2);
  pipe.send(0, 4);
  pipe.pass(4s);
  const auto served = pipe.given(w0);
  ASSERT_THAT(served, SizeIs(2));
  std::vector<std::uint64_t> waiting;
  for (std::uint64_t id = 0; id < 4; ++id) {
    if (std::ranges::find(served, id) == served.end()) waiting.push_back(id);
  }
  const PeerId w1 = pipe.back("w1", {0, 1, 2, 3}, {}, 5);
  pipe.credit(w0, 100);
  EXPECT_THAT(pipe.given(w0), SizeIs(2));
  EXPECT_THAT(pipe.given(w1), IsEmpty());
  pipe.commit(waiting);
  EXPECT_EQ(pipe.router().buffered(), 2U);
}

TEST(RouterRestart, PeersOfTheOldRouterAreToldToSayHelloAgain) {
  FakePipeline pipe(two_workers());
  Outbox out;
  Envelope stale{Session{0x77'0000'0001}, Session{0x66'0000'0001}, Credit{5}};
  pipe.router().receive(pipe.now(), PeerId{99}, std::move(stale), out);
  ASSERT_THAT(out.actions(), SizeIs(1));
  const Send& send = std::get<Send>(out.actions()[0]);
  EXPECT_EQ(send.to, PeerId{99});
  EXPECT_TRUE(std::get<Reject>(send.envelope.body).hello_again);
}

}  // namespace
}  // namespace dp
