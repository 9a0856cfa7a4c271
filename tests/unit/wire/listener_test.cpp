// The bound side of many links, driven by hand: who is taken in, who is replaced, who is gone.
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
constexpr Session ours{0x9'0000'0001};
constexpr PeerId a{16}, b{17}, c{18};

/// Session number `count` of process `process`.
constexpr Session session(std::uint64_t process, std::uint64_t count = 1) {
  return Session{process << 32 | count};
}

class ListenerTest : public testing::Test {
 protected:
  Listener::Acceptance hello(PeerId from, Session session, const std::string& name, Role role = Role::infer) {
    Envelope envelope{session, Session{}, Hello{role, name, "boot", {}, false, {}, {}, {}, {}, {}, {}}};
    EXPECT_EQ(listener_.receive(now_, from, envelope, out_), LinkEvent::up);
    return listener_.accept(now_, from, envelope, Welcome{RunId{3}, "", {}}, out_);
  }
  LinkEvent receive(PeerId from, Session session, Message message, std::optional<Session> to = {}) {
    const PeerState* known = listener_.find(from);
    Envelope envelope{session, to.value_or(known ? known->ours : ours), std::move(message)};
    return listener_.receive(now_, from, envelope, out_);
  }
  std::vector<std::string> expire(Duration later) {
    std::vector<std::string> names;
    for (const auto& [id, peer] : listener_.expire(now_ += later, out_)) names.push_back(peer.name);
    return names;
  }

  Time now_ = start;
  Outbox out_;
  Listener listener_{"boot", ours, timing};
};

TEST_F(ListenerTest, WelcomesWithItsBootIdToTheSessionThatSaidHello) {
  hello(a, session(1), "w0");
  const auto welcome = take_sent<Welcome>(out_);
  ASSERT_EQ(welcome.size(), 1U);
  EXPECT_EQ(welcome[0].to, a);
  EXPECT_EQ(process_of(welcome[0].envelope.from), process_of(ours));
  EXPECT_EQ(welcome[0].envelope.to, session(1));
  EXPECT_EQ(std::get<Welcome>(welcome[0].envelope.body).boot_id, "boot");
  EXPECT_EQ(std::get<Welcome>(welcome[0].envelope.body).run, RunId{3});
}

TEST_F(ListenerTest, APeerWhoseConnectionHasEndedIsGoneUnlessItIsBackInTime) {
  hello(a, session(1), "w0");
  hello(b, session(2), "w1");
  expire({});
  listener_.disconnected(now_, a);
  listener_.disconnected(now_, c);  // not known
  EXPECT_EQ(listener_.next_deadline(), now_ + timing.reconnect);
  EXPECT_TRUE(expire(timing.reconnect - 1ns).empty());
  EXPECT_EQ(expire(1ns), std::vector<std::string>{"w0"});
  EXPECT_GT(listener_.next_deadline(), now_ + timing.reconnect);
  hello(b, session(2), "w1");
  listener_.disconnected(now_, b);
  expire(timing.reconnect - 1ns);
  receive(b, session(2), Credit{1});  // sent before, read only now
  EXPECT_TRUE(expire(timing.reconnect - 1ns).empty());
  listener_.disconnected(now_, b);
  EXPECT_EQ(hello(c, session(2, 2), "w1").replaced, b);
  EXPECT_TRUE(expire(timing.reconnect).empty());
}

TEST_F(ListenerTest, ASessionTakenInAgainIsToldAnotherNonce) {
  hello(a, session(1), "w0");
  const Session before = listener_.find(a)->ours;
  listener_.drop(a, out_);
  hello(a, session(1), "w0");
  EXPECT_NE(listener_.find(a)->ours, before);
  EXPECT_EQ(receive(a, session(1), Credit{1}, before), LinkEvent::none);
}

TEST_F(ListenerTest, PassesOnMessagesOfASessionItKnows) {
  hello(a, session(1), "w0");
  EXPECT_EQ(receive(a, session(1), Credit{1}), LinkEvent::message);
}

