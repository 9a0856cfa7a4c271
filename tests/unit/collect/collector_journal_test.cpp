// The ledger with a journal: nobody hears of what is not durable, and a restart goes on where the journal ends.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "collector_rig.hpp"

namespace dp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

CollectorOptions with_journal() {
  CollectorOptions options = plain();
  options.journal = true;
  options.begun = epoch;
  options.wall_ns = 1'000'000'000'000;
  return options;
}

struct JournalledCollector : CollectorTest {
  explicit JournalledCollector(const std::string& journal = {}, CollectorOptions options = with_journal())
      : CollectorTest(std::move(options), journal) {}
  void TestBody() override {}

  /// `begin` and what must be durable before the first batch goes out.
  void begin_durably(std::uint64_t batches) {
    begin(batches);
    settle_down();
    sync();
  }
};

struct CollectorJournal : testing::Test {
  JournalledCollector first;
};

TEST_F(CollectorJournal, NobodyIsLetInBeforeTheJournalIsOpenOnDisk) {
  CollectorOptions options = with_journal();
  Collector collector(options, 1);
  Outbox out;
  collector.tick(epoch, out);
  Hello hello;
  hello.role = Role::stream;
  hello.name = "stream";
  collector.receive(epoch, first_inbound, Envelope{Session{7}, Session{}, hello}, out);
  for (const Action& action : out.actions()) EXPECT_FALSE(std::holds_alternative<Send>(action));
  collector.durable(epoch, 1, out);
  collector.receive(epoch, first_inbound, Envelope{Session{7}, Session{}, hello}, out);
  EXPECT_TRUE(
      std::ranges::any_of(out.actions(), [](const Action& a) { return std::holds_alternative<Send>(a); }));
}

TEST_F(CollectorJournal, TheRunIsStoredOnlyOnceItIsDurable) {
  first.begin(2);
  first.settle_down();
  for (const Commit& commit : first.stream->all<Commit>()) EXPECT_FALSE(commit.run_stored);
  first.sync();
  EXPECT_TRUE(first.stream->all<Commit>().back().run_stored);
}

TEST_F(CollectorJournal, ASettlementIsAcknowledgedAndCommittedOnlyOnceItIsDurable) {
  first.begin_durably(2);
  first.announce({0, 1});
  first.tell(*first.worker, first.result(0));
  first.settle_down();
  EXPECT_THAT(first.acknowledged(*first.worker), IsEmpty());
  EXPECT_THAT(first.committed(*first.route), IsEmpty());
  first.sync();
  EXPECT_THAT(first.acknowledged(*first.worker), ElementsAre(0));
  EXPECT_THAT(first.committed(*first.route), ElementsAre(0));
}

TEST_F(CollectorJournal, ADuplicateOfWhatIsNotDurableYetWaitsWithIt) {
  first.begin_durably(2);
  first.announce({0, 1});
  first.tell(*first.worker, first.result(0));
  first.settle_down();
  first.tell(*first.worker, first.result(0));
  first.settle_down();
  EXPECT_THAT(first.acknowledged(*first.worker), IsEmpty());
  first.sync();
  EXPECT_THAT(first.acknowledged(*first.worker), ElementsAre(0, 0));
}

TEST_F(CollectorJournal, FinWaitsForTheLastSettlementToBeDurable) {
  first.begin_durably(1);
  first.announce({0});
  first.tell(*first.worker, first.result(0));
  first.tell(*first.stream, Eos{1});
  first.settle_down();
  EXPECT_EQ(first.stream->count<Fin>(), 0U);
  first.sync();
  EXPECT_EQ(first.stream->count<Fin>(), 1U);
}

TEST_F(CollectorJournal, ARestartGoesOnWithTheRunAndTellsTheStreamWhenItBegan) {
  first.begin_durably(4);
  first.announce({0, 1, 2});
  first.tell(*first.worker, first.result(1));
  first.settle_down();
  JournalledCollector second(first.written);
  second.stream = &second.call(Role::stream, "stream", our_run);
  second.settle_down();
  const Welcome welcome = second.stream->all<Welcome>().at(0);
  EXPECT_TRUE(welcome.started);
  EXPECT_EQ(welcome.t0, first.t0);
  EXPECT_THAT(second.committed(*second.stream), ElementsAre(1));
  EXPECT_TRUE(second.stream->all<Commit>().back().run_stored);
}

