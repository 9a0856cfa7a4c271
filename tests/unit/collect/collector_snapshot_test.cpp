// A snapshot of a run: what dp-collect publishes of it, by figures worked out by hand.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "collector_rig.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct CollectorSnapshot : CollectorTest {
  Snapshot look() const { return collector.snapshot(now); }
  /// A batch that was released when due, and is collected `later` after it, computed in `busy`.
  void serve(std::uint64_t id, Caller& by, Duration later, Duration busy = ms(1), std::uint32_t attempt = 1) {
    Result r = result(id);
    r.lease.attempt = attempt;
    now = due(id) + later;
    r.worker = {now - busy, now - busy, now};
    tell(by, r);
  }
  static std::size_t row(const Snapshot& s, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(s.names, name) - s.names.begin());
  }
  static PeerPresence state(const Snapshot& s, const std::string& name) {
    return static_cast<PeerPresence>(s.states.at(row(s, name)));
  }
  void use(Caller& caller, double at_ms, double cpu_ms, std::uint64_t rss) {
    tell(caller, Usage{{epoch + ms(at_ms), ms(cpu_ms), rss, 0, rss}, "node1", {}, {}});
  }
};

TEST_F(CollectorSnapshot, SaysWhoIsMissingBeforeTheStart) {
  EXPECT_THAT(look().warnings, UnorderedElementsAre("no dp-stream yet", "no dp-route yet", "no worker yet"));
  EXPECT_EQ(look().state, RunState::waiting);
  EXPECT_EQ(look().elapsed, Duration{});
  call(Role::infer, "w0");
  EXPECT_THAT(look().warnings, UnorderedElementsAre("no dp-stream yet", "no dp-route yet"));
  EXPECT_THAT(look().names, ElementsAre("w0"));
}

TEST_F(CollectorSnapshot, CountsWhatIsUnderWay) {
  begin(4);
  announce({0, 1, 2});
  serve(0, *worker, ms(7));
  const Snapshot s = look();
  EXPECT_EQ(s.state, RunState::running);
  EXPECT_EQ(s.run, our_run);
  EXPECT_EQ(s.elapsed, ms(7));
  EXPECT_EQ(s.planned, 8U);
  EXPECT_EQ(s.announced, 6U);
  EXPECT_EQ(s.completed, 2U);
  EXPECT_EQ(s.waiting_batches, 2U);
  EXPECT_EQ(s.waiting_samples, 4U);
  EXPECT_EQ(s.whole.batches, 1U);
  EXPECT_NEAR(to_ms(s.whole.p50), 7, 0.004);
  EXPECT_EQ(s.stages.compute, ms(1));
  EXPECT_DOUBLE_EQ(s.requested, 1000);
}

TEST_F(CollectorSnapshot, ForgetsWhatIsNotRecentAnyMore) {
  begin(4);
  announce({0, 1, 2, 3});
  serve(0, *worker, ms(7));
  advance(std::chrono::milliseconds(2500));
  EXPECT_EQ(look().recent_completed, 2U);
  EXPECT_EQ(look().recent_offered, 8U);
  EXPECT_EQ(look().recent_window, ms(2507));  // all of it so far
  advance(std::chrono::seconds(10));
  const Snapshot s = look();
  EXPECT_EQ(s.recent_completed, 0U);
  EXPECT_EQ(s.recent.batches, 0U);
  EXPECT_EQ(s.recent_window, ms(5507));  // seconds 7 to 11, and what there is of second 12
  EXPECT_EQ(s.whole.batches, 1U);
}

TEST_F(CollectorSnapshot, SharesTheWorkOut) {
  begin(4);
  Caller& other = call(Role::infer, "w1");
  announce({0, 1, 2, 3});
  serve(0, *worker, ms(1), ms(1));
  serve(1, *worker, ms(2), ms(3));
  serve(2, other, ms(1), ms(2), 3);
  const Snapshot s = look();
  EXPECT_EQ(s.samples[row(s, "w0")], 4U);
  EXPECT_EQ(s.batches[row(s, "w0")], 2U);
  EXPECT_EQ(s.busy[row(s, "w0")], ms(4));
  EXPECT_EQ(s.recent_samples[row(s, "w1")], 2U);
  EXPECT_EQ(s.retried[row(s, "w1")], 1U);
  EXPECT_EQ(s.retried[row(s, "w0")], 0U);
  EXPECT_EQ(s.retries, 2U);
}

