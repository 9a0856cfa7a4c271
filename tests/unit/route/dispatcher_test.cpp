// The dispatcher: queues, turns, credit, exclusion, and attempts that end in every order.
// SPDX-License-Identifier: MIT
#include "route/dispatcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time now{1000s};

/// Sends each batch where a test says, or lets it wait.
struct Told final : Strategy {
  std::optional<Slot> choose(Time, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView&) override {
    asked.push_back(raw(batch.id));
    excluded.push_back(exclude);
    const auto found = where.find(raw(batch.id));
    return found == where.end() ? usual : found->second;
  }
  void observed(Time, Slot slot, std::uint32_t samples, Duration service, Duration response) override {
    seen.push_back({slot, samples, service, response});
  }
  std::map<std::uint64_t, std::optional<Slot>> where;
  std::optional<Slot> usual;
  std::vector<std::uint64_t> asked;
  std::vector<std::optional<Slot>> excluded;
  std::vector<std::tuple<Slot, std::uint32_t, Duration, Duration>> seen;
};

struct DispatcherTest : testing::Test {
  Told* strategy = new Told;
  std::vector<DispatcherCall> calls;
  Dispatcher dispatcher{std::unique_ptr<Strategy>(strategy), [this](const DispatcherCall& call) { calls.push_back(call); }};

  void join(Slot slot, std::uint64_t credit) {
    dispatcher.join(now, slot, false);
    dispatcher.credit(now, slot, credit);
  }
  void arrive(std::uint64_t id, std::optional<Excluded> exclude = {}) {
    dispatcher.arrive(now, {BatchId{id}, 0, 10}, 0, exclude);
  }
  std::vector<std::pair<std::uint64_t, Slot>> sent() {
    std::vector<std::pair<std::uint64_t, Slot>> all;
    while (const auto ticket = dispatcher.next(now)) {
      tickets[raw(ticket->batch)] = *ticket;
      all.emplace_back(raw(ticket->batch), ticket->slot);
    }
    return all;
  }
  void finish(std::uint64_t id) { dispatcher.finish(now, tickets.at(id), AttemptEnd::served); }
  std::map<std::uint64_t, Ticket> tickets;
};

using Sent = std::pair<std::uint64_t, Slot>;

TEST_F(DispatcherTest, NobodyIsAskedWhileNobodyIsThere) {
  arrive(0);
  EXPECT_THAT(strategy->asked, IsEmpty());
  EXPECT_EQ(dispatcher.waiting(), 1U);
  strategy->usual = 0;
  join(0, 1);
  EXPECT_THAT(sent(), ElementsAre(Sent(0, 0)));
}

TEST_F(DispatcherTest, ABatchWaitsForItsWorkersCredit) {
  join(0, 1);
  join(1, 9);
  strategy->usual = 0;
  arrive(0), arrive(1);
  EXPECT_THAT(sent(), ElementsAre(Sent(0, 0)));
  EXPECT_EQ(dispatcher.view()[0].queued, 1U);
  EXPECT_EQ(dispatcher.view()[0].in_flight_samples, 10U);
  dispatcher.credit(now, 0, 1);
  EXPECT_THAT(sent(), ElementsAre(Sent(1, 0)));
}

TEST_F(DispatcherTest, WorkersTakeTurns) {
  join(0, 9), join(1, 9), join(2, 9);
  for (std::uint64_t id = 0; id < 6; ++id) strategy->where[id] = static_cast<Slot>(id / 2), arrive(id);
  EXPECT_THAT(sent(), ElementsAre(Sent(0, 0), Sent(2, 1), Sent(4, 2), Sent(1, 0), Sent(3, 1), Sent(5, 2)));
}

