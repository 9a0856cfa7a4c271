// A Publisher and those who listen to it, over real sockets: whoever may hears it, and nobody holds it up.
// SPDX-License-Identifier: MIT
#include "wire/publisher.hpp"

#include <gmock/gmock.h>
#include <poll.h>

#include <functional>
#include <zmq.hpp>

#include "base/error.hpp"
#include "wire/codec.hpp"
#include "wire/subscriber.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

constexpr auto patience = std::chrono::seconds(20);
const std::string any_port = "tcp://127.0.0.1:0";

Snapshot snapshot(std::uint64_t number) {
  Snapshot s;
  s.number = number;
  s.state = RunState::running;
  s.warnings = {"a warning"};
  return s;
}

void wait(const Subscriber& subscriber) {
  std::vector<pollfd> fds;
  for (const int fd : subscriber.descriptors()) fds.push_back({fd, POLLIN, 0});
  ::poll(fds.data(), fds.size(), 20);
}

/// Does `again` and listens until something is heard, or the reason why not is known.
std::optional<Snapshot> hear(Subscriber& subscriber, const std::function<void()>& again) {
  for (const Time begun = now(); now() - begun < patience;) {
    again();
    if (auto heard = subscriber.receive()) return heard;
    if (!subscriber.complaint().empty()) return std::nullopt;
    wait(subscriber);
  }
  return std::nullopt;
}

TEST(Publisher, IsHeardByWhoeverListens) {
  Publisher publisher(any_port, {});
  EXPECT_THAT(publisher.endpoint(), testing::Not(testing::EndsWith(":0")));
  Subscriber one(publisher.endpoint(), {}), two(publisher.endpoint(), {});
  std::uint64_t number = 0;
  const auto publish = [&] { publisher.publish(Session{1}, snapshot(++number)); };
  for (Subscriber* subscriber : {&one, &two}) {
    const auto heard = hear(*subscriber, publish);
    ASSERT_TRUE(heard) << subscriber->complaint();
    EXPECT_LE(heard->number, number);
    EXPECT_EQ(heard->warnings, std::vector<std::string>{"a warning"});
  }
}

TEST(Publisher, SaysWhatCannotBeBound) {
  Publisher publisher(any_port, {});
  try {
    Publisher(publisher.endpoint(), {});
    FAIL() << "bound twice";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("cannot bind " + publisher.endpoint()));
  }
}

