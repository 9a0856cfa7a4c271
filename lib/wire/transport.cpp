// SPDX-License-Identifier: MIT
#include "wire/transport.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <zmq.hpp>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#include "base/log.hpp"
#include "wire/attach.hpp"
#include "wire/codec.hpp"
#include "wire/connection_guard.hpp"
#include "wire/gate.hpp"
#include "wire/handshakes.hpp"
#include "wire/peers.hpp"
#include "wire/refusals.hpp"
#include "wire/stage.hpp"
#include "wire/turns.hpp"

namespace dp {
namespace {

constexpr int high_water_mark = 200'000;  ///< a trip-wire far above any credit
constexpr int linger_ms = 1000;           ///< for goodbyes; correctness does not depend on it
constexpr int most_answers = 20'000;      ///< waiting for one peer of a bound socket, which may not read them
constexpr int backlog = 1024;             ///< connections not accepted yet
constexpr int handshake_ms = 5000;
constexpr int most_refused_a_turn = 64;  ///< before the loop looks at its timers again
constexpr int most_unlooked = 64;        ///< messages before the descriptors are looked at again
constexpr int frame_overhead = 64;       ///< of encryption, which counts towards the limit on a frame
constexpr int most_cuts = 5;             ///< handshakes cut one after the other before a person is told
constexpr auto try_again_after = std::chrono::seconds(1);
constexpr auto read_by_then = std::chrono::milliseconds(100);

using Clock = std::chrono::steady_clock;

/// A descriptor and whether there may be something behind it. To find a ZeroMQ socket empty costs two system calls, one
/// poll looks at all of them. A descriptor tells only of what is new: it may be quiet while something is still there.
struct Readiness {
  int fd = -1;
  bool ready = true;
};

/// One ZeroMQ socket and who is behind it.
struct Socket {
  zmq::socket_t zmq;
  std::string endpoint;
  std::size_t largest_frame;
  std::optional<PeerId> dialled;  ///< or it is bound
  std::unique_ptr<Handshakes> handshakes;
  std::optional<Clock::time_point> again;  ///< when to connect anew, after ZeroMQ gave up
  int cuts = 0;
  std::unique_ptr<ConnectionGuard> guard;  ///< of a bound socket
  bool ipv6 = false;                 ///< to be dialled by it
  Readiness messages = {};  ///< to be received
  Readiness events = {};    ///< of the handshakes or of the guard
};

void configure(Socket& socket) {
  socket.zmq.set(zmq::sockopt::linger, linger_ms);
  socket.zmq.set(zmq::sockopt::sndhwm, high_water_mark);
  socket.zmq.set(zmq::sockopt::rcvhwm, high_water_mark);
  socket.zmq.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(socket.largest_frame + frame_overhead));
  socket.zmq.set(zmq::sockopt::handshake_ivl, handshake_ms);
}

// ZeroMQ hands memory to its thread in order; ThreadSanitizer, which cannot see into it, must be told.
void handed_to_zmq([[maybe_unused]] void* memory) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(memory);
#endif
}
void handed_back([[maybe_unused]] void* memory) {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(memory);
#endif
}

/// A frame that shares the payload's memory until ZeroMQ is done with it.
zmq::message_t share(const Payload& payload) {
  if (payload.bytes.empty()) return zmq::message_t();
  auto* owner = new std::shared_ptr<const void>(payload.owner);
  handed_to_zmq(owner);
  const auto release = [](void*, void* hint) {
    handed_back(hint);
    delete static_cast<std::shared_ptr<const void>*>(hint);
  };
  return zmq::message_t(const_cast<std::byte*>(payload.bytes.data()), payload.bytes.size(), release, owner);
}

/// What ZeroMQ knows of the connection a frame came by; empty if it does not.
std::string property(zmq::message_t& frame, const char* name) {
  const char* value = ::zmq_msg_gets(frame.handle(), name);
  return value ? value : "";
}

/// What was read off a socket: one message's frames, and where they came from.
struct Delivery {
  PeerId from{};
  zmq::message_t
      origin;  ///< the routing id, which carries what ZeroMQ knows of the connection; bound sockets only
  std::optional<Role> role;
  std::array<zmq::message_t, max_frames> frames;
  std::size_t count = 0;  ///< of frames; those beyond `max_frames` are counted and not kept
};

Payload keep(zmq::message_t frame) {
  if (frame.size() == 0) return {};
  auto owner = std::make_shared<zmq::message_t>(std::move(frame));
  const std::span<const std::byte> bytes(static_cast<const std::byte*>(owner->data()), owner->size());
  return {std::move(owner), bytes};
}

