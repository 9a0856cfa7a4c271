// The connecting side of a link, driven by hand: HELLO, heartbeats, redialling, giving up.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actions.hpp"
#include "wire/link.hpp"

namespace dp {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr Time start{1000s};
const LinkTiming timing{.heartbeat = 1s, .missed = 3, .hello_every = 200ms, .wait = 60s};
constexpr Session first{0x7'0000'0001}, second{0x7'0000'0002}, theirs{0x9'0000'0001}, other{0x9'0000'0002};

class DialerTest : public testing::Test {
 protected:
  DialerTest() {
    dialer_.tick(now_, out_);
    out_.actions().clear();
  }

  LinkEvent receive(Message message, Session from = theirs, Session to = first) {
    Envelope envelope{from, to, std::move(message)};
    return dialer_.receive(now_, envelope, out_);
  }
  LinkEvent welcome(Session from = theirs, Session to = first) {
    return receive(Welcome{{}, "boot", {}}, from, to);
  }
  LinkEvent tick(Duration later) { return dialer_.tick(now_ += later, out_); }
  /// Ticks whenever the dialer wants to, each time `late`, until something happens or `most` has passed.
  LinkEvent tick_on(Duration most, Duration late) {
    for (const Time end = now_ + most; now_ < end;) {
      now_ = std::max(now_, dialer_.next_deadline()) + late;
      if (const LinkEvent event = dialer_.tick(now_, out_); event != LinkEvent::none) return event;
    }
    return LinkEvent::none;
  }

