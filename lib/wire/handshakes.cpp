// SPDX-License-Identifier: MIT
#include "wire/handshakes.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstring>
#include <zmq.hpp>

#include "base/error.hpp"

namespace dp {
namespace {

constexpr int endings = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

}  // namespace

std::string why(Handshake end, bool keyed) {
  switch (end) {
    case Handshake::refused:
      return "refuses this key (is its line in the file given there as --allow?)";
    case Handshake::not_speaking:
      return keyed ? "speaks without keys, or is no tool of this kind"
                   : "does not speak without keys (give --key and --server-key)";
    case Handshake::cut:
      return keyed ? "ends every handshake (is its public key the one in --server-key?)"
                   : "ends every handshake (if it wants keys, give --key and --server-key)";
    default:
      return "";
  }
}

Handshakes::Handshakes(zmq::context_t& context, zmq::socket_t& watched)
    : watched_(watched), events_(std::make_unique<zmq::socket_t>(context, zmq::socket_type::pair)) {
  static std::atomic<std::uint64_t> number = 0;  // endpoints must differ
  const std::string endpoint = fmt::format("inproc://handshakes-{}", ++number);
  if (::zmq_socket_monitor(watched.handle(), endpoint.c_str(), endings) != 0)
    throw Error("cannot watch a socket: {}", ::zmq_strerror(::zmq_errno()));
  events_->connect(endpoint);
}

// ZeroMQ's thread would wait for ever for somebody to take an event off it.
Handshakes::~Handshakes() { ::zmq_socket_monitor(watched_.handle(), nullptr, 0); }

int Handshakes::descriptor() const { return events_->get(zmq::sockopt::fd); }

std::optional<Handshake> Handshakes::next(int wait_ms) {
  zmq::pollitem_t item{events_->handle(), 0, ZMQ_POLLIN, 0};
  if (wait_ms > 0) ::zmq_poll(&item, 1, wait_ms);
  zmq::message_t event, address;
  if (!events_->recv(event, zmq::recv_flags::dontwait)) return std::nullopt;
  if (event.more() && !events_->recv(address)) return std::nullopt;
  std::uint16_t kind = 0;
  std::memcpy(&kind, event.data(), sizeof kind);
  if (kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) return Handshake::done;
  if (kind == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) return Handshake::refused;
  return kind == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ? Handshake::not_speaking : Handshake::cut;
}

}  // namespace dp
