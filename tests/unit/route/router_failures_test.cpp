// dp-route when a batch does not get through: attempts, permanent failures, leases, and what is charged to whom.
// With one attempt allowed a charged batch fails at once, so a batch that does not was not charged.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

constexpr Duration back_off_over = 10s;  ///< by then whatever was delayed has been tried again

RouterOptions with_attempts(std::uint32_t attempts, std::uint32_t workers = 2) {
  RouterOptions options = two_workers();
  options.workers = workers;
  options.attempts = attempts;
  return options;
}

// ---- a worker dies ---------------------------------------------------------------------------------------

TEST(RouterFailures, ABatchDoneButNotSettledGoesElsewhereUnchargedWhenItsWorkerDies) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 1);
  pipe.done(workers[0], 0);
  pipe.kill(workers[0]);
  pipe.pass(back_off_over);
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(0));
  EXPECT_THAT(pipe.failed(), IsEmpty());
  EXPECT_EQ(pipe.told<Batch>(workers[1]).at(0).lease.attempt, 2U);
}

TEST(RouterFailures, ASettledBatchStaysSettledWhenItsWorkerDies) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 1);
  pipe.done(workers[0], 0);
  pipe.commit({0});
  pipe.kill(workers[0]);
  pipe.pass(back_off_over);
  EXPECT_THAT(pipe.given(workers[1]), IsEmpty());
}

TEST(RouterFailures, ADeathIsChargedToTheBatchBeingComputedOnly) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(3);
  pipe.send(0, 1);
  pipe.send(2, 3);
  pipe.send(4, 5);
  pipe.kill(workers[0]);
  pipe.pass(back_off_over);
  const auto failures = pipe.told_collector<Failed>();
  EXPECT_THAT(pipe.failed(), Contains(0));
  EXPECT_THAT(pipe.failed(), Each(0));
  EXPECT_EQ(failures.at(0).attempts, 1U);
  EXPECT_EQ(failures.at(0).error, ErrorClass::transient);
  EXPECT_THAT(pipe.given(workers[1]), UnorderedElementsAre(2, 4));
}

TEST(RouterFailures, ABatchDoneButNotSettledWithinALeaseIsServedAgainUncharged) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 1);
  pipe.peer(workers[0]).held.clear();
  pipe.pass(8s);
  pipe.done(workers[0], 0, ErrorClass::none, 1);
  pipe.pass(9s);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0));
  pipe.pass(4s);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 0));
  EXPECT_THAT(pipe.failed(), IsEmpty());
}

TEST(RouterFailures, AWorkerThatLeavesOnPurposeIsMissedAtOnce) {
  FakePipeline pipe(with_attempts(4));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 1);
  pipe.send(2, 3);
  pipe.from(workers[0], Bye{});
  pipe.kill(workers[0]);
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(2));  // it only waited for the worker that left
  pipe.credit(workers[1], 2);
  pipe.pass(1s);
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(2, 0));
}

// ---- a connection ends -----------------------------------------------------------------------------------

constexpr Duration reconnect = LinkTiming{}.reconnect;

TEST(RouterFailures, ADeadWorkersBatchesGoElsewhereLongBeforeItsHeartbeatsAreMissed) {
  FakePipeline pipe(with_attempts(4));
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);
  pipe.cut(workers[0]);
  EXPECT_LE(pipe.router().next_deadline(), pipe.now() + reconnect);
  pipe.tick(reconnect);
  EXPECT_THAT(pipe.notices(), Contains(HasSubstr("worker w0 was lost (its connection ended)")));
  pipe.tick(100ms);  // the first back-off is over
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(0));
}

TEST(RouterFailures, AConnectionThatEndsCostsTheBatchBeingComputedAnAttempt) {
  FakePipeline pipe(with_attempts(2, 1));
  PeerId worker = pipe.all_up(100)[0];
  pipe.send(0, 1);
  for (int life = 0; life < 2; ++life) {
    ASSERT_THAT(pipe.given(worker), ElementsAre(0));
    pipe.cut(worker);
    pipe.tick(reconnect);
    EXPECT_THAT(pipe.failed(), IsEmpty());
    worker = pipe.worker_up("w0", 100);  // another process
    pipe.tick(200ms);
  }
  EXPECT_THAT(pipe.given(worker), IsEmpty()) << "two attempts were charged";
  pipe.pass(4s);  // the last process might have come back until now
  EXPECT_THAT(pipe.failed(), Contains(0));
}

