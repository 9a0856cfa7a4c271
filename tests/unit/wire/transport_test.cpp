// Messages over real sockets, and what unauthenticated peers may throw at them. Everything waits for events, never for
// time.
// SPDX-License-Identifier: MIT
#include "wire/transport.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <zmq.hpp>

#include "sample_messages.hpp"
#include "wire/stage.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

constexpr int patience_ms = 20'000;  ///< an event that has not come by then never will
constexpr Duration patience = std::chrono::milliseconds(patience_ms);

void wait_for_event(Transport& transport, Time until = now() + patience) {
  transport.wait({}, until - now());
  if (now() >= until) throw Error("nothing happened for {} s", to_seconds(patience));
}

Incoming receive(Transport& transport) {
  for (const Time until = now() + patience;; wait_for_event(transport, until)) {
    if (auto incoming = transport.receive()) return std::move(*incoming);
  }
}

/// Sends once the connection is there.
void send(Transport& transport, PeerId to, Message message) {
  Envelope envelope{Session{1}, Session{2}, std::move(message)};
  for (const Time until = now() + patience; !transport.send(to, envelope);) wait_for_event(transport, until);
}

struct Pair {
  Transport bound, dialled;
  std::string endpoint = bound.bind("tcp://127.0.0.1:0");
  Pair() { dialled.dial(route_peer, endpoint); }
};

/// A ZeroMQ socket that says what it likes.
struct UnauthenticatedPeer {
  zmq::context_t context{1};
  zmq::socket_t socket;
  explicit UnauthenticatedPeer(zmq::socket_type type) : socket(context, type) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, patience_ms);
  }
  void say(const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      socket.send(zmq::buffer(frames[i]),
                  i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  }
  std::vector<std::string> hear() {
    std::vector<std::string> frames;
    do {
      zmq::message_t frame;
      if (!socket.recv(frame)) throw Error("nothing was said");
      frames.push_back(frame.to_string());
    } while (socket.get(zmq::sockopt::rcvmore));
    return frames;
  }
};

/// START, with a number to tell one from another.
std::string start_header(std::uint32_t number) { return sample::encoded(Start{number}).header; }
std::uint32_t number_of(const Incoming& incoming) { return std::get<Start>(incoming.envelope.body).workers; }

/// The same header of the next protocol version: the version is the second byte.
std::string of_next_version(std::string header) {
  header[1] = static_cast<char>(protocol_version + 1);
  return header;
}

void expect_batch(const Envelope& envelope) {
  const Batch sent = sample::filled<Batch>(), got = std::get<Batch>(envelope.body);
  EXPECT_EQ(got.lease, sent.lease);
  EXPECT_EQ(got.ids, sent.ids);
  EXPECT_TRUE(std::ranges::equal(got.payload.bytes, sent.payload.bytes));
}

// ---- friends ---------------------------------------------------------------------------------------------

TEST(Transport, CarriesABatchBothWays) {
  Pair pair;
  send(pair.dialled, route_peer, sample::filled<Batch>());
  const Incoming there = receive(pair.bound);
  EXPECT_GE(raw(there.from), raw(first_inbound));
  EXPECT_EQ(there.envelope.from, Session{1});
  EXPECT_EQ(there.envelope.to, Session{2});
  expect_batch(there.envelope);
  send(pair.bound, there.from, std::get<Batch>(there.envelope.body));
  const Incoming back = receive(pair.dialled);
  EXPECT_EQ(back.from, route_peer);
  expect_batch(back.envelope);
}

TEST(Transport, CarriesEveryTypeInOrder) {
  Pair pair;
  for (const Message& message : sample::one_of_each()) send(pair.dialled, route_peer, message);
  for (const Message& message : sample::one_of_each()) {
    EXPECT_EQ(receive(pair.bound).envelope.body.index(), message.index());
  }
  EXPECT_EQ(pair.bound.malformed(), 0U);
}