TEST_F(CollectorJournal, ARestartShowsAWorkerAsUpOnlyOnceItSpoke) {
  first.begin_durably(4);
  first.announce({0, 1});
  first.tell(*first.worker, first.result(0));
  first.settle_down();
  JournalledCollector second(first.written);
  const auto state = [&] {
    const Snapshot s = second.collector.snapshot(second.now);
    const auto row = std::ranges::find(s.names, "w0") - s.names.begin();
    return static_cast<PeerPresence>(s.states.at(static_cast<std::size_t>(row)));
  };
  EXPECT_EQ(state(), PeerPresence::lost);
  second.call(Role::infer, "w0", our_run);
  EXPECT_EQ(state(), PeerPresence::connected);
}

TEST_F(CollectorJournal, ARestartSettlesWhatIsLeftAndSaysThatItWasAway) {
  first.begin_durably(2);
  first.announce({0, 1});
  first.tell(*first.worker, first.result(0));
  first.settle_down();
  JournalledCollector second(first.written);
  second.begin(2);
  second.t0 = first.t0;
  second.tell(*second.worker, second.result(0));
  second.tell(*second.worker, second.result(1));
  second.tell(*second.stream, Eos{2});
  second.settle_down();
  second.sync();
  second.tell(*second.route, second.routers);
  for (Caller* caller : {second.stream, second.route, second.worker}) second.leave(*caller);
  ASSERT_EQ(second.collector.finished(), Exit::done);
  const RunReport report = second.collector.report();
  EXPECT_EQ(report.batches.announced, 2U);
  EXPECT_EQ(report.batches.completed, 2U);
  EXPECT_EQ(report.batches.double_counted, 0U);
  EXPECT_EQ(report.batches.duplicates_discarded, 1U);
  EXPECT_FALSE(report.valid);
  EXPECT_THAT(report.verdicts,
              Contains(testing::AllOf(Field(&Verdict::criterion, HasSubstr("ledger was there")),
                                      Field(&Verdict::ok, false))));
}

TEST_F(CollectorJournal, OneThatWillBeBackSendsNobodyAwayWhenItIsInterrupted) {
  for (const bool back : {false, true}) {
    CollectorOptions options = with_journal();
    options.will_be_back = back;
    JournalledCollector collector({}, options);
    collector.begin_durably(2);
    Outbox out;
    collector.collector.drain(collector.now, out);
    const bool refused = std::ranges::any_of(out.actions(), [](const Action& action) {
      const auto* send = std::get_if<Send>(&action);
      return send && std::holds_alternative<Reject>(send->envelope.body);
    });
    EXPECT_EQ(refused, !back);
  }
}

TEST_F(CollectorJournal, AFinishedRunIsOnlyReportedAgain) {
  first.begin_durably(2);
  first.complete(2);
  first.settle_down();
  first.sync();
  first.advance(std::chrono::seconds(6));
  ASSERT_EQ(first.collector.finished(), Exit::done);
  Collector again(with_journal(), 2);
  read_journal(std::as_bytes(std::span(first.written)),
               [&](JournalRecord&& record) { again.replay(std::move(record)); });
  EXPECT_EQ(again.finished(), Exit::done);
  EXPECT_EQ(again.report().samples.completed, 4U);
  EXPECT_EQ(again.report().strategy, "uniform");
  EXPECT_FALSE(again.report().valid) << "what was seen of processes is gone";
}

TEST_F(CollectorJournal, TimesOfAnEarlierBootAreJoinedByTheWallClock) {
  first.begin_durably(2);
  first.settle_down();
  CollectorOptions options = with_journal();
  options.boot_id = "the next boot";
  options.begun = Time(std::chrono::seconds(5));  // this boot is young, and began ten minutes later
  options.wall_ns += 600'000'000'000;
  JournalledCollector second(first.written, options);
  const Welcome welcome = second.call(Role::stream, "stream", our_run).all<Welcome>().at(0);
  EXPECT_EQ(welcome.t0, Time(std::chrono::seconds(5)) - std::chrono::minutes(10) + (first.t0 - epoch));
}

}  // namespace
}  // namespace dp