TEST(Publisher, WaitsForNobodyWhoDoesNotRead) {
  Publisher publisher(any_port, {});
  zmq::context_t context;
  std::vector<zmq::socket_t> idle;
  for (int i = 0; i < 20; ++i) {
    idle.emplace_back(context, zmq::socket_type::sub);
    idle.back().set(zmq::sockopt::linger, 0);
    idle.back().set(zmq::sockopt::rcvhwm, 1);
    idle.back().set(zmq::sockopt::subscribe, "");
    idle.back().connect(publisher.endpoint());
  }
  Subscriber attentive(publisher.endpoint(), {});
  std::uint64_t number = 0;
  const auto publish_much = [&] {
    Snapshot large = snapshot(++number);
    large.warnings.assign(10'000, std::string(100, 'x'));  // 1 MB
    publisher.publish(Session{1}, std::move(large));
  };
  std::uint64_t last = 0;
  for (int heard = 0; heard < 50; ++heard) {  // far more than the sockets of the idle can take
    const auto next = hear(attentive, publish_much);
    ASSERT_TRUE(next) << attentive.complaint();
    EXPECT_GT(next->number, last);
    last = next->number;
  }
}

/// A reader as ZeroMQ has it, and whether it was ever cut off.
struct Reader {
  explicit Reader(const std::string& endpoint) {
    socket.set(zmq::sockopt::linger, 0);
    ::zmq_socket_monitor(socket.handle(), "inproc://ends", ZMQ_EVENT_DISCONNECTED);
    ends.connect("inproc://ends");
    socket.set(zmq::sockopt::subscribe, "");
    socket.connect(endpoint);
  }
  bool hears() {
    zmq::message_t frame;
    bool any = false;
    while (socket.recv(frame, zmq::recv_flags::dontwait)) any = true;
    return any;
  }
  bool cut() {
    zmq::pollitem_t item{ends.handle(), 0, ZMQ_POLLIN, 0};
    return zmq::poll(&item, 1, std::chrono::milliseconds(0)) > 0;
  }
  zmq::context_t context;
  zmq::socket_t socket{context, zmq::socket_type::sub}, ends{context, zmq::socket_type::pair};
};

TEST(Publisher, HangsUpOnWhoKeepsTalkingAndOnNobodyElse) {
  Publisher publisher(any_port, {});
  Reader honest(publisher.endpoint()), talker(publisher.endpoint());
  std::uint64_t number = 0;
  bool heard = false;
  for (const Time begun = now(); now() - begun < patience && !(heard && talker.cut());) {
    publisher.publish(Session{1}, snapshot(++number));
    heard = honest.hears() || heard;
    for (int i = 0; i < 10; ++i) talker.socket.set(zmq::sockopt::subscribe, fmt::format("{} {}", number, i));
    ::poll(nullptr, 0, 5);
  }
  EXPECT_TRUE(talker.cut());
  EXPECT_TRUE(heard);
  EXPECT_FALSE(honest.cut());
}

struct KeyedPublisher : testing::Test {
  KeyPair collect = make_key_pair(Role::collect), top = make_key_pair(Role::top),
          infer = make_key_pair(Role::infer);
  Publisher publisher{any_port, Security{collect, {}, {{top.open, Role::top}, {infer.open, Role::infer}}}};

  Security as(const KeyPair& own) const { return {own, {{Role::collect, collect.open}}, {}}; }
  std::optional<Snapshot> hear_it(Subscriber& subscriber) {
    return hear(subscriber, [&] { publisher.publish(Session{1}, snapshot(1)); });
  }
};

TEST_F(KeyedPublisher, IsHeardByTheOwnersOfTopKeys) {
  Subscriber subscriber(publisher.endpoint(), as(top));
  EXPECT_TRUE(hear_it(subscriber)) << subscriber.complaint();
}

TEST_F(KeyedPublisher, IsNotHeardWithKeysOfOtherRolesOrUnlistedOnesOrWithout) {
  for (const auto& [security, complaint] :
       {std::pair<std::optional<Security>, const char*>{as(infer), "refuses this key"},
        {as(make_key_pair(Role::top)), "refuses this key"},
        {std::nullopt, "if it wants keys"}}) {
    Subscriber intruder(publisher.endpoint(), security);
    EXPECT_FALSE(hear_it(intruder));
    EXPECT_THAT(intruder.complaint(),
                testing::AnyOf(HasSubstr(complaint), HasSubstr("does not speak without keys")));
  }
}

/// Frames that are sent to a Subscriber as they are, until it has something to say.
std::string complaint_about(const std::vector<std::string>& frames) {
  zmq::context_t context;
  zmq::socket_t junk(context, zmq::socket_type::pub);
  junk.set(zmq::sockopt::linger, 0);
  junk.bind("tcp://127.0.0.1:*");
  Subscriber subscriber(junk.get(zmq::sockopt::last_endpoint), {});
  EXPECT_FALSE(hear(subscriber, [&] {
    for (std::size_t i = 0; i < frames.size(); ++i)
      junk.send(zmq::buffer(frames[i]),
                i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }));
  return subscriber.complaint();
}

Frames encoded(Message message) {
  Envelope envelope{Session{1}, {}, std::move(message)};
  Frames frames;
  encode(envelope, frames);
  return frames;
}

TEST(Subscriber, SaysWhatItCannotRead) {
  const Frames whole = encoded(snapshot(1));
  EXPECT_THAT(complaint_about({"junk"}), HasSubstr("1 frames, expected 2"));
  EXPECT_THAT(complaint_about({whole.header, whole.arrays, "more"}), HasSubstr("3 frames"));
  EXPECT_THAT(complaint_about({whole.header, whole.arrays + "x"}),
              HasSubstr("1 bytes after the last column"));
  EXPECT_THAT(complaint_about({whole.header.substr(0, 20), whole.arrays}), HasSubstr("cannot read"));
  const Frames ack = encoded(Ack{{1}});
  EXPECT_THAT(complaint_about({ack.header, ack.arrays}), HasSubstr("expected a snapshot"));
  Snapshot uneven = snapshot(1);
  uneven.names = {"one"};
  const Frames frames = encoded(uneven);
  EXPECT_THAT(complaint_about({frames.header, frames.arrays}), HasSubstr("columns of different lengths"));
}

TEST(Subscriber, GoesOnWithAnotherPublisherAtTheSamePlace) {
  auto first = std::make_unique<Publisher>(any_port, std::nullopt);
  const std::string endpoint = first->endpoint();
  Subscriber subscriber(endpoint, {});
  ASSERT_TRUE(hear(subscriber, [&] { first->publish(Session{1}, snapshot(1)); }));
  first.reset();
  Publisher second(endpoint, {});
  for (std::uint64_t number = 0; number != 2;) {
    const auto heard = hear(subscriber, [&] { second.publish(Session{2}, snapshot(2)); });
    ASSERT_TRUE(heard) << subscriber.complaint();
    number = heard->number;
  }
}

}  // namespace
}  // namespace dp