TEST(Transport, KeepsPayloadsOfAnySizeWhole) {
  Pair pair;
  for (const std::uint32_t side : {1U, 32U, 1000U}) {
    Batch batch = sample::filled<Batch>();
    batch.shape = {3, side, side};
    batch.payload = sample::payload_of(2 * batch.shape.bytes());
    send(pair.dialled, route_peer, batch);
    const Incoming there = receive(pair.bound);
    EXPECT_TRUE(std::ranges::equal(std::get<Batch>(there.envelope.body).payload.bytes, batch.payload.bytes));
  }
}

TEST(Transport, WorksOverIpc) {
  std::string folder = testing::TempDir() + "dp-ipc-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  {
    Transport bound, dialled;
    dialled.dial(route_peer, bound.bind("ipc://" + folder + "/s"));
    send(dialled, route_peer, Start{3});
    EXPECT_EQ(number_of(receive(bound)), 3U);
  }
  ::unlink((folder + "/s").c_str());
  ::rmdir(folder.c_str());
}

TEST(Transport, TellsPeersApart) {
  Pair pair;
  Transport another;
  another.dial(route_peer, pair.endpoint);
  send(pair.dialled, route_peer, Start{1});
  const PeerId first = receive(pair.bound).from;
  send(another, route_peer, Start{2});
  const PeerId second = receive(pair.bound).from;
  EXPECT_NE(first, second);
  send(pair.bound, second, Start{22});
  send(pair.bound, first, Start{11});
  EXPECT_EQ(number_of(receive(another)), 22U);
  EXPECT_EQ(number_of(receive(pair.dialled)), 11U);
}

TEST(Transport, ARedialledPeerIsAnotherOneToTheBoundSide) {
  Pair pair;
  send(pair.dialled, route_peer, Start{1});
  const PeerId before = receive(pair.bound).from;
  pair.dialled.redial(route_peer);
  send(pair.dialled, route_peer, Start{2});
  const Incoming after = receive(pair.bound);
  EXPECT_NE(after.from, before);
  send(pair.bound, after.from, Start{3});
  EXPECT_EQ(number_of(receive(pair.dialled)), 3U);
}

TEST(Transport, SendsToNobodyItDoesNotKnow) {
  Pair pair;
  Envelope fin{Session{1}, Session{2}, Fin{}};
  EXPECT_FALSE(pair.bound.send(first_inbound, fin));
  EXPECT_FALSE(pair.dialled.send(collect_peer, fin));
  send(pair.dialled, route_peer, Start{1});
  const PeerId peer = receive(pair.bound).from;
  EXPECT_TRUE(pair.bound.send(peer, fin));
  pair.bound.forget(peer);
  EXPECT_FALSE(pair.bound.send(peer, fin));
}

TEST(Transport, ASendToAPeerThatIsGoneFails) {
  Transport bound;
  auto intruder = std::make_unique<UnauthenticatedPeer>(zmq::socket_type::dealer);
  intruder->socket.connect(bound.bind("tcp://127.0.0.1:0"));
  intruder->say({start_header(1)});
  const PeerId peer = receive(bound).from;
  intruder.reset();
  Envelope fin{Session{1}, Session{2}, Fin{}};
  for (int sent = 0; bound.send(peer, fin); ++sent) {
    ASSERT_LT(sent, 1000) << "far fewer than wait for one peer at most";
    bound.receive();
    bound.disconnected();
    wait_for_event(bound);
  }
}

TEST(Transport, TellsOfAConnectionThatHasEndedOnceWhatCameByItWasReceived) {
  Transport bound;
  auto leaver = std::make_unique<Transport>(), stayer = std::make_unique<Transport>();
  const std::string endpoint = bound.bind("tcp://127.0.0.1:0");
  std::map<PeerId, std::vector<std::uint64_t>> heard;
  for (Transport* dialled : {leaver.get(), stayer.get()}) {
    dialled->dial(route_peer, endpoint);
    send(*dialled, route_peer, Start{1});
    const PeerId peer = receive(bound).from;
    heard[peer];
    send(bound, peer, Welcome{});
    receive(*dialled);
  }
  EXPECT_TRUE(bound.disconnected().empty());
  for (std::uint32_t number = 2; number < 500; ++number) send(*leaver, route_peer, Start{number});
  leaver.reset();  // lingers until all is sent
  std::vector<PeerId> ended;
  while (ended.empty()) {
    while (auto incoming = bound.receive()) heard[incoming->from].push_back(number_of(*incoming));
    ended = bound.disconnected();
    if (ended.empty()) wait_for_event(bound);
  }
  ASSERT_EQ(ended, std::vector{heard.begin()->first});
  EXPECT_EQ(heard.begin()->second.size(), 498U);
  EXPECT_TRUE(bound.disconnected().empty());
}