  Time now_ = start;
  Outbox out_;
  Dialer dialer_{route_peer,
                 Role::route,
                 "boot",
                 first,
                 timing,
                 {[] { return Hello{Role::infer, "w0", "boot", {}, false, {}, {}, {}, {}, {}, {}}; },
                  [](Ping& ping) { ping.limit = 5; }}};
};

TEST_F(DialerTest, SaysHelloAtOnceAndUntilItIsWelcome) {
  Dialer fresh(route_peer, Role::route, "boot", first, timing, {[] { return Hello{}; }});
  fresh.tick(start, out_);
  EXPECT_EQ(take_sent<Hello>(out_).size(), 1U);
  tick(200ms);
  EXPECT_EQ(take_sent<Hello>(out_).size(), 1U);
  tick(100ms);
  EXPECT_EQ(take_sent<Hello>(out_).size(), 0U);
  tick(100ms);
  const auto hello = take_sent<Hello>(out_);
  ASSERT_EQ(hello.size(), 1U);
  EXPECT_EQ(hello[0].to, route_peer);
  EXPECT_EQ(hello[0].envelope.from, first);
  EXPECT_EQ(hello[0].envelope.to, Session{});
  EXPECT_FALSE(dialer_.up());
  EXPECT_EQ(welcome(), LinkEvent::up);
  EXPECT_TRUE(dialer_.up());
  tick(1s);
  EXPECT_EQ(take_sent<Hello>(out_).size(), 0U);
}

TEST_F(DialerTest, SendsNothingButHelloBeforeItIsWelcome) {
  dialer_.send(Fin{}, out_);
  EXPECT_TRUE(out_.actions().empty());
  welcome();
  out_.actions().clear();
  dialer_.send(Fin{}, out_);
  const auto fin = take_sent<Fin>(out_);
  ASSERT_EQ(fin.size(), 1U);
  EXPECT_EQ(fin[0].envelope.from, first);
  EXPECT_EQ(fin[0].envelope.to, theirs);
}

TEST_F(DialerTest, PingsWhenWelcomeAndThenEveryHeartbeat) {
  welcome();
  EXPECT_EQ(take_sent<Ping>(out_).size(), 0U);  // the stage takes the session in first
  tick(0ms);
  const auto ping = take_sent<Ping>(out_);
  ASSERT_EQ(ping.size(), 1U);
  EXPECT_EQ(std::get<Ping>(ping[0].envelope.body).limit, 5U);
  EXPECT_EQ(std::get<Ping>(ping[0].envelope.body).t1, now_);
  tick(999ms);
  EXPECT_EQ(take_sent<Ping>(out_).size(), 0U);
  tick(1ms);
  EXPECT_EQ(take_sent<Ping>(out_).size(), 1U);
}

TEST_F(DialerTest, AcrossHostsTheWelcomeTellsTheClocksApartAndThePeerIsToldAtOnce) {
  const Time there = now_ + 1000h;
  Envelope welcome{theirs, first, Welcome{RunId{1}, "another boot", {}, false, {}, now_, there, there}};
  EXPECT_EQ(dialer_.receive(now_, welcome, out_), LinkEvent::up);
  EXPECT_EQ(dialer_.offset(now_), 1000h);
  const auto informed = take_sent<Ping>(out_);
  ASSERT_EQ(informed.size(), 1U);
  EXPECT_EQ(std::get<Ping>(informed[0].envelope.body).offset, 1000h);
}

TEST_F(DialerTest, AWelcomeSaidTwiceBeginsOneSession) {
  EXPECT_EQ(welcome(), LinkEvent::up);
  EXPECT_EQ(welcome(), LinkEvent::none);
}

TEST_F(DialerTest, AWelcomeOfAnEarlierSessionOfTheSameProcessComesTooLate) {
  welcome(theirs);
  EXPECT_EQ(welcome(other), LinkEvent::up);
  EXPECT_EQ(welcome(theirs), LinkEvent::none);
  EXPECT_EQ(receive(Drain{}, other), LinkEvent::message);
  EXPECT_EQ(receive(Drain{}, theirs), LinkEvent::none);
}

TEST_F(DialerTest, ThreeMissedHeartbeatsMeanANewSessionOnANewConnection) {
  welcome();
  for (int i = 0; i < 12; ++i) EXPECT_EQ(tick(250ms), LinkEvent::none);
  out_.actions().clear();
  EXPECT_EQ(tick(250ms), LinkEvent::down);
  EXPECT_FALSE(dialer_.up());
  EXPECT_EQ(count_of<Redial>(out_), 1U);
  const auto hello = take_sent<Hello>(out_);
  ASSERT_EQ(hello.size(), 1U);
  EXPECT_EQ(hello[0].envelope.from, second);
  EXPECT_EQ(welcome(theirs, second), LinkEvent::up);
}

TEST_F(DialerTest, NoticesADeadPeerHoweverPunctuallyItIsTicked) {
  for (const Duration late : {0ms, 1ms, 20ms, 300ms}) {
    Dialer fresh(route_peer, Role::route, "boot", first, timing, {[] { return Hello{}; }});
    dialer_ = std::move(fresh);
    dialer_.tick(now_, out_);
    welcome();
    EXPECT_EQ(tick_on(10s, late), LinkEvent::down) << to_ms(late) << " ms late";
  }
}

TEST_F(DialerTest, AnyMessageOfThePeerKeepsTheSession) {
  welcome();
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(tick(500ms), LinkEvent::none);
    if (i % 2) EXPECT_EQ(receive(Drain{}), LinkEvent::message);
    else EXPECT_EQ(receive(Pong{now_, now_, now_}), LinkEvent::none);
  }
  EXPECT_TRUE(dialer_.up());
}

TEST_F(DialerTest, ItsOwnAbsenceIsNotThePeersDeath) {
  welcome();
  tick(500ms);
  EXPECT_EQ(tick(1h), LinkEvent::none);
  EXPECT_TRUE(dialer_.up());
}

TEST_F(DialerTest, AfterItsOwnAbsenceADeadPeerIsNoticedNoLaterThanUsual) {
  welcome();
  tick(500ms);
  now_ += 1h;
  receive(Drain{});  // what had queued up meanwhile
  tick(0ms);
  EXPECT_EQ(tick_on(5s, 1ms), LinkEvent::down);
}