Envelope decode(Delivery& delivery, bool guarded) {
  auto& frames = delivery.frames;
  if (delivery.count == 0 || delivery.count > max_frames) throw MalformedFrame("wrong number of frames");
  std::optional<std::string_view> arrays;
  std::optional<Payload> payload;
  if (delivery.count > 1) arrays = frames[1].to_string_view();
  if (delivery.count > 2) payload = keep(std::move(frames[2]));
  Envelope envelope = decode(frames[0].to_string_view(), arrays, std::move(payload));
  if (guarded && !delivery.role) throw MalformedFrame("a frame without an owner");
  const auto* hello = std::get_if<Hello>(&envelope.body);
  if (!hello || !delivery.role || hello->role == *delivery.role) return envelope;
  MalformedFrame problem("this key belongs to a {}, not a {}", name_of(*delivery.role), name_of(hello->role));
  problem.from = envelope.from;
  throw problem;
}

}  // namespace

struct Transport::Impl {
  zmq::context_t context{1};
  std::optional<Security> security;
  Refusals refusals;
  std::unique_ptr<Gate> gate;
  std::vector<std::unique_ptr<Socket>> sockets;
  Turns turns;
  int unlooked = 0;  ///< messages taken, and times asked, since the descriptors were looked at
  std::vector<pollfd> polled;
  Peers<Socket> peers;
  std::uint64_t malformed = 0;
  bool crowded = false;
  Frames frames;
  PeerId last_from{};  ///< whose message was read last, and its descriptor
  int last_fd = -1;
  bool drained = false;  ///< nothing waited when `receive` was last called
  std::vector<std::pair<PeerId, Clock::time_point>> ended;  ///< connections, and when that was noticed

  ~Impl() {
    sockets.clear();
    context.shutdown();  // ends the gate
  }

  void connect(Socket& socket) {
    socket.handshakes.reset();
    socket.again.reset();
    socket.zmq = zmq::socket_t(context, zmq::socket_type::dealer);
    configure(socket);
    socket.zmq.set(zmq::sockopt::immediate, true);
    socket.zmq.set(zmq::sockopt::reconnect_ivl, 50);
    socket.zmq.set(zmq::sockopt::reconnect_ivl_max, 1000);
    socket.zmq.set(zmq::sockopt::connect_timeout, 1000);  // a lost SYN is sent again ever more seldom
    if (security)
      use_keys(socket.zmq, security->own,
               security->servers.at(*socket.dialled == route_peer ? Role::route : Role::collect));
    socket.handshakes = std::make_unique<Handshakes>(context, socket.zmq);
    socket.messages = {socket.zmq.get(zmq::sockopt::fd)};
    socket.events = {socket.handshakes->descriptor()};
    connect_to(socket.zmq, socket.endpoint, socket.ipv6);
  }

  /// ZeroMQ neither tells why a handshake failed nor tries again after some failures.
  void look_after(Socket& socket) {
    const bool ended = std::exchange(socket.events.ready, false);
    while (const auto outcome = ended ? socket.handshakes->next() : std::nullopt) {
      socket.cuts = *outcome == Handshake::cut ? socket.cuts + 1 : 0;
      if (*outcome == Handshake::refused || *outcome == Handshake::not_speaking)
        socket.again = Clock::now() + try_again_after;
      if (*outcome == Handshake::refused || *outcome == Handshake::not_speaking || socket.cuts == most_cuts)
        refusals.note(socket.endpoint, why(*outcome, security.has_value()));
    }
    if (socket.again && Clock::now() >= *socket.again) connect(socket);
  }

  /// Where something is done all the time, nobody waits, and the descriptors must be looked at all the same.
  void look_in_time() {
    if (++unlooked > most_unlooked) look({}, Duration{});
  }

  /// Notes which descriptors have something, waiting `most` for the first of them or of `others`. False: none was seen to.
  bool look(std::span<const int> others, Duration most) {
    unlooked = 0;
    polled.clear();
    for (const auto& socket : sockets) {
      polled.push_back({socket->messages.fd, POLLIN, 0});
      polled.push_back({socket->events.fd, POLLIN, 0});
    }
    for (const int fd : others) polled.push_back({fd, POLLIN, 0});
    const timespec timeout{most / std::chrono::seconds(1), (most % std::chrono::seconds(1)).count()};
    if (::ppoll(polled.data(), polled.size(), &timeout, nullptr) <= 0) return false;
    for (std::size_t n = 0; n < sockets.size(); ++n) {
      sockets[n]->messages.ready = sockets[n]->messages.ready || polled[2 * n].revents != 0;
      sockets[n]->events.ready = sockets[n]->events.ready || polled[2 * n + 1].revents != 0;
    }
    return true;
  }