TEST(Transport, AnEndpointInUseIsNamed) {
  Transport one, two;
  const std::string endpoint = one.bind("tcp://127.0.0.1:0");
  try {
    two.bind(endpoint);
    FAIL() << "bound twice";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr(endpoint), HasSubstr("port 0 picks a free one")));
  }
}

TEST(Transport, BindsAndDialsIPv6AndNames) {
  for (const std::string host : {"[::1]", "localhost"}) {
    Transport bound, dialled;
    const std::string at = bound.bind("tcp://" + host + ":0");
    dialled.dial(route_peer, "tcp://" + host + at.substr(at.rfind(':')));
    send(dialled, route_peer, Start{7});
    EXPECT_EQ(number_of(receive(bound)), 7U) << host;
  }
}

/// What `bind` says against an ipc path.
std::string refusal_of(const std::string& path) {
  Transport transport;
  try {
    transport.bind("ipc://" + path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

struct IpcPath : testing::Test {
  const std::filesystem::path folder = make_folder();
  const std::string path = folder / "x";
  static std::string make_folder() {
    std::string name = std::filesystem::temp_directory_path() / "dp-ipc-XXXXXX";
    return ::mkdtemp(name.data());
  }
  ~IpcPath() override { std::filesystem::remove_all(folder); }
};

TEST_F(IpcPath, ThatAnotherListensAtIsRefused) {
  Transport first, dialled;
  first.bind("ipc://" + path);
  EXPECT_THAT(refusal_of(path), testing::AllOf(HasSubstr("ipc://" + path), HasSubstr("another process listens")));
  dialled.dial(route_peer, "ipc://" + path);
  send(dialled, route_peer, Start{7});
  EXPECT_EQ(number_of(receive(first)), 7U);
}

TEST_F(IpcPath, OfAProcessThatIsGoneIsTakenOver) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ::close(fd);
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_EQ(refusal_of(path), "");
}

TEST_F(IpcPath, ThatIsAFileIsLeftAlone) {
  std::ofstream(path) << "mine";
  EXPECT_THAT(refusal_of(path), HasSubstr("no socket"));
  EXPECT_EQ(std::filesystem::file_size(path), 4U);
}

// ---- unauthenticated peers -------------------------------------------------------------------------------------------

/// A connection to the TCP port that does not speak ZeroMQ's protocol by itself.
int connect_raw(const std::string& endpoint) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Error("cannot connect to {}", endpoint);
  return fd;
}

/// Writes bytes there and hangs up.
void write_raw(const std::string& endpoint, const std::string& bytes) {
  const int fd = connect_raw(endpoint);
  ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  ::close(fd);
}

TEST(Transport, SurvivesGarbageOnItsPort) {
  Pair pair;
  std::string greeting("\xFF\0\0\0\0\0\0\0\1\x7F\3\0NULL", 16);
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), std::string(1, '\xFF'), std::string(64, '\0'),
        std::string(4096, '\xFF'), greeting, greeting + std::string(1000, '\x07')}) {
    write_raw(pair.endpoint, bytes);
  }
  send(pair.dialled, route_peer, Start{5});
  EXPECT_EQ(number_of(receive(pair.bound)), 5U);
}

