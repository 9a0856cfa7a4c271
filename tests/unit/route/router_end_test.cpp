// How dp-route ends: the goodbyes, the report, and what it does not wait for.
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

TEST(RouterEnd, FinSendsTheReportDrainsTheWorkersAndWaitsForTheirGoodbyes) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(1);
  pipe.collect(Fin{});
  for (const PeerId worker : workers) EXPECT_THAT(pipe.told<Drain>(worker), SizeIs(1));
  EXPECT_THAT(pipe.told_collector<Report>(), SizeIs(1));
  pipe.from(workers[0], Bye{});
  EXPECT_EQ(pipe.router().finished(), std::nullopt);
  EXPECT_THAT(pipe.told_collector<Bye>(), IsEmpty());
  pipe.from(workers[1], Bye{});
  EXPECT_EQ(pipe.router().finished(), Exit::done);
  const auto bye = pipe.told_collector<Bye>();
  ASSERT_THAT(bye, SizeIs(1));
  EXPECT_FALSE(bye[0].interrupted);
}

TEST(RouterEnd, AFinSaidTwiceIsOneEndButReportedTwice) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(1);
  pipe.collect(Fin{});
  pipe.collect(Fin{});
  EXPECT_THAT(pipe.told<Drain>(workers[0]), SizeIs(1));
  EXPECT_THAT(pipe.told_collector<Report>(), SizeIs(2));  // the first may have been lost with its link
}

TEST(RouterEnd, WaitsForGoodbyesOnlySoLong) {
  FakePipeline pipe(two_workers());
  pipe.all_up(1);
  pipe.collect(Fin{});
  pipe.pass(4s);
  EXPECT_EQ(pipe.router().finished(), std::nullopt);
  pipe.pass(2s);
  EXPECT_EQ(pipe.router().finished(), Exit::done);
}

TEST(RouterEnd, WithoutWorkersItEndsAtOnce) {
  FakePipeline pipe(two_workers());
  pipe.collector_up();
  pipe.collect(Fin{});
  EXPECT_EQ(pipe.router().finished(), Exit::done);
}

TEST(RouterEnd, ADeadWorkerIsNotWaitedFor) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(1);
  pipe.kill(workers[0]);
  pipe.pass(2s);
  pipe.collect(Fin{});
  pipe.from(workers[1], Bye{});
  pipe.pass(2s);
  EXPECT_EQ(pipe.router().finished(), Exit::done);
}

TEST(RouterEnd, NothingIsSentOutAfterFin) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(0);
  pipe.send(0, 4);
  pipe.collect(Fin{});
  pipe.credit(workers[0], 10);
  EXPECT_THAT(pipe.given(workers[0]), IsEmpty());
}

TEST(RouterEnd, WhoComesAfterTheEndIsToldSo) {
  FakePipeline pipe(two_workers());
  pipe.all_up(1);
  pipe.collect(Fin{});
  EXPECT_THAT(pipe.told<Drain>(pipe.hello(FakePipeline::worker_hello("late"))), SizeIs(1));
  pipe.kill(pipe.stream());
  pipe.pass(4s);
  EXPECT_THAT(pipe.told<Fin>(pipe.hello(FakePipeline::stream_hello({}, true))), SizeIs(1));
}

TEST(RouterEnd, AWorkerThatReconnectsAtTheEndIsWaitedForOnce) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(1);
  pipe.collect(Fin{});
  pipe.from(workers[1], Bye{});
  const PeerId again =
      pipe.hello(FakePipeline::worker_hello("w0"), Session{raw(pipe.peer(workers[0]).session) + 1});
  pipe.from(again, Bye{});
  EXPECT_EQ(pipe.router().finished(), Exit::done);
}