  Socket* find(PeerId peer, const std::string*& routing_id) {
    if (const auto* route = peers.find(peer)) {
      routing_id = &route->routing_id;
      return route->socket;
    }
    for (const auto& socket : sockets) {
      if (socket->dialled == peer) return socket.get();
    }
    return nullptr;
  }

  /// One whole message; nothing when none waits.
  std::optional<Delivery> deliver(Socket& socket) {
    zmq::message_t part;
    if (!socket.zmq.recv(part, zmq::recv_flags::dontwait)) {
      socket.messages.ready = false;
      return std::nullopt;
    }
    Delivery delivery;
    std::size_t bytes = 0;
    const auto take = [&](zmq::message_t& frame) {
      bytes += frame.size();
      if (delivery.count < max_frames) delivery.frames[delivery.count] = std::move(frame);
      ++delivery.count;
    };
    if (socket.dialled) {
      delivery.from = *socket.dialled;
      take(part);
    } else {
      delivery.from = peers.number(&socket, part.to_string());
      delivery.origin = std::move(part);
      if (security) delivery.role = role_of_key_name(property(delivery.origin, "User-Id"));
    }
    while (socket.zmq.get(zmq::sockopt::rcvmore)) {
      zmq::message_t next;
      if (!socket.zmq.recv(next, zmq::recv_flags::dontwait)) break;
      take(next);
    }
    if (socket.guard) {
      const bool let_in = delivery.role || peers.accepted(delivery.from);
      last_from = delivery.from;
      last_fd = ::zmq_msg_get(delivery.origin.handle(), ZMQ_SRCFD);
      socket.guard->took(last_fd, delivery.count, bytes, let_in);
      if (let_in) socket.guard->belongs(last_fd, last_from);
    }
    return delivery;
  }

  /// False: nothing waits on this socket. `incoming` stays empty when what came was malformed.
  bool receive(Socket& socket, std::optional<Incoming>& incoming) {
    auto delivery = deliver(socket);
    if (!delivery) return false;
    try {
      incoming = Incoming{delivery->from, decode(*delivery, security && !socket.dialled), delivery->role};
    } catch (const MalformedFrame& problem) {
      ++malformed;
      const std::string address =
          socket.dialled ? socket.endpoint : property(delivery->origin, "Peer-Address");
      refusals.note(address.empty() ? "unknown address" : address,
                    fmt::format("frame refused: {}", problem.what()));
      if (!socket.dialled) tell(delivery->from, problem);
    }
    return true;
  }

  /// Only the bound side answers: two versions would refuse each other's refusals without end.
  void tell(PeerId peer, const MalformedFrame& problem) {
    if (problem.from == Session{}) return;
    Envelope reject{Session{}, problem.from, Reject{false, fmt::format("frame refused: {}", problem.what())}};
    send(peer, reject);
  }

  bool send(PeerId to, Envelope& envelope) {
    const std::string* routing_id = nullptr;
    Socket* socket = find(to, routing_id);
    if (!socket) return false;
    if (std::holds_alternative<Welcome>(envelope.body)) {
      peers.accept(to);
      if (socket->guard && to == last_from) {
        socket->guard->let_in(last_fd);
        socket->guard->belongs(last_fd, to);
      }
    }
    encode(envelope, frames);
    socket->messages.ready = true;  // ZeroMQ may take the news of a message while it sends, and the descriptor is quiet then
    const auto part = [&](zmq::message_t message, bool more) {
      const auto flags =
          zmq::send_flags::dontwait | (more ? zmq::send_flags::sndmore : zmq::send_flags::none);
      return socket->zmq.send(message, flags).has_value();
    };
    try {
      if (routing_id && !part(zmq::message_t(*routing_id), true)) return false;
      if (!part(zmq::message_t(frames.header), frames.has_arrays || frames.has_payload)) return false;
      if (frames.has_arrays) part(zmq::message_t(frames.arrays), frames.has_payload);
      if (frames.has_payload) part(share(frames.payload), false);
    } catch (const zmq::error_t& problem) {
      if (problem.num() != EHOSTUNREACH && problem.num() != EAGAIN) throw;
      return false;
    }
    return true;
  }
};

Transport::Transport(std::optional<Security> security) : impl_(std::make_unique<Impl>()) {
  impl_->security = std::move(security);
}
Transport::~Transport() = default;

void Transport::dial(PeerId peer, const std::string& endpoint, std::size_t largest_frame) {
  auto socket = std::make_unique<Socket>(Socket{{}, endpoint, largest_frame, peer, {}, {}, 0, {}, over_ipv6(endpoint)});
  impl_->connect(*socket);
  impl_->sockets.push_back(std::move(socket));
}