TEST(Transport, CountsMalformedMessagesAndGoesOn) {
  Transport bound;
  UnauthenticatedPeer intruder(zmq::socket_type::dealer);
  intruder.socket.connect(bound.bind("tcp://127.0.0.1:0"));
  const Frames batch = sample::encoded(sample::filled<Batch>());
  const std::string pixels(reinterpret_cast<const char*>(batch.payload.bytes.data()),
                           batch.payload.bytes.size());
  const std::vector<std::vector<std::string>> malformed = {
      {""},
      {"garbage"},
      {start_header(1), ""},
      {start_header(1), "", "", ""},
      std::vector<std::string>(100, start_header(1)),
      {sample::encoded(Ack{{1}}).header},
      {batch.header, batch.arrays, pixels, "and more"},
  };
  for (const auto& frames : malformed) intruder.say(frames);
  intruder.say({start_header(9)});
  EXPECT_EQ(number_of(receive(bound)), 9U);
  EXPECT_EQ(bound.malformed(), malformed.size());
}

TEST(Transport, AFrameOverTheLimitEndsItsConnectionOnly) {
  Pair pair;
  UnauthenticatedPeer intruder(zmq::socket_type::dealer);
  ASSERT_EQ(::zmq_socket_monitor(intruder.socket.handle(), "inproc://monitor", ZMQ_EVENT_DISCONNECTED), 0);
  zmq::socket_t events(intruder.context, zmq::socket_type::pair);
  events.set(zmq::sockopt::rcvtimeo, patience_ms);
  events.connect("inproc://monitor");
  intruder.socket.connect(pair.endpoint);
  intruder.socket.send(zmq::message_t((std::size_t{64} << 20) + 1000), zmq::send_flags::none);
  zmq::message_t event;
  EXPECT_TRUE(events.recv(event)) << "still connected";
  send(pair.dialled, route_peer, Start{5});
  EXPECT_EQ(number_of(receive(pair.bound)), 5U);
  EXPECT_EQ(pair.bound.malformed(), 0U);
}

TEST(Transport, TheBoundSideTellsAnotherVersionThatItIsRefused) {
  Transport bound;
  UnauthenticatedPeer intruder(zmq::socket_type::dealer);
  intruder.socket.connect(bound.bind("tcp://127.0.0.1:0"));
  intruder.say({of_next_version(start_header(1))});
  intruder.say({start_header(9)});
  EXPECT_EQ(number_of(receive(bound)), 9U);
  const auto frames = intruder.hear();
  ASSERT_EQ(frames.size(), 1U);
  const Envelope answer = decode(frames[0], std::nullopt, std::nullopt);
  EXPECT_EQ(answer.to, Session{0xAAAA'0000'0001});
  EXPECT_FALSE(std::get<Reject>(answer.body).hello_again);
  EXPECT_THAT(
      std::get<Reject>(answer.body).reason,
      HasSubstr(fmt::format("protocol version {}, expected {}", protocol_version + 1, protocol_version)));
}

TEST(Transport, TheDialledSideDoesNotAnswerAnotherVersion) {
  // If both did, two versions would send each other refusals of refusals without end.
  UnauthenticatedPeer intruder(zmq::socket_type::router);
  intruder.socket.bind("tcp://127.0.0.1:*");
  Transport dialled;
  dialled.dial(route_peer, intruder.socket.get(zmq::sockopt::last_endpoint));
  send(dialled, route_peer, Start{1});
  const std::string id = intruder.hear().at(0);
  intruder.say({id, of_next_version(sample::encoded(Reject{false, "no"}).header)});
  intruder.say({id, start_header(2)});
  EXPECT_EQ(number_of(receive(dialled)), 2U);
  EXPECT_EQ(dialled.malformed(), 1U);
  send(dialled, route_peer, Start{3});
  const Envelope next = decode(intruder.hear().at(1), std::nullopt, std::nullopt);
  EXPECT_TRUE(std::holds_alternative<Start>(next.body)) << "type " << next.body.index() << " came first";
}

// ---- keys ------------------------------------------------------------------------------------------------

/// A server, a worker and a stream who know each other, and one whose key is not listed, who knows them.
struct Keys {
  KeyPair server = make_key_pair(Role::route), worker = make_key_pair(Role::infer),
          stream = make_key_pair(Role::stream), unlisted = make_key_pair(Role::infer);
  Security of_server() const {
    return {server, {}, {{worker.open, Role::infer}, {stream.open, Role::stream}}};
  }
  Security of(const KeyPair& pair) const { return {pair, {{Role::route, server.open}}, {}}; }
};