TEST_F(ListenerTest, AnswersWhatItDoesNotKnowWithHelloAgain) {
  hello(a, session(1), "w0");
  const Session known = listener_.find(a)->ours;
  const std::tuple<PeerId, Session, Session> cases[] = {
      {b, session(2), known},                   // never said HELLO
      {a, session(1, 2), known},                // another session of the same peer
      {a, session(1), Session{0x8'0000'0001}},  // meant for the process before this one
      {a, session(1), Session{}},
  };
  for (const auto& [peer, from, to] : cases) {
    out_.actions().clear();
    EXPECT_EQ(receive(peer, from, Credit{1}, to), LinkEvent::none);
    const auto reject = take_sent<Reject>(out_);
    ASSERT_EQ(reject.size(), 1U);
    EXPECT_EQ(reject[0].to, peer);
    EXPECT_EQ(reject[0].envelope.to, from);
    EXPECT_TRUE(std::get<Reject>(reject[0].envelope.body).hello_again);
  }
}

TEST_F(ListenerTest, AnswersAPingWithItsTimesAndRemembersTheOffset) {
  hello(a, session(1), "w0");
  now_ += 5ms;
  out_.actions().clear();
  EXPECT_EQ(receive(a, session(1), Ping{start, 0, 3s, 1ms, {}}), LinkEvent::message);
  const auto pong = take_sent<Pong>(out_);
  ASSERT_EQ(pong.size(), 1U);
  const Pong& times = std::get<Pong>(pong[0].envelope.body);
  EXPECT_EQ(std::tie(times.t1, times.t2, times.t3), std::tie(start, now_, now_));
  EXPECT_EQ(listener_.find(a)->offset, 3s);
  EXPECT_EQ(listener_.find(a)->bound, 1ms);
}

TEST_F(ListenerTest, AHelloSaidTwiceIsWelcomedTwiceAndReplacesNobody) {
  hello(a, session(1), "w0");
  EXPECT_EQ(hello(a, session(1), "w0").replaced, std::nullopt);
  EXPECT_EQ(take_sent<Welcome>(out_).size(), 2U);
}

TEST_F(ListenerTest, ANewSessionOfTheSameProcessReplacesTheOldOneAtOnce) {
  hello(a, session(1, 1), "w0");
  out_.actions().clear();
  const auto acceptance = hello(b, session(1, 2), "w0");
  EXPECT_EQ(acceptance.replaced, a);
  EXPECT_FALSE(acceptance.refused);
  EXPECT_EQ(count_of<Forget>(out_), 1U);
  EXPECT_EQ(listener_.find(a), nullptr);
  EXPECT_NE(listener_.find(b), nullptr);
}

TEST_F(ListenerTest, ANewSessionOnTheSameConnectionReplacesWithoutForgettingIt) {
  hello(a, session(1, 1), "w0");
  out_.actions().clear();
  EXPECT_EQ(hello(a, session(1, 2), "w0").replaced, a);
  EXPECT_EQ(count_of<Forget>(out_), 0U);
  EXPECT_EQ(listener_.find(a)->session, session(1, 2));
  EXPECT_EQ(receive(a, session(1, 1), Credit{1}), LinkEvent::none);
}

TEST_F(ListenerTest, ANameInUseByALiveProcessIsRefusedForNow) {
  hello(a, session(1), "w0");
  out_.actions().clear();
  now_ += 3s;
  const auto acceptance = hello(b, session(2), "w0");
  EXPECT_TRUE(acceptance.refused);
  EXPECT_EQ(acceptance.replaced, std::nullopt);
  const auto reject = take_sent<Reject>(out_);
  ASSERT_EQ(reject.size(), 1U);
  EXPECT_EQ(reject[0].to, b);
  EXPECT_TRUE(std::get<Reject>(reject[0].envelope.body).hello_again);
  EXPECT_THAT(std::get<Reject>(reject[0].envelope.body).reason,
              HasSubstr("'w0' is in use by a live dp-infer"));
  EXPECT_EQ(listener_.find(b), nullptr);
  EXPECT_EQ(receive(a, session(1), Credit{1}), LinkEvent::message);
}