TEST_F(CollectorSnapshot, TellsLostWorkersFromThoseThatLeft) {
  begin(4);
  Caller &left = call(Role::infer, "left"), &dies = call(Role::infer, "dies");
  EXPECT_EQ(state(look(), "dies"), PeerPresence::connected);
  leave(left);
  dies.alive = false;
  advance(std::chrono::seconds(10));
  Snapshot s = look();
  EXPECT_EQ(state(s, "w0"), PeerPresence::connected);
  EXPECT_EQ(state(s, "left"), PeerPresence::left);
  EXPECT_EQ(state(s, "dies"), PeerPresence::lost);
  EXPECT_GE(s.unheard[row(s, "dies")], ms(9500));
  EXPECT_LT(s.unheard[row(s, "w0")], ms(600));
  EXPECT_THAT(s.warnings, Contains("dp-infer dies was lost"));
  call(Role::infer, "dies", our_run);
  s = look();
  EXPECT_EQ(state(s, "dies"), PeerPresence::connected);
  EXPECT_THAT(s.warnings, testing::Not(Contains(HasSubstr("was lost"))));
}

TEST_F(CollectorSnapshot, TellsProcessFiguresOfTheLastInterval) {
  begin(4);
  use(*worker, 1000, 100, 5'000'000);
  EXPECT_EQ(look().recent_span[row(look(), "w0")], Duration{});
  use(*worker, 1500, 350, 6'000'000);
  const Snapshot s = look();
  EXPECT_EQ(s.recent_cpu[row(s, "w0")], ms(250));
  EXPECT_EQ(s.recent_span[row(s, "w0")], ms(500));
  EXPECT_EQ(s.cpu[row(s, "w0")], ms(350));
  EXPECT_EQ(s.rss_bytes[row(s, "w0")], 6'000'000U);
  EXPECT_EQ(s.hosts[row(s, "w0")], "node1");
}

TEST_F(CollectorSnapshot, WarnsOfWhatWouldMakeTheRunInvalid) {
  begin(4);
  announce({0, 1});
  EXPECT_THAT(look().warnings, IsEmpty());
  tell(*route, Failed{BatchId{1}, 4, ErrorClass::permanent, "no"});
  const Snapshot s = look();
  EXPECT_EQ(s.failed, 2U);
  EXPECT_EQ(s.retries, 3U);
  EXPECT_THAT(s.warnings, Contains(AllOf(HasSubstr("every sample accounted for"), HasSubstr("2 failed"))));
}

TEST_F(CollectorSnapshot, KnowsTheStrategyAndCountsLatencies) {
  begin(4);
  tell(*route, Usage{{}, {}, {}, {"strategy", "dynamic"}});
  announce({0, 1, 2});
  serve(0, *worker, ms(2));
  serve(1, *worker, ms(20));
  serve(2, *worker, ms(21));
  const Snapshot s = look();
  EXPECT_EQ(s.strategy, "dynamic");
  const auto at = [&](double bound) {
    return s.latency_counts.at(
        static_cast<std::size_t>(std::ranges::find(s.latency_bounds, ms(bound)) - s.latency_bounds.begin()));
  };
  EXPECT_EQ(at(1), 0U);
  EXPECT_EQ(at(2.5), 1U);
  EXPECT_EQ(at(10), 1U);
  EXPECT_EQ(at(25), 3U);
  EXPECT_EQ(at(30'000), 3U);
  EXPECT_NEAR(to_ms(s.latency_sum), 43, 0.001);
}

TEST_F(CollectorSnapshot, StandsStillAtTheEnd) {
  begin(2);
  announce({0, 1});
  serve(0, *worker, ms(2));
  serve(1, *worker, ms(2));
  advance(ms(5));
  tell(*stream, Eos{2});
  advance(std::chrono::seconds(2));
  EXPECT_EQ(look().state, RunState::done);
  EXPECT_EQ(look().elapsed, ms(3));  // batch 1 was due at 1 ms
  EXPECT_EQ(look().waiting_batches, 0U);
  advance(std::chrono::seconds(20));
  const Snapshot s = look();
  EXPECT_EQ(s.recent_samples[row(s, "w0")], s.recent_completed) << "rows and sum are of the same window";
  EXPECT_EQ(s.recent_completed, 4U);
}

TEST_F(CollectorSnapshot, TellsARunThatWasStoppedFromOneThatGoesOn) {
  begin(2);
  announce({0, 1});
  collector.drain(now, out);
  advance(std::chrono::seconds(10));
  ASSERT_EQ(collector.finished(), Exit::interrupted);
  EXPECT_EQ(look().state, RunState::stopped);
}

TEST_F(CollectorSnapshot, ListsAThousandProcessesAtMost) {
  begin(1);
  for (int i = 0; i < 1200; ++i) call(Role::infer, std::to_string(i) + std::string(90, 'x'));
  const Snapshot s = look();
  EXPECT_EQ(s.names.size(), 1000U);
  EXPECT_EQ(s.unlisted, 1200U + 3 - 1000);
}

}  // namespace
}  // namespace dp
