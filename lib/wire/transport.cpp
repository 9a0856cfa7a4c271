// SPDX-License-Identifier: MIT
#include "wire/transport.hpp"

#include <map>
#include <set>
#include <zmq.hpp>

#include "base/log.hpp"
#include "wire/codec.hpp"
#include "wire/stage.hpp"

namespace dp {
namespace {

constexpr int high_water_mark = 200'000;  ///< a trip-wire far above any credit
constexpr int linger_ms = 1000;           ///< for goodbyes; correctness does not depend on it
constexpr int handshake_ms = 5000;

/// One ZeroMQ socket and who is behind it.
struct Socket {
  zmq::socket_t zmq;
  std::string endpoint;
  std::optional<PeerId> dialled;  ///< or it is bound
};

void configure(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, linger_ms);
  socket.set(zmq::sockopt::sndhwm, high_water_mark);
  socket.set(zmq::sockopt::rcvhwm, high_water_mark);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(max_payload_bytes));
  socket.set(zmq::sockopt::handshake_ivl, handshake_ms);
}

/// A frame that shares the payload's memory until ZeroMQ is done with it.
zmq::message_t share(const Payload& payload) {
  auto* owner = new std::shared_ptr<const void>(payload.owner);
  const auto release = [](void*, void* hint) { delete static_cast<std::shared_ptr<const void>*>(hint); };
  return zmq::message_t(const_cast<std::byte*>(payload.bytes.data()), payload.bytes.size(), release, owner);
}

}  // namespace

struct Transport::Impl {
  zmq::context_t context{1};
  std::vector<std::unique_ptr<Socket>> sockets;
  std::size_t turn = 0;
  std::map<PeerId, std::pair<Socket*, std::string>> routes;  ///< inbound peers: socket and routing id
  std::map<std::pair<Socket*, std::string>, PeerId> ids;
  std::uint64_t next_id = raw(first_inbound);
  std::uint64_t malformed = 0;
  std::set<std::string> complained;
  Frames frames;

  void connect(Socket& socket) {
    socket.zmq = zmq::socket_t(context, zmq::socket_type::dealer);
    configure(socket.zmq);
    socket.zmq.set(zmq::sockopt::immediate, true);
    socket.zmq.set(zmq::sockopt::reconnect_ivl, 50);
    socket.zmq.set(zmq::sockopt::reconnect_ivl_max, 1000);
    try {
      socket.zmq.connect(socket.endpoint);
    } catch (const zmq::error_t& problem) {
      throw Error("{}: {}", socket.endpoint, problem.what());
    }
  }

  PeerId peer_of(Socket& socket, std::string routing_id) {
    if (socket.dialled) return *socket.dialled;
    const auto [entry, fresh] = ids.try_emplace({&socket, routing_id}, PeerId{next_id});
    if (fresh) routes[PeerId{next_id++}] = {&socket, std::move(routing_id)};
    return entry->second;
  }

  Socket* find(PeerId peer, const std::string*& routing_id) {
    if (const auto route = routes.find(peer); route != routes.end()) {
      routing_id = &route->second.second;
      return route->second.first;
    }
    for (const auto& socket : sockets) {
      if (socket->dialled == peer) return socket.get();
    }
    return nullptr;
  }

  /// False: nothing waits on this socket. `incoming` stays empty when what came was malformed.
  bool receive(Socket& socket, std::optional<Incoming>& incoming) {
    zmq::message_t part;
    if (!socket.zmq.recv(part, zmq::recv_flags::dontwait)) return false;
    std::string routing_id;
    std::vector<zmq::message_t> parts;
    if (!socket.dialled) {
      routing_id = part.to_string();
    } else {
      parts.push_back(std::move(part));
    }
    bool too_many = false;
    while (socket.zmq.get(zmq::sockopt::rcvmore)) {
      zmq::message_t next;
      if (!socket.zmq.recv(next, zmq::recv_flags::dontwait)) break;
      too_many = too_many || parts.size() == max_frames;
      if (!too_many) parts.push_back(std::move(next));
    }
    const PeerId peer = peer_of(socket, std::move(routing_id));
    try {
      if (parts.empty() || too_many) throw MalformedFrame("wrong number of frames");
      std::optional<std::string_view> arrays;
      std::optional<Payload> payload;
      if (parts.size() > 1) arrays = parts[1].to_string_view();
      if (parts.size() > 2) {
        auto owner = std::make_shared<zmq::message_t>(std::move(parts[2]));
        const std::span<const std::byte> bytes(static_cast<const std::byte*>(owner->data()), owner->size());
        payload = Payload{std::move(owner), bytes};
      }
      incoming = Incoming{peer, decode(parts[0].to_string_view(), arrays, std::move(payload))};
    } catch (const MalformedFrame& problem) {
      complain(peer, problem);
    }
    return true;
  }