TEST_F(ListenerTest, ANameWhoseProcessIsSilentIsFree) {
  hello(a, session(1), "w0");
  now_ += 3001ms;
  const auto acceptance = hello(b, session(2), "w0");
  EXPECT_FALSE(acceptance.refused);
  EXPECT_EQ(acceptance.replaced, a);
}

TEST_F(ListenerTest, AnotherNameOrRoleReplacesNobody) {
  hello(a, session(1), "w0");
  EXPECT_EQ(hello(b, session(2), "w1").replaced, std::nullopt);
  const auto stream = hello(c, session(3), "w0", Role::stream);
  EXPECT_FALSE(stream.refused);
  EXPECT_EQ(stream.replaced, std::nullopt);
  EXPECT_EQ(listener_.peers().size(), 3U);
}

TEST_F(ListenerTest, APeerNotHeardForThreeHeartbeatsExpires) {
  hello(a, session(1), "w0");
  hello(b, session(2), "w1");
  for (int i = 0; i < 6; ++i) {
    EXPECT_THAT(expire(500ms), testing::IsEmpty());
    receive(b, session(2), Ping{});
  }
  out_.actions().clear();
  EXPECT_THAT(expire(500ms), testing::ElementsAre("w0"));
  EXPECT_EQ(count_of<Forget>(out_), 1U);
  EXPECT_EQ(listener_.find(a), nullptr);
  EXPECT_NE(listener_.find(b), nullptr);
}

TEST_F(ListenerTest, AnExpiredPeerIsToldToSayHelloAgain) {
  hello(a, session(1), "w0");
  for (int i = 0; i < 8; ++i) expire(500ms);
  out_.actions().clear();
  EXPECT_EQ(receive(a, session(1), Credit{1}), LinkEvent::none);
  EXPECT_EQ(take_sent<Reject>(out_).size(), 1U);
}

TEST_F(ListenerTest, ItsOwnAbsenceIsNotThePeersDeath) {
  hello(a, session(1), "w0");
  expire(500ms);
  EXPECT_THAT(expire(1h), testing::IsEmpty());
}

TEST_F(ListenerTest, AfterItsOwnAbsenceADeadPeerIsNoticedNoLaterThanUsual) {
  hello(a, session(1), "w0");
  expire(500ms);
  now_ += 1h;
  receive(a, session(1), Credit{1});  // what had queued up meanwhile
  expire(0ms);
  for (int i = 0; i < 6; ++i) EXPECT_THAT(expire(500ms), testing::IsEmpty());
  EXPECT_THAT(expire(500ms), testing::ElementsAre("w0"));
}

TEST_F(ListenerTest, ADeadPeerExpiresHoweverLateTheTicks) {
  for (const Duration late : {0ms, 1ms, 300ms, 600ms}) {
    hello(a, session(1), "w0");
    std::vector<std::string> gone;
    for (const Time end = now_ + 10s; gone.empty() && now_ < end;) {
      gone = expire(std::max(listener_.next_deadline() - now_, Duration{}) + late);
    }
    EXPECT_THAT(gone, testing::ElementsAre("w0")) << to_ms(late) << " ms late";
  }
}

TEST_F(ListenerTest, SendsToKnownPeersOnly) {
  hello(a, session(1), "w0");
  out_.actions().clear();
  listener_.send(a, Drain{}, out_);
  listener_.send(b, Drain{}, out_);
  const auto sent = take_sent<Drain>(out_);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].envelope.to, session(1));
}

TEST_F(ListenerTest, ADroppedPeerIsForgottenOnce) {
  hello(a, session(1), "w0");
  out_.actions().clear();
  listener_.drop(a, out_);
  listener_.drop(a, out_);
  EXPECT_EQ(count_of<Forget>(out_), 1U);
}

TEST(Session, NamesItsProcess) {
  Rng rng(1);
  const Session first = new_session(rng), other = new_session(rng);
  EXPECT_EQ(process_of(first), process_of(Session{raw(first) + 1}));
  EXPECT_NE(process_of(first), process_of(other));
  EXPECT_NE(first, Session{});
}

}  // namespace
}  // namespace dp
