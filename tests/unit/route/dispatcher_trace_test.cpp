// Traces: what was recorded is replayed exactly, whatever the strategy; and what is no trace is refused.
// SPDX-License-Identifier: MIT
#include "route/dispatcher_trace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.hpp"
#include "route/dispatcher.hpp"
#include "route/replay.hpp"

namespace dp {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// A dispatcher's life among workers that come and go, recorded.
std::string recorded(const std::string& strategy, std::uint64_t seed, std::uint64_t batches = 300) {
  const StrategySetup setup{3, std::vector<std::uint64_t>(8, 5), seed};
  std::string file;
  TraceWriter writer(strategy, setup, [&](std::string block) { file += block; });
  Dispatcher dispatcher(make_strategy(strategy, setup), [&](const DispatcherCall& call) { writer.add(call); });
  Rng rng(seed);
  Time now{1000s};
  std::map<Slot, bool> live;
  std::vector<Ticket> tickets;
  for (std::uint64_t id = 0; id < batches; now += Duration(rng.below(1'000'000))) {
    const auto slot = static_cast<Slot>(rng.below(3));
    if (!live[slot] || rng.below(40) == 0) {
      if (std::exchange(live[slot], !live[slot])) dispatcher.leave(now, slot, rng.below(2));
      else dispatcher.join(now, slot, rng.below(2));
      std::erase_if(tickets, [&](const Ticket& ticket) { return !live[ticket.slot]; });
    }
    if (live[slot] && rng.below(3) == 0) dispatcher.credit(now, slot, rng.below(5));
    if (rng.below(2)) {
      const BatchMeta batch{BatchId{id}, static_cast<ShardId>(id % 8), static_cast<std::uint32_t>(1 + rng.below(64))};
      if (live[slot] && rng.below(10) == 0) tickets.push_back(dispatcher.adopt(now, batch, 2, slot));
      else if (rng.below(10) == 0) dispatcher.arrive(now, batch, 1, Excluded{slot, dispatcher.life(slot)});
      else dispatcher.arrive(now, batch, 0);
      ++id;
    }
    if (rng.below(20) == 0) dispatcher.withdraw(now, BatchId{rng.below(id + 1)});
    while (const auto ticket = dispatcher.next(now)) tickets.push_back(*ticket);
    if (!tickets.empty() && rng.below(2)) {
      dispatcher.observe(now, tickets.front().slot, 8, Duration(1 + rng.below(9'000'000)), 10ms);
      dispatcher.finish(now, tickets.front(), rng.below(4) ? AttemptEnd::served : AttemptEnd::failed);
      tickets.erase(tickets.begin());
    }
    if (rng.below(100) == 0) writer.flush();
  }
  writer.flush();
  return file;
}

ReplayedTrace replayed(const std::string& file) {
  TraceReader trace("t", bytes_of(file));
  return replay(trace);
}
std::string problem_with(const std::string& file) {
  try {
    replayed(file);
    return "";
  } catch (const Error& problem) {
    return problem.what();
  }
}

TEST(DispatcherTrace, IsReplayedExactlyWithTheStrategyThatRan) {
  for (const StrategyKind& kind : strategy_kinds()) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const std::string file = recorded(std::string(kind.name), seed);
      const ReplayedTrace result = replayed(file);
      EXPECT_GE(result.decisions, 200U) << kind.name;
      EXPECT_EQ(result.same, result.decisions);
      EXPECT_GE(result.batches_sent, 20U) << kind.name;
    }
  }
}

TEST(DispatcherTrace, AnotherStrategyIsAskedAboutTheSameDecisions) {
  const std::string file = recorded("p2c", 1);
  const std::uint64_t decisions = replayed(file).decisions;
  for (const StrategyKind& kind : strategy_kinds()) {
    TraceReader trace("t", bytes_of(file));
    std::uint64_t seen = 0, same = 0;
    const ReplayedTrace result =
        ask_another(trace, std::string(kind.name), [&](const DispatcherCall& made, std::optional<Slot> would) {
          ++seen;
          same += made.slot == would;
        });
    EXPECT_EQ(result.decisions, decisions) << kind.name;
    EXPECT_EQ(seen, decisions);
    EXPECT_EQ(same, result.same);
    if (kind.name == "p2c") {
      EXPECT_EQ(same, decisions) << "the same seed, the same draws";
    } else if (kind.name == "uniform") {
      EXPECT_LT(same, decisions);
    }
  }
}

TEST(DispatcherTrace, ADifferentAnswerIsFound) {
  std::string file = recorded("p2c", 1);
  const std::string other = recorded("p2c", 2);
  const std::size_t head = 12 + static_cast<unsigned char>(file[0]), other_head = 12 + static_cast<unsigned char>(other[0]);
  EXPECT_THAT(problem_with(other.substr(0, other_head) + file.substr(head)), HasSubstr("call "));
}