std::string Transport::bind(const std::string& endpoint, const std::vector<Role>& roles,
                            std::size_t largest_frame) {
  auto socket = std::make_unique<Socket>(Socket{
      zmq::socket_t(impl_->context, zmq::socket_type::router), endpoint, largest_frame, {}, {}, {}, 0, {}, false});
  configure(*socket);
  socket->zmq.set(zmq::sockopt::router_mandatory, true);
  socket->zmq.set(zmq::sockopt::backlog, backlog);
  socket->zmq.set(zmq::sockopt::sndhwm, most_answers);
  socket->guard =
      std::make_unique<ConnectionGuard>(impl_->context, socket->zmq, ConnectionGuard::Limits{.largest_frame = largest_frame, .tells_ends = true}, impl_->refusals);
  if (impl_->security) {
    if (!impl_->gate) impl_->gate = std::make_unique<Gate>(impl_->context, *impl_->security, impl_->refusals);
    impl_->gate->guard(socket->zmq, roles);
  }
  const std::string at = bind_at(socket->zmq, endpoint);
  socket->messages = {socket->zmq.get(zmq::sockopt::fd)};
  socket->events = {socket->guard->descriptor(), false};
  impl_->sockets.push_back(std::move(socket));
  if (impl_->gate) impl_->gate->prove(at);
  return at;
}

std::optional<Incoming> Transport::receive() {
  const std::size_t n = impl_->sockets.size();
  int refused = 0;
  impl_->crowded = impl_->drained = false;
  impl_->look_in_time();
  for (std::size_t tried = 0; tried < n;) {
    Socket& socket = *impl_->sockets[impl_->turns.among(n)];
    std::optional<Incoming> incoming;
    const bool waited = socket.messages.ready && impl_->receive(socket, incoming);
    impl_->turns.took(waited);
    if (!waited) {
      if (socket.dialled) impl_->look_after(socket);
      ++tried;
      continue;
    }
    impl_->look_in_time();
    if (incoming) return incoming;
    if (++refused == most_refused_a_turn) {
      impl_->crowded = true;
      return std::nullopt;
    }
    tried = 0;  // something was taken off this socket: more may wait behind it
  }
  impl_->drained = true;
  return std::nullopt;
}

/// What a peer had sent was received once `receive` has found its socket empty after its connection ended. Sockets are read
/// in turns, and each reads its connections in turns: after a while it was received even if others never stop.
std::vector<PeerId> Transport::disconnected() {
  const auto now = Clock::now();
  std::vector<PeerId> peers;
  std::erase_if(impl_->ended, [&](const auto& one) {
    if (!impl_->drained && now - one.second < read_by_then) return false;
    peers.push_back(one.first);
    return true;
  });
  for (const auto& socket : impl_->sockets) {
    if (!socket->guard || !std::exchange(socket->events.ready, false)) continue;
    for (const PeerId peer : socket->guard->ended()) {
      impl_->ended.emplace_back(peer, now);
      socket->messages.ready = true;
    }
  }
  return peers;
}

bool Transport::wait(std::span<const int> others, Duration most) {
  const auto& sockets = impl_->sockets;
  if (std::ranges::any_of(sockets, [](const auto& socket) { return socket->messages.ready || socket->events.ready; }))
    return true;
  // A guard takes who sleeps for one who has read all there was: that must be so by then.
  const bool guarded = std::ranges::any_of(sockets, [](const auto& socket) { return socket->guard != nullptr; });
  if (guarded && impl_->look(others, Duration{})) return true;
  for (const auto& socket : sockets) {
    if (socket->guard) socket->guard->falls_asleep();
  }
  const bool woken = impl_->look(others, most);
  for (const auto& socket : sockets) {
    if (socket->guard) socket->guard->wakes();
  }
  return woken;
}

bool Transport::send(PeerId to, Envelope& envelope) { return impl_->send(to, envelope); }

void Transport::redial(PeerId peer) {
  for (const auto& socket : impl_->sockets) {
    if (socket->dialled != peer) continue;
    socket->zmq.set(zmq::sockopt::linger, 0);
    impl_->connect(*socket);
  }
}

void Transport::forget(PeerId peer) { impl_->peers.forget(peer); }

bool Transport::crowded() const { return impl_->crowded; }
std::uint64_t Transport::malformed() const { return impl_->malformed; }
std::uint64_t Transport::refused() const { return impl_->refusals.count(); }

std::string zmq_version() {
  const auto [major, minor, patch] = zmq::version();
  return fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace dp