TEST_F(DispatcherTest, OnlyTheHeadOfTheCentralQueueIsAskedAgainAndOnlyWhenSomethingHasChanged) {
  join(0, 1);
  arrive(0), arrive(1), arrive(2);
  EXPECT_THAT(strategy->asked, ElementsAre(0, 1, 2));
  strategy->asked.clear();
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_THAT(strategy->asked, IsEmpty());
  dispatcher.credit(now, 0, 2);
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_THAT(strategy->asked, ElementsAre(0));
  strategy->where = {{0, 0}, {1, 0}};
  dispatcher.credit(now, 0, 3);
  EXPECT_THAT(sent(), ElementsAre(Sent(0, 0), Sent(1, 0)));
  EXPECT_EQ(dispatcher.waiting(), 1U);
}

TEST_F(DispatcherTest, ABatchThatWaitsBecauseOfWhereItFailedHoldsUpNobody) {
  join(0, 9), join(1, 0);
  arrive(0, Excluded{0, dispatcher.life(0)});  // waits
  arrive(1);
  strategy->where = {{1, 0}};
  dispatcher.credit(now, 0, 8);
  EXPECT_THAT(sent(), ElementsAre(Sent(1, 0)));
}

TEST_F(DispatcherTest, AWorkerIsExcludedInItsLifeAndWhileOthersAreAlive) {
  join(0, 9), join(1, 9);
  const Excluded failed_at{0, dispatcher.life(0)};
  arrive(0, failed_at);
  dispatcher.leave(now, 1, false);
  arrive(1, failed_at);  // nobody else is alive
  join(1, 9);
  dispatcher.leave(now, 0, false);
  dispatcher.join(now, 0, false);
  arrive(2, failed_at);  // a replacement
  strategy->excluded.erase(strategy->excluded.begin() + 1, strategy->excluded.end() - 1);
  EXPECT_THAT(strategy->excluded, ElementsAre(Slot{0}, std::nullopt));
  EXPECT_EQ(strategy->asked.back(), 2U);
  dispatcher.leave(now, 0, true);
  const std::uint32_t life = dispatcher.life(0);
  dispatcher.join(now, 0, true);
  EXPECT_EQ(dispatcher.life(0), life) << "the same process on a new connection";
}

TEST_F(DispatcherTest, WhenAWorkerLeavesItsQueueGoesToOthersUnlessItIsAboutToBeBack) {
  join(0, 1), join(1, 9);
  strategy->usual = 0;
  arrive(0), arrive(1), arrive(2);
  EXPECT_THAT(sent(), ElementsAre(Sent(0, 0)));
  dispatcher.leave(now, 0, true);
  EXPECT_THAT(sent(), IsEmpty());
  join(0, 1);
  EXPECT_THAT(sent(), ElementsAre(Sent(1, 0)));
  strategy->usual = 1;
  dispatcher.leave(now, 0, false);
  EXPECT_THAT(sent(), ElementsAre(Sent(2, 1)));
  EXPECT_EQ(dispatcher.view()[0].batches(), 0U);
}

TEST_F(DispatcherTest, AnAttemptEndsOnce) {
  join(0, 9), join(1, 9);
  strategy->usual = 0;
  arrive(0);
  sent();
  const Ticket first = tickets[0];
  EXPECT_EQ(first.attempt, 1U);
  dispatcher.finish(now, first, AttemptEnd::failed);
  dispatcher.arrive(now, {BatchId{0}, 0, 10}, first.attempt);
  sent();
  EXPECT_EQ(tickets[0].attempt, 2U);
  dispatcher.finish(now, first, AttemptEnd::lease_ran_out);  // an attempt of before
  EXPECT_EQ(dispatcher.view()[0].in_flight, 1U);
  dispatcher.leave(now, 0, false);
  EXPECT_EQ(dispatcher.view()[0].in_flight, 0U);
  join(0, 9);
  finish(0);  // its worker is gone
  EXPECT_EQ(dispatcher.view()[0].in_flight, 0U);
  EXPECT_EQ(dispatcher.view().batches(), 0U);
}