TEST(DispatcherTrace, ATornEndIsToldOfAndWhatStandsBeforeItIsReplayed) {
  const std::string file = recorded("dynamic", 3);
  const std::uint64_t whole = replayed(file).calls;
  std::set<std::uint64_t> calls;
  for (std::size_t cut = 100; cut < file.size(); cut += 7) {
    const std::string part = file.substr(0, cut);
    TraceReader trace("t", bytes_of(part));
    calls.insert(replay(trace).calls);
    EXPECT_LE(*calls.rbegin(), whole);
  }
  EXPECT_GT(calls.size(), 2U);
}

TEST(DispatcherTrace, AnyDamagedByteIsRefused) {
  const std::string file = recorded("jsq", 4, 60);
  for (std::size_t at = 0; at < file.size(); ++at) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    try {  // a length that is too long looks like a torn end
      TraceReader trace("t", bytes_of(damaged));
      replay(trace);
      EXPECT_GT(trace.torn(), 0U) << "byte " << at;
    } catch (const Error&) {
    }
  }
}

TEST(DispatcherTrace, WhatIsWellFormedAndMakesNoSenseIsRefused) {
  const auto with = [](const std::vector<DispatcherCall>& calls) {
    std::string file;
    TraceWriter writer("p2c", {2, {}, 1}, [&](std::string block) { file += block; });
    for (const DispatcherCall& call : calls) writer.add(call);
    writer.flush();
    return problem_with(file);
  };
  using Kind = DispatcherCall::Kind;
  EXPECT_EQ(with({}), "");
  EXPECT_THAT(with({{.kind = Kind::leave, .slot = 0}}), HasSubstr("slot 0 is named, which is not there"));
  EXPECT_THAT(with({{.kind = Kind::credit, .slot = 9}}), HasSubstr("slot 9 is named"));
  EXPECT_THAT(with({{.kind = Kind::join, .slot = 0}, {.kind = Kind::join, .slot = 0}}), HasSubstr("joins twice"));
  EXPECT_THAT(with({{.kind = Kind::join, .slot = 4'000'000'000}}), HasSubstr("beyond reason"));
  EXPECT_THAT(with({{.kind = Kind::answer, .slot = 1}}), HasSubstr("begins with an answer"));
  EXPECT_THAT(with({{.kind = Kind::join, .slot = 0}, {.kind = Kind::answer, .slot = 0}}), HasSubstr("nothing is said"));
  EXPECT_THAT(with({{.kind = Kind::observe, .slot = 7}, {.kind = Kind::finish, .ticket = {BatchId{1}, 1, 7, 7}}}), "");
  const auto asked = [](const std::vector<DispatcherCall>& calls, const std::string& strategy) {
    std::string file;
    TraceWriter writer("p2c", {2, {5, 5}, 1}, [&](std::string block) { file += block; });
    for (const DispatcherCall& call : calls) writer.add(call);
    writer.flush();
    try {
      TraceReader trace("t", bytes_of(file));
      ask_another(trace, strategy, [](const DispatcherCall&, std::optional<Slot>) {});
      return std::string();
    } catch (const Error& problem) {
      return std::string(problem.what());
    }
  };
  for (const Slot slot : {Slot{1}, Slot{900'000}, Slot{4'294'967'294}}) {
    EXPECT_THAT(asked({{.kind = Kind::join, .slot = 0}, {.kind = Kind::arrive}, {.kind = Kind::answer, .slot = slot}}, "dynamic"),
                HasSubstr("which is not there"));
  }
  EXPECT_THAT(asked({{.kind = Kind::join, .slot = 0}, {.kind = Kind::arrive, .batch = {BatchId{1}, 2, 8}}}, "sharded"),
              HasSubstr("shard 2, of 2"));
  std::vector<DispatcherCall> elastic;  // more workers than were wanted, and one of them leaves
  for (const Slot slot : {0U, 1U, 2U, 7U}) elastic.push_back({.kind = Kind::join, .slot = slot});
  for (const Slot slot : {1U, 0U, 2U}) elastic.push_back({.kind = Kind::leave, .slot = slot});
  for (const StrategyKind& kind : strategy_kinds()) EXPECT_EQ(asked(elastic, std::string(kind.name)), "") << kind.name;
  EXPECT_THAT(problem_with("no trace at all"), HasSubstr("no trace of a dispatcher"));
  EXPECT_THAT(problem_with(""), HasSubstr("no trace of a dispatcher"));
}

}  // namespace
}  // namespace dp