TEST(RouterFailures, AWorkerThatIsBackOnANewConnectionInTimeLosesNothing) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);
  pipe.cut(workers[0]);
  Hello hello = FakePipeline::worker_hello("w0");
  hello.held = {0};
  const PeerId again = pipe.hello(hello, Session{raw(pipe.peer(workers[0]).session) + 1});
  pipe.tick(reconnect);
  pipe.pass(5s);
  EXPECT_THAT(pipe.given(workers[1]), IsEmpty());
  EXPECT_THAT(pipe.failed(), IsEmpty());
  pipe.done(again, 0);
  EXPECT_THAT(pipe.notices(), testing::Not(Contains(HasSubstr("was lost"))));
}

TEST(RouterFailures, AWorkerThatIsBackLateCostsNoAttempt) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);
  pipe.cut(workers[0]);
  pipe.tick(reconnect);
  pipe.pass(2s);
  Hello hello = FakePipeline::worker_hello("w0");
  hello.held = {0};
  const PeerId again = pipe.hello(hello, Session{raw(pipe.peer(workers[0]).session) + 1});
  pipe.pass(8s);
  EXPECT_THAT(pipe.failed(), IsEmpty());
  pipe.done(again, 0);
  pipe.commit({0});
  pipe.collect(Fin{});
  EXPECT_THAT(pipe.told_collector<Report>().at(0).failing, IsEmpty());
}

TEST(RouterFailures, AWorkerThatIsBackLateWithoutItsBatchCostsNoAttemptEither) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);  // still on its way when the connection ends
  pipe.cut(workers[0]);
  pipe.tick(reconnect);
  pipe.pass(1s);
  const PeerId again = pipe.hello(FakePipeline::worker_hello("w0"), Session{raw(pipe.peer(workers[0]).session) + 1});
  pipe.credit(again, 100);
  pipe.pass(8s);
  EXPECT_THAT(pipe.failed(), IsEmpty());
  EXPECT_EQ(pipe.given(again).size() + pipe.given(workers[1]).size(), 1U);
}

TEST(RouterFailures, AReplacementOfTheSameNameIsTakenInAsSoonAsTheConnectionHasEnded) {
  FakePipeline pipe(with_attempts(4));
  const auto workers = pipe.all_up(100);
  EXPECT_FALSE(pipe.told<Reject>(pipe.hello(FakePipeline::worker_hello("w0"))).empty()) << "its owner is alive";
  pipe.cut(workers[0]);
  const PeerId replacement = pipe.worker_up("w0", 100);
  EXPECT_TRUE(pipe.told<Reject>(replacement).empty());
  pipe.send(0, 1);
  EXPECT_THAT(pipe.given(replacement), ElementsAre(0));
}

TEST(RouterFailures, TheRoutersOwnAbsenceIsNoWorkersDeath) {
  RouterOptions options = with_attempts(1);
  options.lease = options.lease_cap = 24h;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(1);
  pipe.send(0, 2);
  pipe.pass(1s);
  pipe.tick(1h);
  pipe.pass(5s);
  EXPECT_THAT(pipe.failed(), IsEmpty());
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(1));
}

// ---- errors ----------------------------------------------------------------------------------------------

/// Fails batch 0 with each error in turn, wherever it is; the failure reported in the end, if one is.
std::optional<Failed> after(const std::vector<ErrorClass>& errors, std::uint32_t attempts) {
  FakePipeline pipe(with_attempts(attempts));
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);
  for (const ErrorClass error : errors) {
    EXPECT_THAT(pipe.failed(), IsEmpty()) << "gave up early";
    for (const PeerId worker : workers) {
      if (!pipe.peer(worker).held.empty()) {
        pipe.done(worker, 0, error);
        break;
      }
    }
    if (pipe.failed().empty()) pipe.pass(back_off_over);
  }
  const auto failures = pipe.told_collector<Failed>();
  return failures.empty() ? std::nullopt : std::optional(failures.back());
}

