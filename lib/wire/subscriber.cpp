// SPDX-License-Identifier: MIT
#include "wire/subscriber.hpp"

#include <chrono>
#include <zmq.hpp>

#include "wire/attach.hpp"
#include "wire/codec.hpp"
#include "wire/gate.hpp"
#include "wire/handshakes.hpp"
#include "wire/publisher.hpp"

namespace dp {
namespace {

constexpr int most_waiting = 4;
constexpr int handshake_ms = 5000;
constexpr int frame_overhead = 64;  ///< of encryption
constexpr int most_cuts = 5;        ///< handshakes cut one after the other before a person is told
constexpr auto try_again_after = std::chrono::seconds(1);

using Clock = std::chrono::steady_clock;

void configure(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvhwm, most_waiting);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(max_snapshot_bytes + frame_overhead));
  socket.set(zmq::sockopt::handshake_ivl, handshake_ms);
  socket.set(zmq::sockopt::reconnect_ivl, 100);
  socket.set(zmq::sockopt::reconnect_ivl_max, 1000);
  socket.set(zmq::sockopt::connect_timeout, 1000);
  socket.set(zmq::sockopt::subscribe, "");
}

}  // namespace

struct Subscriber::Impl {
  zmq::context_t context{1};
  std::string endpoint;
  std::optional<Security> security;
  zmq::socket_t socket;
  std::unique_ptr<Handshakes> handshakes;
  std::optional<Clock::time_point> again;  ///< when to connect anew, after ZeroMQ gave up
  int cuts = 0;
  std::string complaint;

  ~Impl() { handshakes.reset(); }

  void connect() {
    handshakes.reset();
    again.reset();
    socket = zmq::socket_t(context, zmq::socket_type::sub);
    configure(socket);
    if (security) use_keys(socket, security->own, security->servers.at(Role::collect));
    handshakes = std::make_unique<Handshakes>(context, socket);
    connect_to(socket, endpoint, over_ipv6(endpoint));
  }

  void look_after() {
    while (const auto outcome = handshakes->next()) {
      cuts = *outcome == Handshake::cut ? cuts + 1 : 0;
      if (*outcome == Handshake::refused || *outcome == Handshake::not_speaking)
        again = Clock::now() + try_again_after;
      if (*outcome == Handshake::done) complaint.clear();
      else if (*outcome != Handshake::cut || cuts >= most_cuts)
        complaint = why(*outcome, security.has_value());
    }
    if (again && Clock::now() >= *again) connect();
  }

  /// One whole message; nothing when none waits.
  std::optional<Snapshot> next(bool& waits) {
    std::vector<zmq::message_t> frames;
    zmq::message_t part;
    waits = socket.recv(part, zmq::recv_flags::dontwait).has_value();
    if (!waits) return std::nullopt;
    std::size_t count = 1;
    frames.push_back(std::move(part));
    while (socket.get(zmq::sockopt::rcvmore) && socket.recv(part, zmq::recv_flags::dontwait)) {
      if (++count <= max_frames) frames.push_back(std::move(part));
    }
    try {
      if (count != 2) throw MalformedFrame("{} frames, expected 2", count);
      Envelope envelope = decode(frames[0].to_string_view(), frames[1].to_string_view(), std::nullopt);
      auto* snapshot = std::get_if<Snapshot>(&envelope.body);
      if (!snapshot) throw MalformedFrame("a message of type {}, expected a snapshot", envelope.body.index());
      complaint.clear();
      return std::move(*snapshot);
    } catch (const MalformedFrame& problem) {
      complaint = fmt::format(
          "publishes what this dp-top cannot read ({}): is it dp-collect's --live, of the same version?",
          problem.what());
      return std::nullopt;
    }
  }
};

Subscriber::Subscriber(std::string endpoint, std::optional<Security> security)
    : impl_(std::make_unique<Impl>()) {
  impl_->endpoint = std::move(endpoint);
  impl_->security = std::move(security);
  impl_->connect();
}
Subscriber::~Subscriber() = default;

std::optional<Snapshot> Subscriber::receive() {
  std::optional<Snapshot> newest;
  bool waits = true;
  while (waits) {
    if (auto snapshot = impl_->next(waits)) newest = std::move(snapshot);
  }
  impl_->look_after();
  return newest;
}

void Subscriber::reconnect() { impl_->connect(); }
const std::string& Subscriber::complaint() const { return impl_->complaint; }

std::vector<int> Subscriber::descriptors() const {
  return {impl_->socket.get(zmq::sockopt::fd), impl_->handshakes->descriptor()};
}

}  // namespace dp
