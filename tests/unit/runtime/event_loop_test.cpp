// Signals and the loop: who takes them, and how the loop hears of them.
// SPDX-License-Identifier: MIT
#include "runtime/event_loop.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

namespace dp {
namespace {

/// Ends when it is asked to.
class Waiting final : public Stage {
 public:
  void receive(Time, PeerId, Envelope&&, Outbox&) override {}
  void tick(Time, Outbox&) override {}
  Time next_deadline() const override { return Time::max(); }
  void drain(Time, Outbox&) override { finish(Exit::interrupted); }
  void usage(Time, const ResourceUsage&, Outbox&) override {}
};

bool takes(int signal) {
  sigset_t blocked;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  return !sigismember(&blocked, signal);
}

// A process is set up once, hence one test.
TEST(EventLoop, HearsOfASignalThatInterruptsNeitherItsThreadNorThoseItStarts) {
  EventLoop loop(set_up_process());
  EXPECT_EQ(::prctl(PR_GET_TIMERSLACK), 1);
  rlimit descriptors{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &descriptors), 0);
  EXPECT_GE(descriptors.rlim_cur, std::min<rlim_t>(8192, descriptors.rlim_max));
  Transport transport;
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_FALSE(takes(signal));
    std::thread([signal] { EXPECT_FALSE(takes(signal)); }).join();
  }
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  Waiting stage;
  EXPECT_EQ(loop.run(stage, transport), Exit::interrupted);
}

}  // namespace
}  // namespace dp