TEST(RouterFailures, ABatchIsGivenUpAfterItsAttemptsWithTheLastError) {
  using enum ErrorClass;
  const std::tuple<std::vector<ErrorClass>, ErrorClass> cases[] = {
      {{resource, resource, resource, resource}, resource},
      {{transient, transient, transient, transient}, transient},
      {{transient, resource, transient, resource}, resource},
      {{resource, resource, resource, data}, data},
      {{data, data}, data},
      {{permanent, permanent}, permanent},
      {{data, permanent}, permanent},
      {{data, resource, data}, data},
      {{resource, data, data}, data},  // what came before was no opinion on the batch
      {{transient, transient, permanent, permanent}, permanent},
      {{data, resource, resource, resource}, resource},
  };
  for (const auto& [errors, last] : cases) {
    SCOPED_TRACE(testing::PrintToString(errors.size()));
    const auto failure = after(errors, 4);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->batch, BatchId{0});
    EXPECT_EQ(failure->error, last);
    EXPECT_EQ(failure->attempts, errors.size());
    EXPECT_EQ(failure->message, "it went wrong");
  }
}

TEST(RouterFailures, ABatchIsNotGivenUpBefore) {
  using enum ErrorClass;
  for (const auto& errors : {std::vector{resource},
                             {resource, resource, resource},
                             {data},
                             {permanent},
                             {resource, data},
                             {resource, resource, permanent}}) {
    EXPECT_EQ(after(errors, 4), std::nullopt);
  }
}

TEST(RouterFailures, OneAttemptIsOneAttempt) {
  for (const ErrorClass error :
       {ErrorClass::transient, ErrorClass::resource, ErrorClass::data, ErrorClass::permanent}) {
    ASSERT_TRUE(after({error}, 1));
    EXPECT_EQ(after({error}, 1)->attempts, 1U);
  }
}

TEST(RouterFailures, TheSecondOpinionIsAnotherWorkers) {
  for (const std::string strategy : {"uniform", "dynamic", "sharded"}) {
    for (const ErrorClass error : {ErrorClass::data, ErrorClass::permanent, ErrorClass::resource}) {
      RouterOptions options = two_workers(strategy);
      FakePipeline pipe(options);
      const auto workers = pipe.all_up(100, {10, 10});
      pipe.send(0, 1);
      const bool first = !pipe.given(workers[0]).empty();
      const PeerId one = workers[first ? 0 : 1], other = workers[first ? 1 : 0];
      pipe.done(one, 0, error);
      pipe.pass(back_off_over);
      EXPECT_THAT(pipe.given(one), ElementsAre(0)) << strategy;
      EXPECT_THAT(pipe.given(other), ElementsAre(0)) << strategy;
    }
  }
}

TEST(RouterFailures, ALoneWorkerGivesBothOpinions) {
  FakePipeline pipe(with_attempts(4, 1));
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);
  pipe.done(workers[0], 0, ErrorClass::data);
  pipe.pass(back_off_over);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 0));
  pipe.done(workers[0], 0, ErrorClass::data);
  EXPECT_THAT(pipe.failed(), ElementsAre(0));
}

TEST(RouterFailures, AFailedBatchIsTriedAgainOnlyAfterAWhile) {
  FakePipeline pipe(with_attempts(4, 1));
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);
  pipe.done(workers[0], 0, ErrorClass::resource);
  pipe.tick();
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0));
  const Time again = pipe.router().next_deadline();
  EXPECT_GT(again, pipe.now());
  pipe.pass(back_off_over);
  EXPECT_THAT(pipe.given(workers[0]), ElementsAre(0, 0));
}

TEST(RouterFailures, AFailureIsRepeatedUntilItIsSettled) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 1);
  pipe.done(workers[0], 0, ErrorClass::data);
  pipe.pass(3s);
  EXPECT_GE(pipe.failed().size(), 3U);
  pipe.commit({0});
  pipe.forget_what_was_said();
  pipe.pass(3s);
  EXPECT_THAT(pipe.failed(), IsEmpty());
  EXPECT_EQ(pipe.router().buffered(), 0U);
}