TEST_F(DispatcherTest, ABatchThatAWorkerHoldsIsAdoptedWhereverItWaited) {
  join(0, 0), join(1, 0);
  strategy->where = {{0, 0}};
  arrive(0), arrive(1);  // one in a queue, one central
  for (const std::uint64_t id : {0, 1, 2}) tickets[id] = dispatcher.adopt(now, {BatchId{id}, 0, 10}, 3, 1);
  dispatcher.credit(now, 0, 9);
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(dispatcher.waiting(), 0U);
  EXPECT_EQ(dispatcher.view()[0].queued, 0U);
  EXPECT_EQ(dispatcher.view()[1].in_flight, 3U);
  EXPECT_EQ(dispatcher.view()[1].credit, 0U) << "it was not sent, so it cost nothing";
  for (const std::uint64_t id : {0, 1, 2}) finish(id);
  EXPECT_EQ(dispatcher.view().batches(), 0U);
}

TEST_F(DispatcherTest, AWithdrawnBatchIsNotSent) {
  join(0, 0);
  strategy->where = {{1, 0}};
  arrive(0), arrive(1), arrive(2);
  dispatcher.withdraw(now, BatchId{0});
  dispatcher.withdraw(now, BatchId{1});
  dispatcher.withdraw(now, BatchId{77});
  strategy->usual = 0;
  dispatcher.credit(now, 0, 9);
  EXPECT_THAT(sent(), ElementsAre(Sent(2, 0)));
  dispatcher.withdraw(now, BatchId{2});  // is under way
  EXPECT_EQ(dispatcher.view()[0].in_flight, 1U);
}

TEST_F(DispatcherTest, WhatWasObservedIsTakenFromTheLivingOnly) {
  join(0, 1);
  dispatcher.observe(now, 0, 10, 3ms, 5ms);
  dispatcher.leave(now, 0, false);
  dispatcher.observe(now, 0, 10, 4ms, 6ms);
  EXPECT_THAT(strategy->seen, ElementsAre(std::tuple(Slot{0}, 10U, 3ms, 5ms)));
}

TEST_F(DispatcherTest, ReadyAndIdleAreKept) {
  const auto is = [&](bool ready, bool idle) {
    EXPECT_EQ(dispatcher.view().ready().contains(0), ready);
    EXPECT_EQ(dispatcher.view().idle().contains(0), idle);
  };
  strategy->usual = 0;
  join(0, 2);
  is(true, true);
  arrive(0);
  is(false, false);
  sent();
  is(true, false);
  arrive(1);
  sent();
  is(false, false);  // no credit
  finish(0), finish(1);
  is(false, false);
  dispatcher.credit(now, 0, 1);
  is(true, true);
  dispatcher.leave(now, 0, false);
  is(false, false);
}

TEST_F(DispatcherTest, AStragglerMayLieFarBehind) {
  join(0, UINT64_MAX);
  strategy->usual = 0;
  arrive(0);
  sent();
  for (std::uint64_t id = 38'000'000; id < 38'001'000; ++id) arrive(id);
  EXPECT_EQ(sent().size(), 1000U);
  finish(0);
  for (std::uint64_t id = 38'000'000; id < 38'001'000; ++id) finish(id);
  EXPECT_EQ(dispatcher.view()[0].batches(), 0U);
}

TEST_F(DispatcherTest, TellsOfItsCallsAndAnswers) {
  using Kind = DispatcherCall::Kind;
  join(0, 1);
  dispatcher.credit(now, 0, 1);  // says nothing new
  strategy->usual = 0;
  arrive(5);
  sent();
  finish(5);
  std::vector<Kind> kinds;
  for (const DispatcherCall& call : calls) kinds.push_back(call.kind);
  EXPECT_THAT(kinds, ElementsAre(Kind::join, Kind::credit, Kind::arrive, Kind::answer, Kind::next, Kind::sent, Kind::next, Kind::finish));
  EXPECT_EQ(calls[3].slot, Slot{0});
  EXPECT_EQ(calls[5].ticket, tickets[5]);
}

}  // namespace
}  // namespace dp