/// Dials, and waits until that was refused: false if something came through.
bool refused(Transport& bound, std::optional<Security> security, const std::string& endpoint) {
  Transport dialled(std::move(security));
  dialled.dial(route_peer, endpoint);
  Envelope start{Session{1}, Session{2}, Start{1}};
  while (true) {
    if (dialled.receive() || dialled.send(route_peer, start)) return false;
    if (dialled.refused() > 0) return !bound.receive();
    wait_for_event(dialled);
  }
}

TEST(TransportWithKeys, CarriesBatchesAndTellsWhoseTheyAre) {
  const Keys keys;
  Transport bound(keys.of_server()), dialled(keys.of(keys.worker));
  dialled.dial(route_peer, bound.bind("tcp://127.0.0.1:0", {Role::infer}));
  send(dialled, route_peer, sample::filled<Batch>());
  const Incoming there = receive(bound);
  EXPECT_EQ(there.role, Role::infer);
  expect_batch(there.envelope);
  send(bound, there.from, sample::filled<Batch>());
  expect_batch(receive(dialled).envelope);
}

TEST(TransportWithKeys, WorksOverIpc) {
  std::string folder = testing::TempDir() + "dp-ipc-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  {
    const Keys keys;
    Transport bound(keys.of_server()), dialled(keys.of(keys.worker));
    dialled.dial(route_peer, bound.bind("ipc://" + folder + "/s"));
    send(dialled, route_peer, Start{3});
    EXPECT_EQ(receive(bound).role, Role::infer);
  }
  ::unlink((folder + "/s").c_str());
  ::rmdir(folder.c_str());
}

TEST(TransportWithKeys, RefusesWhoHasNoneOrAnotherOrOneForAnotherPort) {
  const Keys keys;
  Transport bound(keys.of_server());
  const std::string at = bound.bind("tcp://127.0.0.1:0", {Role::infer});
  EXPECT_TRUE(refused(bound, std::nullopt, at));
  EXPECT_TRUE(refused(bound, keys.of(keys.unlisted), at));
  EXPECT_TRUE(refused(bound, keys.of(keys.stream), at));
  EXPECT_FALSE(refused(bound, keys.of(keys.worker), at));
  EXPECT_EQ(bound.refused(), 2U);  // who has none is refused by ZeroMQ without our being asked
}

TEST(TransportWithKeys, ADiallerRefusesAServerThatIsNotTheOneItKnows) {
  const Keys keys, others;
  Transport bound(others.of_server());
  EXPECT_TRUE(refused(bound, keys.of(keys.worker), bound.bind("tcp://127.0.0.1:0")));
}

TEST(TransportWithKeys, ADiallerRefusesAServerWithoutKeys) {
  const Keys keys;
  Transport bound;
  EXPECT_TRUE(refused(bound, keys.of(keys.worker), bound.bind("tcp://127.0.0.1:0")));
}

TEST(TransportWithKeys, AHelloInAnothersRoleIsRefusedForGood) {
  const Keys keys;
  Transport bound(keys.of_server()), dialled(keys.of(keys.stream));
  dialled.dial(route_peer, bound.bind("tcp://127.0.0.1:0"));
  Hello hello;
  hello.role = Role::infer;
  send(dialled, route_peer, hello);
  hello.role = Role::stream;
  send(dialled, route_peer, hello);
  EXPECT_EQ(std::get<Hello>(receive(bound).envelope.body).role, Role::stream);
  const Incoming answer = receive(dialled);
  const Reject& reject = std::get<Reject>(answer.envelope.body);
  EXPECT_FALSE(reject.hello_again);
  EXPECT_THAT(reject.reason, HasSubstr("this key belongs to a dp-stream, not a dp-infer"));
}