TEST(RouterFailures, FailingFastAttractsNoWork) {
  FakePipeline pipe(two_workers("dynamic"));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 2);
  const bool first = pipe.given(workers[0]) == std::vector<std::uint64_t>{0};
  const PeerId good = workers[first ? 0 : 1], bad = workers[first ? 1 : 0];
  pipe.done(good, 0);
  pipe.from(bad, Done{pipe.told<Batch>(bad).at(0).lease, 1us, 2, ErrorClass::resource, "no memory", 1});
  pipe.pass(back_off_over);  // the failed batch waits: nobody has credit
  pipe.credit(good, 50);
  pipe.credit(bad, 50);
  pipe.send(2, 20);
  EXPECT_GE(pipe.given(good).size(), 8U);
}

TEST(RouterFailures, EveryAttemptThatEndedBadlyIsCountedForItsWorker) {
  FakePipeline pipe(with_attempts(4, 3));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 3);  // one batch each
  const auto its_batch = [&](PeerId worker) { return pipe.given(worker).at(0); };
  pipe.done(workers[0], its_batch(workers[0]), ErrorClass::resource);  // says so
  pipe.peer(workers[1]).held.clear();                                  // its lease runs out
  pipe.kill(workers[2]);                                               // dies over it
  pipe.pass(back_off_over + 5s);
  pipe.collect(Fin{});
  const Report report = pipe.told_collector<Report>().at(0);
  EXPECT_THAT(report.failing, ElementsAre("w0", "w1", "w2"));
  EXPECT_THAT(report.failures, ElementsAre(1, 1, 1));
}

TEST(RouterFailures, AWorkerIsNotBlamedForWhatItHandsBackOrNeverBegan) {
  FakePipeline pipe(with_attempts(4));
  const auto workers = pipe.all_up(2);
  pipe.send(0, 4);
  const auto given = pipe.told<Batch>(workers[0]);
  ASSERT_EQ(given.size(), 2U);
  pipe.from(workers[0], Return{given[1].lease});
  pipe.kill(workers[0]);  // computing one
  pipe.pass(back_off_over);
  pipe.collect(Fin{});
  const Report report = pipe.told_collector<Report>().at(0);
  EXPECT_THAT(report.failing, ElementsAre("w0"));
  EXPECT_THAT(report.failures, ElementsAre(1));
}

// ---- leases ----------------------------------------------------------------------------------------------

TEST(RouterFailures, ALeaseThatNobodyRenewsRunsOutAndIsCharged) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 1);
  pipe.peer(workers[0]).held.clear();  // alive, but says nothing of the batch
  pipe.pass(9s);
  EXPECT_THAT(pipe.failed(), IsEmpty());
  pipe.pass(2s);
  EXPECT_THAT(pipe.failed(), Contains(0));
  EXPECT_THAT(pipe.notices(), Contains(HasSubstr("the lease of batch 0 on worker w0 ran out")));
}

TEST(RouterFailures, ABatchWhoseLeaseRanOutGoesElsewhere) {
  FakePipeline pipe(with_attempts(4));
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);
  pipe.peer(workers[0]).held.clear();
  pipe.pass(20s);
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(0));
}

TEST(RouterFailures, HeartbeatsRenewTheLeasesTheyName) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(2);
  pipe.send(0, 1);
  pipe.send(2, 3);
  pipe.peer(workers[0]).held = {2};
  pipe.pass(60s);
  EXPECT_THAT(pipe.failed(), Contains(0));
  EXPECT_THAT(pipe.failed(), Each(0));
  EXPECT_THAT(pipe.given(workers[1]), IsEmpty());
}

TEST(RouterFailures, ALeaseIsNotRenewedBeyondItsCap) {
  RouterOptions options = with_attempts(4);
  options.lease_cap = 20s;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(100);
  pipe.send(0, 1);
  pipe.pass(19s);
  EXPECT_THAT(pipe.given(workers[1]), IsEmpty());
  pipe.pass(5s);
  EXPECT_THAT(pipe.given(workers[1]), ElementsAre(0));
}