TEST(RouterEnd, TheReportSaysWhatWasDone) {
  RouterOptions options = two_workers("sharded");
  options.record = {"strategy", "sharded"};
  options.seed = 3;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(10, {30, 20, 10});
  for (std::uint64_t id = 0; id < 6; ++id) pipe.from(pipe.stream(), FakePipeline::batch(id, id % 3));
  pipe.kill(workers[0]);
  pipe.pass(5s);
  pipe.collect(Fin{});
  const auto reports = pipe.told_collector<Report>();
  ASSERT_THAT(reports, SizeIs(1));
  const Report& report = reports[0];
  EXPECT_EQ(report.strategy, "sharded");
  EXPECT_EQ(report.options, options.record);
  EXPECT_THAT(report.slots, ElementsAre("w0", "w1"));
  EXPECT_THAT(report.shard_load, ElementsAre(30, 20, 10));
  EXPECT_THAT(report.shard_map, ElementsAre(1, 1, 1));
  EXPECT_GE(report.decisions, 6U);
  EXPECT_GT(report.retries, 0U);
  EXPECT_THAT(report.events, Contains(HasSubstr("worker w0 was lost (no heartbeat)")));
  EXPECT_EQ(report.event_times.size(), report.events.size());
}

TEST(RouterEnd, AnUndisturbedRunReportsNoRetriesAndNoEvents) {
  FakePipeline pipe(two_workers());
  const auto workers = pipe.all_up(10);
  pipe.send(0, 4);
  for (const std::uint64_t id : {0, 2}) pipe.done(workers[0], id);
  for (const std::uint64_t id : {1, 3}) pipe.done(workers[1], id);
  pipe.commit({0, 1, 2, 3});
  pipe.collect(Fin{});
  for (const PeerId worker : workers) pipe.from(worker, Bye{});
  const Report report = pipe.told_collector<Report>().at(0);
  EXPECT_EQ(report.decisions, 4U);
  EXPECT_EQ(report.retries, 0U);
  EXPECT_EQ(report.full, 0U);
  EXPECT_THAT(report.failing, IsEmpty());
  EXPECT_THAT(report.events, IsEmpty());
  EXPECT_THAT(pipe.notices(), IsEmpty());
}

TEST(RouterEnd, ABufferThatFillsWhileAWorkerIdlesIsReported) {
  RouterOptions options = two_workers();
  options.buffer = 4;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(1);
  pipe.credit(workers[1], 100);
  for (const std::uint64_t id : {0, 2, 4, 6}) pipe.send(id, id + 1);
  pipe.collect(Fin{});
  EXPECT_GT(pipe.told_collector<Report>().at(0).full, 0U);
}

TEST(RouterEnd, AnInterruptionReportsAndEndsAtOnceButLeavesTheWorkersToAnotherRouter) {
  FakePipeline pipe(two_workers());
  pipe.all_up(1);
  Outbox out;
  pipe.router().drain(pipe.now(), out);
  EXPECT_EQ(pipe.router().finished(), Exit::interrupted);
  std::size_t drains = 0, goodbyes = 0, reports = 0;
  for (const Action& action : out.actions()) {
    const auto* send = std::get_if<Send>(&action);
    if (!send) continue;
    drains += std::holds_alternative<Drain>(send->envelope.body);
    reports += std::holds_alternative<Report>(send->envelope.body);
    const auto* bye = std::get_if<Bye>(&send->envelope.body);
    goodbyes += bye && bye->interrupted && send->to == collect_peer;
  }
  EXPECT_EQ(drains, 0U);
  EXPECT_EQ(reports, 1U);
  EXPECT_EQ(goodbyes, 1U);
}

TEST(RouterEnd, ItsOwnUsageGoesToTheCollector) {
  FakePipeline pipe(two_workers());
  pipe.all_up(1);
  ResourceUsage usage;
  usage.rss_bytes = 123;
  Outbox out;
  pipe.router().usage(pipe.now(), usage, out);
  ASSERT_THAT(out.actions(), SizeIs(1));
  const Send& send = std::get<Send>(out.actions()[0]);
  EXPECT_EQ(send.to, collect_peer);
  EXPECT_EQ(std::get<Usage>(send.envelope.body).usage, usage);
}

}  // namespace
}  // namespace dp