  void complain(PeerId peer, const MalformedFrame& problem) {
    ++malformed;
    if (complained.size() < 1000 &&
        complained.insert(fmt::format("{}:{}", raw(peer), problem.what())).second) {
      log_warn("frame refused: {}", problem.what());
    }
    // Only the bound side answers: two versions would refuse each other's refusals without end.
    if (problem.from == Session{} || !routes.contains(peer)) return;
    Envelope reject{Session{}, problem.from, Reject{false, fmt::format("frame refused: {}", problem.what())}};
    send(peer, reject);
  }

  bool send(PeerId to, Envelope& envelope) {
    const std::string* routing_id = nullptr;
    Socket* socket = find(to, routing_id);
    if (!socket) return false;
    encode(envelope, frames);
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

Transport::Transport() : impl_(std::make_unique<Impl>()) {}
Transport::~Transport() = default;

void Transport::dial(PeerId peer, const std::string& endpoint) {
  auto socket = std::make_unique<Socket>(Socket{{}, endpoint, peer});
  impl_->connect(*socket);
  impl_->sockets.push_back(std::move(socket));
}

std::string Transport::bind(const std::string& endpoint) {
  auto socket =
      std::make_unique<Socket>(Socket{zmq::socket_t(impl_->context, zmq::socket_type::router), endpoint, {}});
  configure(socket->zmq);
  socket->zmq.set(zmq::sockopt::router_mandatory, true);
  try {
    // ZeroMQ writes "any free port" as *.
    socket->zmq.bind(endpoint.ends_with(":0") ? endpoint.substr(0, endpoint.size() - 1) + "*" : endpoint);
  } catch (const zmq::error_t& problem) {
    throw Error("cannot bind {}: {} (another run may be using it; port 0 picks a free one)", endpoint,
                problem.what());
  }
  impl_->sockets.push_back(std::move(socket));
  return impl_->sockets.back()->zmq.get(zmq::sockopt::last_endpoint);
}

std::optional<Incoming> Transport::receive() {
  const std::size_t n = impl_->sockets.size();
  for (std::size_t tried = 0; tried < n;) {
    Socket& socket = *impl_->sockets[impl_->turn % n];
    ++impl_->turn;
    std::optional<Incoming> incoming;
    if (!impl_->receive(socket, incoming)) {
      ++tried;
    } else if (incoming) {
      return incoming;
    } else {
      tried = 0;  // something was taken off this socket: more may wait behind it
    }
  }
  return std::nullopt;
}

bool Transport::send(PeerId to, Envelope& envelope) { return impl_->send(to, envelope); }

void Transport::redial(PeerId peer) {
  for (const auto& socket : impl_->sockets) {
    if (socket->dialled != peer) continue;
    socket->zmq.set(zmq::sockopt::linger, 0);
    impl_->connect(*socket);
  }
}

void Transport::forget(PeerId peer) {
  const auto route = impl_->routes.find(peer);
  if (route == impl_->routes.end()) return;
  impl_->ids.erase(route->second);
  impl_->routes.erase(route);
}

std::vector<int> Transport::descriptors() const {
  std::vector<int> all;
  for (const auto& socket : impl_->sockets) all.push_back(socket->zmq.get(zmq::sockopt::fd));
  return all;
}

std::uint64_t Transport::malformed() const { return impl_->malformed; }

std::string zmq_version() {
  const auto [major, minor, patch] = zmq::version();
  return fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace dp