TEST(RouterFailures, AWorkerThatHeldABatchBeyondTheCapLosesEverythingAndIsNotTrustedAgain) {
  RouterOptions options = with_attempts(4);
  options.strategy = "uniform";
  options.lease_cap = 20s;
  FakePipeline pipe(options);
  const auto workers = pipe.all_up(1);  // 0 is being computed, 2 and 4 wait for the same worker
  pipe.send(0, 5);
  const auto given = pipe.given(workers[0]);
  ASSERT_EQ(given.size(), 1U);
  const PeerId other = workers[1];
  pipe.credit(other, 100);
  pipe.peer(other).held.clear();
  pipe.pass(25s);
  EXPECT_THAT(pipe.given(other), testing::IsSupersetOf(std::vector<std::uint64_t>{0, 2, 4}));
  pipe.hello_again(workers[0], FakePipeline::worker_hello(pipe.peer(workers[0]).name));
  EXPECT_FALSE(pipe.told<Reject>(workers[0]).empty());
  EXPECT_FALSE(pipe.told<Reject>(workers[0]).back().hello_again);
}

TEST(RouterFailures, AConnectionDoesNotChangeItsName) {
  FakePipeline pipe(with_attempts(4));
  const auto workers = pipe.all_up(1);
  pipe.hello_again(workers[0], FakePipeline::worker_hello("someone else"));
  pipe.send(0, 2);
  pipe.from(workers[0], Bye{});
  pipe.pass(10s);
  EXPECT_FALSE(pipe.router().finished());
}

TEST(RouterFailures, AnotherWorkersHeartbeatRenewsNothing) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(1);
  pipe.send(0, 1);
  pipe.peer(workers[0]).held.clear();
  pipe.peer(workers[1]).held = {0};
  pipe.pass(11s);
  EXPECT_THAT(pipe.failed(), Contains(0));
}

/// Batch 0 was taken back from w0, which is alive, and given to w1.
struct TakenBack : FakePipeline {
  std::vector<PeerId> workers;
  TakenBack() : FakePipeline(with_attempts(4)) {
    workers = all_up(100);
    send(0, 1);
    peer(workers[0]).held.clear();
    pass(20s);
    EXPECT_THAT(given(workers[1]), ElementsAre(0));
  }
};

TEST(RouterFailures, ALateDoneOfALeaseTakenBackIsIgnored) {
  TakenBack pipe;
  pipe.done(pipe.workers[0], 0);
  pipe.kill(pipe.workers[1]);
  pipe.pass(back_off_over);
  EXPECT_THAT(pipe.given(pipe.workers[0]), ElementsAre(0, 0)) << "w1's lease was the one that counted";
}

TEST(RouterFailures, ALateErrorOfALeaseTakenBackIsIgnored) {
  TakenBack pipe;
  for (int i = 0; i < 4; ++i) pipe.done(pipe.workers[0], 0, ErrorClass::data);
  pipe.pass(back_off_over);
  EXPECT_THAT(pipe.failed(), IsEmpty());
  EXPECT_THAT(pipe.given(pipe.workers[1]), ElementsAre(0));
}

// ---- RETURN ----------------------------------------------------------------------------------------------

TEST(RouterFailures, ABatchHandedBackIsNotCharged) {
  for (const std::uint32_t number : {1U, 2U}) {
    FakePipeline pipe(with_attempts(1, number));
    const auto workers = pipe.all_up(2);
    pipe.send(0, 1);
    pipe.from(workers[0], Return{pipe.told<Batch>(workers[0]).at(0).lease});
    pipe.pass(back_off_over);
    EXPECT_THAT(pipe.failed(), IsEmpty());
    EXPECT_THAT(pipe.given(workers.back()), number == 1 ? SizeIs(2) : SizeIs(1));
  }
}

TEST(RouterFailures, ABatchIsHandedBackByItsHolderOnly) {
  FakePipeline pipe(with_attempts(1));
  const auto workers = pipe.all_up(2);
  pipe.send(0, 1);
  pipe.from(workers[1], Return{pipe.told<Batch>(workers[0]).at(0).lease});
  pipe.pass(back_off_over);
  EXPECT_THAT(pipe.given(workers[1]), IsEmpty());
}

}  // namespace
}  // namespace dp