TEST(TransportWithKeys, ADiallerThatWasRefusedIsServedOnceItsKeyIsListed) {
  const Keys keys;
  std::string at;
  Transport dialled(keys.of(keys.unlisted));
  {
    Transport bound(keys.of_server());
    at = bound.bind("tcp://127.0.0.1:0");
    dialled.dial(route_peer, at);
    while (dialled.receive() || dialled.refused() == 0) wait_for_event(dialled);
  }
  Security listed = keys.of_server();
  listed.allowed[keys.unlisted.open] = Role::infer;
  Transport bound(listed);
  bound.bind(at);
  Envelope start{Session{1}, Session{2}, Start{7}};
  while (!dialled.send(route_peer, start)) dialled.receive();  // it tries again after a while
  EXPECT_EQ(number_of(receive(bound)), 7U);
}

// ---- limits ----------------------------------------------------------------------------------------------

TEST(TransportLimits, ASocketTakesNoFramesLargerThanItIsFor) {
  Transport bound, dialled;
  dialled.dial(route_peer, bound.bind("tcp://127.0.0.1:0", {Role::infer}, 1 << 20));
  UnauthenticatedPeer intruder(zmq::socket_type::dealer);
  ASSERT_EQ(::zmq_socket_monitor(intruder.socket.handle(), "inproc://monitor", ZMQ_EVENT_DISCONNECTED), 0);
  zmq::socket_t events(intruder.context, zmq::socket_type::pair);
  events.set(zmq::sockopt::rcvtimeo, patience_ms);
  events.connect("inproc://monitor");
  intruder.socket.connect(bound.bind("tcp://127.0.0.1:0", {Role::infer}, 1 << 20));
  intruder.socket.send(zmq::message_t(2 << 20), zmq::send_flags::none);
  zmq::message_t event;
  EXPECT_TRUE(events.recv(event)) << "still connected";
  send(dialled, route_peer, Start{5});
  EXPECT_EQ(number_of(receive(bound)), 5U);
}

/// Sends frames of 1 MiB of one message that never ends, until it is hung up on; returns how many went. ZeroMQ's own
/// sockets send nothing of a message whose end is missing, so this speaks ZMTP by hand.
int send_without_end(const std::string& endpoint, int most) {
  const int fd = connect_raw(endpoint);
  const timeval patience{patience_ms / 1000, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const std::string greeting = std::string("\xFF\0\0\0\0\0\0\0\1\x7F\3\0NULL", 16) + std::string(48, '\0');
  const std::string ready("\4\x1C\5READY\xBSocket-Type\0\0\0\6DEALER", 30);
  EXPECT_EQ(::send(fd, (greeting + ready).data(), 94, MSG_NOSIGNAL), 94);
  const std::string frame = std::string("\3\0\0\0\0\0\x10\0\0", 9) + std::string(1 << 20, 'x');
  int sent = 0;
  while (sent < most && ::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) > 0) ++sent;
  EXPECT_TRUE(sent == most || errno == EPIPE || errno == ECONNRESET) << std::strerror(errno);
  ::close(fd);
  return sent;
}

TEST(TransportLimits, AMessageWithoutEndIsHungUpOn) {
  Pair pair;
  ASSERT_FALSE(pair.bound.receive());
  {
    const std::jthread reader([&] {
      while (pair.bound.refused() == 0) {
        pair.bound.receive();
        pair.bound.disconnected();
        wait_for_event(pair.bound);
      }
    });
    EXPECT_LT(send_without_end(pair.endpoint, 4000), 4000);
  }
  EXPECT_EQ(pair.bound.refused(), 1U);
  send(pair.dialled, route_peer, Start{5});
  EXPECT_EQ(number_of(receive(pair.bound)), 5U);
}

// As on a busy machine, where the reading thread always has something to do: here it never waits.
TEST(TransportLimits, WhoWasNotLetInIsHungUpOnThoughTheReaderNeverSleeps) {
  Transport bound;
  const std::string endpoint = bound.bind("tcp://127.0.0.1:0", {Role::infer}, max_control_bytes);
  EXPECT_LT(send_without_end(endpoint, 400), 400);
  EXPECT_EQ(bound.refused(), 1U);
}

}  // namespace
}  // namespace dp
