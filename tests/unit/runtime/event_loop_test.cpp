// Signals and the loop: who takes them, and how the loop hears of them.
// SPDX-License-Identifier: MIT
#include "runtime/event_loop.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

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

// One process has one loop, hence one test.
TEST(EventLoop, HearsOfASignalThatInterruptsNeitherItsThreadNorThoseItStarts) {
  EventLoop loop;
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
