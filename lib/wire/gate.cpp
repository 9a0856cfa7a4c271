// SPDX-License-Identifier: MIT
#include "wire/gate.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <zmq.hpp>

#include "base/error.hpp"
#include "wire/attach.hpp"
#include "wire/handshakes.hpp"

#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93  // behind the draft API in some versions of zmq.h, but in the library
#endif

namespace dp {
namespace {

constexpr const char* handler_endpoint = "inproc://zeromq.zap.01";
constexpr int patience_ms = 5000;  ///< for the proof

/// The domain of a socket says whom it admits: " stream route ".
std::string domain_of(const std::vector<Role>& roles) {
  std::string domain = " ";
  for (const Role role : roles) domain += fmt::format("{} ", key_name(role));
  return domain;
}

struct Request {
  std::string version, id, domain, address, identity, mechanism, key;
};

/// What ZeroMQ asks; nothing when it is no request of the kind that CURVE makes.
std::optional<Request> read_request(zmq::socket_t& handler) {
  Request request;
  const std::array fields{&request.version,  &request.id,        &request.domain, &request.address,
                          &request.identity, &request.mechanism, &request.key};
  std::size_t n = 0;
  bool more = true;
  for (; more; ++n) {
    zmq::message_t part;
    if (!handler.recv(part)) return std::nullopt;
    if (n < fields.size()) *fields[n] = part.to_string();
    more = handler.get(zmq::sockopt::rcvmore);
  }
  if (n != fields.size() || request.mechanism != "CURVE" || request.key.size() != 32) return std::nullopt;
  std::array<char, 41> text{};
  ::zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(request.key.data()), 32);
  request.key = text.data();
  return request;
}

void answer(zmq::socket_t& handler, const std::string& id, std::optional<Role> role) {
  const std::array<std::string_view, 6> parts{
      "1.0", id, role ? "200" : "400", role ? "OK" : "not allowed", role ? key_name(*role) : "", ""};
  for (std::size_t n = 0; n < parts.size(); ++n)
    handler.send(zmq::buffer(parts[n]),
                 n + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

}  // namespace

struct Gate::Impl {
  const Security& security;
  Refusals& refusals;
  KeyPair decoy = make_key_pair(Role::stream);
  zmq::socket_t handler;
  std::thread thread;

  std::optional<Role> judge(const Request& request) {
    const auto found = security.allowed.find(request.key);
    if (found == security.allowed.end()) {
      if (request.key != decoy.open)
        refusals.note(request.address, fmt::format("refused: the key {} is not in --allow", request.key));
      return std::nullopt;
    }
    if (request.domain.find(fmt::format(" {} ", key_name(found->second))) == std::string::npos) {
      refusals.note(request.address,
                    fmt::format("refused: the key of a {} has no business here", name_of(found->second)));
      return std::nullopt;
    }
    return found->second;
  }

  void serve() {
    try {
      while (true) {
        const auto request = read_request(handler);
        answer(handler, request ? request->id : "", request ? judge(*request) : std::nullopt);
      }
    } catch (const zmq::error_t&) {  // the context was shut down
    }
    handler.close();
  }
};

Gate::Gate(zmq::context_t& context, const Security& security, Refusals& refusals)
    : impl_(new Impl{security, refusals, make_key_pair(Role::stream), {}, {}}) {
  impl_->handler = zmq::socket_t(context, zmq::socket_type::rep);
  impl_->handler.bind(handler_endpoint);
  impl_->thread = std::thread([impl = impl_.get()] { impl->serve(); });
}

Gate::~Gate() { impl_->thread.join(); }

void Gate::guard(zmq::socket_t& socket, const std::vector<Role>& roles) const {
  socket.set(zmq::sockopt::zap_domain, domain_of(roles));
  const int enforce = 1;  // without it a socket whose domain went wrong would admit everybody
  if (::zmq_setsockopt(socket.handle(), ZMQ_ZAP_ENFORCE_DOMAIN, &enforce, sizeof enforce) != 0)
    throw Error("this libzmq cannot enforce authentication (4.3 or later is needed)");
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, impl_->security.own.secret);
}

void Gate::prove(const std::string& endpoint, bool publishes) const {
  zmq::context_t context(1);
  zmq::socket_t unlisted(context, publishes ? zmq::socket_type::sub : zmq::socket_type::dealer);
  unlisted.set(zmq::sockopt::linger, 0);
  use_keys(unlisted, impl_->decoy, impl_->security.own.open);
  Handshakes handshakes(context, unlisted);
  connect_to(unlisted, endpoint, over_ipv6(endpoint));
  const auto outcome = handshakes.next(patience_ms);
  if (outcome != Handshake::refused) {
    throw Error("{}: the proof that unauthenticated peers are refused failed (a key that is not listed was {})", endpoint,
                outcome == Handshake::done ? "admitted" : "not answered");
  }
}

void use_keys(zmq::socket_t& socket, const KeyPair& own, const std::string& server) {
  socket.set(zmq::sockopt::curve_publickey, own.open);
  socket.set(zmq::sockopt::curve_secretkey, own.secret);
  socket.set(zmq::sockopt::curve_serverkey, server);
}

}  // namespace dp
