// dp-route until START: who is let in, what it waits for, and what it says when it waits in vain.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "fake_pipeline.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(RouterStart, WaitsForCollectorStreamAndWarmWorkersInWhateverOrderTheyCome) {
  std::vector<int> order{0, 1, 2, 3};
  do {
    SCOPED_TRACE(testing::PrintToString(order));
    FakePipeline pipe(two_workers());
    std::map<int, PeerId> here;
    std::set<PeerId> warm;
    const auto hello_of = [](int who) {
      return who == 1 ? FakePipeline::stream_hello() : FakePipeline::worker_hello(who == 2 ? "w0" : "w1");
    };
    for (const int who : order) {
      for (const auto& [other, peer] : here) {
        if (other != 1) continue;
        EXPECT_THAT(pipe.told<Start>(peer), IsEmpty());
      }
      if (who == 0) pipe.collector_up();
      else here[who] = pipe.hello(hello_of(who));
      for (int round = 0; round < 2; ++round) {  // whoever was put off comes again
        for (const auto& [other, peer] : here) {
          if (pipe.told<Welcome>(peer).empty()) pipe.hello_again(peer, hello_of(other));
          if (other >= 2 && !pipe.told<Welcome>(peer).empty() && warm.insert(peer).second)
            pipe.credit(peer, 1);
        }
      }
    }
    EXPECT_THAT(pipe.told<Start>(here.at(1)), SizeIs(1));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(RouterStart, AWorkerCountsWhenItIsWarm) {
  FakePipeline pipe(two_workers());
  pipe.collector_up();
  const PeerId stream = pipe.stream_up();
  pipe.worker_up("w0", 1);
  const PeerId cold = pipe.hello(FakePipeline::worker_hello("w1"));
  pipe.pass(5s);
  EXPECT_THAT(pipe.told<Start>(stream), IsEmpty());
  pipe.credit(cold, 1);
  EXPECT_THAT(pipe.told<Start>(stream), SizeIs(1));
}

TEST(RouterStart, ALostCreditIsMadeUpForByTheHeartbeat) {
  FakePipeline pipe(two_workers());
  pipe.collector_up();
  pipe.stream_up();
  pipe.worker_up("w0", 1);
  const PeerId worker = pipe.hello(FakePipeline::worker_hello("w1"));
  pipe.peer(worker).limit = 1;
  pipe.pass(1s);
  EXPECT_THAT(pipe.told<Start>(pipe.stream()), SizeIs(1));
}

TEST(RouterStart, TheWelcomeOfAWorkerSaysWhatToPrepareFor) {
  FakePipeline pipe(two_workers());
  pipe.collector_up(RunId{99});
  pipe.stream_up();
  const auto welcome = pipe.told<Welcome>(pipe.worker_up("w0", 1));
  ASSERT_THAT(welcome, SizeIs(1));
  EXPECT_EQ(welcome[0].run, RunId{99});
  EXPECT_EQ(welcome[0].data.shape, (Shape{1, 1, 2}));
  EXPECT_EQ(welcome[0].data.max_batch, 8U);
}

TEST(RouterStart, AStreamThatComesBackIsToldToStartAgain) {
  FakePipeline pipe(two_workers());
  pipe.all_up(1);
  pipe.kill(pipe.stream());
  pipe.pass(4s);
  EXPECT_THAT(pipe.told<Start>(pipe.stream_up({}, true)), SizeIs(1));
}

// ---- who is not let in -----------------------------------------------------------------------------------

/// The refusal a peer was answered with.
Reject refusal(const FakePipeline& pipe, PeerId peer) {
  EXPECT_THAT(pipe.told<Welcome>(peer), IsEmpty());
  const auto rejects = pipe.told<Reject>(peer);
  return rejects.empty() ? Reject{} : rejects.back();
}

TEST(RouterStart, BeforeTheCollectorIsReachedEverybodyIsPutOff) {
  FakePipeline pipe(two_workers());
  for (const Hello& hello : {FakePipeline::stream_hello(), FakePipeline::worker_hello("w0")}) {
    const Reject reject = refusal(pipe, pipe.hello(hello));
    EXPECT_TRUE(reject.hello_again);
    EXPECT_THAT(reject.reason, HasSubstr("dp-collect"));
  }
}

TEST(RouterStart, BeforeTheStreamIsThereWorkersArePutOff) {
  FakePipeline pipe(two_workers());
  pipe.collector_up();
  const Reject reject = refusal(pipe, pipe.hello(FakePipeline::worker_hello("w0")));
  EXPECT_TRUE(reject.hello_again);
  EXPECT_THAT(reject.reason, HasSubstr("dp-stream"));
}

TEST(RouterStart, WhoBelongsToAnotherRunIsSentAway) {
  FakePipeline pipe(two_workers());
  pipe.collector_up(RunId{0xAB});
  Hello hello = FakePipeline::stream_hello();
  hello.run = RunId{0xCD};
  const Reject reject = refusal(pipe, pipe.hello(hello));
  EXPECT_FALSE(reject.hello_again);
  EXPECT_THAT(reject.reason, HasSubstr("00000000000000cd"));
  hello.run = RunId{0xAB};
  EXPECT_THAT(pipe.told<Welcome>(pipe.hello(hello)), SizeIs(1));
}

TEST(RouterStart, OtherRolesAreSentAway) {
  for (const Role role : {Role::collect, Role::route}) {
    FakePipeline pipe(two_workers());
    pipe.collector_up();
    Hello hello;
    hello.role = role;
    const Reject reject = refusal(pipe, pipe.hello(hello));
    EXPECT_FALSE(reject.hello_again);
    EXPECT_THAT(reject.reason, HasSubstr(name_of(role)));
  }
}

TEST(RouterStart, AStreamWithoutAShapeIsSentAway) {
  FakePipeline pipe(two_workers());
  pipe.collector_up();
  Hello hello = FakePipeline::stream_hello();
  hello.data.shape = {};
  EXPECT_FALSE(refusal(pipe, pipe.hello(hello)).hello_again);
  hello = FakePipeline::stream_hello();
  hello.data.max_batch = 0;
  EXPECT_FALSE(refusal(pipe, pipe.hello(hello)).hello_again);
}

TEST(RouterStart, ByReferenceAWorkerWithoutTheDataSetIsSentAwayWithAdvice) {
  FakePipeline pipe(two_workers());
  pipe.collector_up();
  pipe.hello(FakePipeline::stream_hello({}, false, PayloadMode::reference));
  Hello hello = FakePipeline::worker_hello("w0");
  hello.datasets = {"another"};
  const Reject reject = refusal(pipe, pipe.hello(hello));
  EXPECT_FALSE(reject.hello_again);
  EXPECT_THAT(reject.reason, AllOf(HasSubstr("'w0'"), HasSubstr("data set digest"), HasSubstr("--data"),
                                   HasSubstr("--payload inline")));
  hello.datasets = {"another", "digest"};
  EXPECT_THAT(pipe.told<Welcome>(pipe.hello(hello)), SizeIs(1));
}

TEST(RouterStart, ShardedWithoutShardsEndsTheRunWithAdvice) {
  FakePipeline pipe(two_workers("sharded"));
  pipe.collector_up();
  const Reject reject = refusal(pipe, pipe.hello(FakePipeline::stream_hello()));
  EXPECT_FALSE(reject.hello_again);
  EXPECT_THAT(reject.reason, HasSubstr("--layout shards:16"));
  EXPECT_EQ(pipe.router().finished(), Exit::failed);
  EXPECT_EQ(pipe.router().failure(), reject.reason);
}

TEST(RouterStart, ANameInUseIsPutOffUntilItIsFree) {
  FakePipeline pipe(two_workers());
  pipe.all_up(1);
  const PeerId second = pipe.hello(FakePipeline::worker_hello("w0"));
  EXPECT_TRUE(refusal(pipe, second).hello_again);
  EXPECT_THAT(refusal(pipe, second).reason, HasSubstr("in use"));
}

TEST(RouterStart, TheCollectorsRefusalEndsIt) {
  FakePipeline pipe(two_workers());
  pipe.collect(Reject{false, "another run is under way"});
  EXPECT_EQ(pipe.router().finished(), Exit::failed);
  EXPECT_EQ(pipe.router().failure(), "another run is under way");
}

// ---- waiting in vain -------------------------------------------------------------------------------------

TEST(RouterStart, GivesUpAfterTheWaitNamingWhatIsMissing) {
  const std::pair<std::function<void(FakePipeline&)>, const char*> cases[] = {
      {[](FakePipeline&) {}, "no dp-collect answered within 60 s"},
      {[](FakePipeline& pipe) { pipe.collector_up(); }, "no dp-stream connected within 60 s"},
      {[](FakePipeline& pipe) {
         pipe.collector_up();
         pipe.stream_up();
         pipe.worker_up("w0", 1);
       },
       "1 of 2 workers connected and warm within 60 s (start dp-infer, or give a smaller --workers)"},
      {[](FakePipeline& pipe) {
         pipe.collector_up();
         pipe.stream_up();
         pipe.hello(FakePipeline::worker_hello("w0"));
         pipe.hello(FakePipeline::worker_hello("w1"));
       },
       "0 of 2 workers connected and warm"},
  };
  for (const auto& [prepare, complaint] : cases) {
    FakePipeline pipe(two_workers());
    prepare(pipe);
    pipe.pass(59s);
    EXPECT_EQ(pipe.router().finished(), std::nullopt) << complaint;
    pipe.pass(3s);
    EXPECT_EQ(pipe.router().finished(), Exit::failed) << complaint;
    EXPECT_THAT(pipe.router().failure(), HasSubstr(complaint));
  }
}

TEST(RouterStart, GivesUpWhenThoseItNeedsStayAwayDuringTheRun) {
  for (const bool stream_leaves : {true, false}) {
    FakePipeline pipe(two_workers());
    const auto workers = pipe.all_up(1);
    if (stream_leaves) pipe.kill(pipe.stream());
    else
      for (const PeerId worker : workers) pipe.kill(worker);
    pipe.pass(60s);
    EXPECT_EQ(pipe.router().finished(), std::nullopt);
    pipe.pass(6s);
    EXPECT_EQ(pipe.router().finished(), Exit::failed);
    EXPECT_THAT(pipe.router().failure(),
                HasSubstr(stream_leaves ? "no dp-stream" : "no worker left for 60 s"));
  }
}

TEST(RouterStart, ALongRunIsNoLongWait) {
  FakePipeline pipe(two_workers());
  pipe.all_up(1);
  pipe.pass(300s);
  EXPECT_EQ(pipe.router().finished(), std::nullopt);
}

}  // namespace
}  // namespace dp