TEST_F(DialerTest, MessagesForOrOfAnotherSessionAreIgnored) {
  welcome();
  out_.actions().clear();
  EXPECT_EQ(receive(Drain{}, theirs, second), LinkEvent::none);
  EXPECT_EQ(receive(Drain{}, theirs, Session{}), LinkEvent::none);
  EXPECT_EQ(receive(Drain{}, other, first), LinkEvent::none);
  EXPECT_EQ(receive(Reject{true, "stale"}, theirs, second), LinkEvent::none);
  EXPECT_EQ(receive(Reject{false, "stale"}, theirs, second), LinkEvent::none);
  EXPECT_EQ(welcome(other, second), LinkEvent::none);
  EXPECT_TRUE(dialer_.up());
  EXPECT_TRUE(out_.actions().empty());
}

TEST_F(DialerTest, StaleMessagesDoNotKeepTheSession) {
  welcome();
  for (int i = 0; i < 12; ++i) {
    tick(250ms);
    receive(Drain{}, other, first);
    receive(Drain{}, theirs, second);
  }
  EXPECT_EQ(tick(250ms), LinkEvent::down);
}

TEST_F(DialerTest, MessagesBeforeTheWelcomeAreIgnored) { EXPECT_EQ(receive(Drain{}), LinkEvent::none); }

TEST_F(DialerTest, HelloAgainBeginsANewSession) {
  welcome();
  out_.actions().clear();
  EXPECT_EQ(receive(Reject{true, "not known"}), LinkEvent::down);
  const auto hello = take_sent<Hello>(out_);
  ASSERT_EQ(hello.size(), 1U);
  EXPECT_EQ(hello[0].envelope.from, second);
}

TEST_F(DialerTest, HelloAgainBeforeTheWelcomeIsWaitedOutWithItsReason) {
  EXPECT_EQ(receive(Reject{true, "not yet"}), LinkEvent::none);
  EXPECT_TRUE(out_.actions().empty());
  EXPECT_THAT(dialer_.complaint(), HasSubstr("no dp-route answered within 60 s (not yet)"));
}

TEST_F(DialerTest, ARestartedPeersWelcomeIsANewSession) {
  welcome();
  EXPECT_EQ(welcome(other), LinkEvent::up);
  EXPECT_EQ(receive(Drain{}, theirs), LinkEvent::none);
  EXPECT_EQ(receive(Drain{}, other), LinkEvent::message);
}

TEST_F(DialerTest, AFinalRejectionIsReported) {
  EXPECT_EQ(receive(Reject{false, "wrong run"}, Session{}), LinkEvent::refused);
  EXPECT_THAT(dialer_.complaint(), HasSubstr("wrong run"));
}

TEST_F(DialerTest, GivesUpWhenNobodyAnswersForTooLong) {
  for (int i = 0; i < 300; ++i) ASSERT_EQ(tick(200ms), LinkEvent::none);
  EXPECT_EQ(tick(200ms), LinkEvent::gave_up);
  EXPECT_EQ(dialer_.complaint(), "no dp-route answered within 60 s");
}

TEST_F(DialerTest, TheWaitCountsFromTheLossOfTheSession) {
  welcome();
  for (int i = 0; i < 400; ++i) {
    tick(200ms);
    receive(Drain{});
  }
  while (dialer_.up()) tick(200ms);
  const Time lost = now_;
  LinkEvent event = LinkEvent::none;
  while (event == LinkEvent::none) event = tick(200ms);
  EXPECT_EQ(event, LinkEvent::gave_up);
  EXPECT_EQ(now_ - lost, 60s + 200ms);
}

TEST_F(DialerTest, TellsThePeerTheOffsetOfItsClockUnlessItIsTheSameClock) {
  const auto offset_told = [&](const std::string& boot_id) {
    receive(Welcome{{}, boot_id, {}}, boot_id == "boot" ? theirs : other);
    const Session peer = boot_id == "boot" ? theirs : other;
    receive(Pong{now_, now_ + 7s, now_ + 7s}, peer);
    out_.actions().clear();
    tick(1s);
    return std::get<Ping>(take_sent<Ping>(out_).at(0).envelope.body).offset;
  };
  EXPECT_EQ(offset_told("boot"), 0s);
  EXPECT_EQ(offset_told("another host"), 7s);
}

}  // namespace
}  // namespace dp
