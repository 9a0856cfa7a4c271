// Whoever looks on is told of each batch once, after the journal has it; a restart tells it again.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "collector_rig.hpp"

namespace dp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Watcher final : Observer {
  void opened(RunId run, bool resumed) override {
    EXPECT_EQ(run, our_run);
    story.emplace_back(resumed ? "resumed" : "opened");
  }
  void started(Time at) override {
    t0 = at;
    story.emplace_back("started");
  }
  void settled(const SettledBatch& batch) override {
    story.push_back(fmt::format("{}{}", batch.failed ? "failed " : "", raw(batch.id)));
    batches.push_back(batch);
  }
  void happened(Time, const std::string& what) override { events.push_back(what); }

  std::vector<std::string> story, events;
  std::vector<SettledBatch> batches;
  Time t0{};
};

CollectorOptions with_journal() {
  CollectorOptions options = plain();
  options.journal = true;
  options.begun = epoch;
  return options;
}

struct Watched : CollectorTest {
  explicit Watched(CollectorOptions options = plain()) : CollectorTest(std::move(options)) {
    collector.observe(watcher);
  }
  void TestBody() override {}
  Watcher watcher;
};

TEST(CollectorObserver, IsToldOfABatchsStations) {
  Watched run;
  run.begin(2);
  run.announce({0, 1});
  Result result = run.result(1);
  result.lease.attempt = 2;
  result.outbound.sent = run.due(1) + ms(1);
  result.outbound.routed = run.due(1) + ms(2);
  result.worker = {run.due(1) + ms(3), run.due(1) + ms(4), run.due(1) + ms(5)};
  run.now = run.due(1) + ms(7);
  run.tell(*run.worker, result);
  run.settle_down();
  ASSERT_THAT(run.watcher.batches, SizeIs(1));
  const SettledBatch& batch = run.watcher.batches[0];
  EXPECT_EQ(run.watcher.t0, run.t0);
  EXPECT_EQ(batch.id, BatchId{1});
  EXPECT_EQ(batch.samples, 2U);
  EXPECT_FALSE(batch.failed);
  EXPECT_EQ(batch.attempt, 2U);
  EXPECT_EQ(batch.worker, "w0");
  EXPECT_EQ(batch.outbound.scheduled, run.due(1));
  EXPECT_EQ(batch.outbound.sent, run.due(1) + ms(1));
  EXPECT_EQ(batch.outbound.routed, run.due(1) + ms(2));
  EXPECT_EQ(batch.at_worker.received, run.due(1) + ms(3));
  EXPECT_EQ(batch.at_worker.started, run.due(1) + ms(4));
  EXPECT_EQ(batch.at_worker.done, run.due(1) + ms(5));
  EXPECT_EQ(batch.collected, run.due(1) + ms(7));
}

TEST(CollectorObserver, IsToldOnceInTheOrderOfTheLedgerWhateverIsSentAgain) {
  Watched run;
  run.begin(3);
  run.announce({0, 1, 2});
  for (const std::uint64_t id : {2, 0, 2}) run.tell(*run.worker, run.result(id));
  run.tell(*run.route, Failed{BatchId{1}, 3, ErrorClass::none, "no luck"});
  run.tell(*run.worker, run.result(1));
  run.settle_down();
  EXPECT_THAT(run.watcher.story, ElementsAre("started", "2", "0", "failed 1"));
  EXPECT_EQ(run.watcher.batches[2].attempt, 3U);
  EXPECT_THAT(run.watcher.events, Contains(run.watcher.batches[2].why));
}

TEST(CollectorObserver, IsToldOnlyOfWhatTheJournalHas) {
  Watched run{with_journal()};
  run.begin(2);
  run.settle_down();
  run.sync();
  run.announce({0, 1});
  run.tell(*run.worker, run.result(0));
  run.settle_down();
  EXPECT_THAT(run.watcher.batches, IsEmpty());
  run.sync();
  EXPECT_THAT(run.watcher.story, ElementsAre("started", "0"));
}

TEST(CollectorObserver, IsToldOfTheWholeLedgerAgainByARestart) {
  Watched first{with_journal()};
  first.begin(3);
  first.settle_down();
  first.sync();
  first.announce({0, 1, 2});
  first.tell(*first.worker, first.result(1));
  first.tell(*first.route, Failed{BatchId{2}, 1, ErrorClass::none, "no luck"});
  first.settle_down();
  first.sync();

  Collector second(with_journal(), 2);
  Watcher watcher;
  second.observe(watcher);
  read_journal(std::as_bytes(std::span(first.written)),
               [&](JournalRecord&& record) { second.replay(std::move(record)); });
  EXPECT_THAT(watcher.story, ElementsAre("resumed", "started", "1", "failed 2"));
  EXPECT_EQ(watcher.events, first.watcher.events);
  ASSERT_THAT(watcher.batches, SizeIs(2));
  EXPECT_EQ(watcher.batches[0].collected, first.watcher.batches[0].collected);
  EXPECT_EQ(watcher.batches[0].outbound.scheduled, first.due(1));
}

TEST(CollectorObserver, IsToldWhatTheRouterSawWhenTheRunEnds) {
  Watched run;
  run.routers.events = {"worker w9 was lost"};
  run.routers.event_times = {epoch};
  run.begin(1);
  run.complete(1);
  EXPECT_THAT(run.watcher.events, Contains("worker w9 was lost"));
}

TEST(CollectorObserver, IsToldThatARunBegins) {
  Collector collector(plain(), 1);
  Watcher watcher;
  collector.observe(watcher);
  Outbox out;
  collector.tick(epoch, out);
  EXPECT_THAT(watcher.story, ElementsAre("opened"));
}

}  // namespace
}  // namespace dp
