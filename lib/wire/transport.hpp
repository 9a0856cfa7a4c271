// Sockets: messages in and out by peer, over ZeroMQ DEALER (dialled) and ROUTER (bound) sockets. Sends never
// block; what cannot be sent is dropped, and the links and leases above make up for it. With keys, nobody speaks here
// but the owners of keys that were listed, each in its own role. To be used from one thread.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "wire/codec.hpp"
#include "wire/curve.hpp"
#include "wire/message.hpp"

namespace dp {

struct Incoming {
  PeerId from{};
  Envelope envelope;
  std::optional<Role> role = {};  ///< whose key it was sent with; nothing without keys
};

// Largest frames, where it is less than a BATCH's.
inline constexpr std::size_t max_ledger_bytes = max_arrays_bytes;      ///< to and from dp-collect
inline constexpr std::size_t max_control_bytes = std::size_t{2} << 20;  ///< from dp-infer to dp-route

class Transport {
 public:
  /// Without `security`, everybody who can reach a socket may speak.
  explicit Transport(std::optional<Security> security = {});
  ~Transport();

  /// Connects to a bound socket; `peer` names it from then on. Throws Error.
  void dial(PeerId peer, const std::string& endpoint, std::size_t largest_frame = max_payload_bytes);
  /// Binds a socket for peers of these roles; returns the endpoint in use (port 0 picks a free one). With keys it has
  /// been shown, by the time this returns, that unauthenticated peers are refused. Throws Error that says what to do.
  std::string bind(const std::string& endpoint, const std::vector<Role>& roles = every_role,
                   std::size_t largest_frame = max_payload_bytes);

  /// The next message, the sockets taking turns of a few messages each; nothing when none waits. What cannot be decoded
  /// is counted, logged once per address and kind, and answered if its sender can be told why.
  std::optional<Incoming> receive();
  /// `receive` stopped at frames it refused: more may wait.
  bool crowded() const;
  /// Peers of bound sockets whose connections have ended, once what they had sent was received: to be asked for after
  /// `receive`. ZeroMQ connects again by itself if their process lives; then it is another peer.
  std::vector<PeerId> disconnected();
  /// False when it was dropped: not connected, unroutable, or above the high-water mark.
  bool send(PeerId to, Envelope& envelope);
  void redial(PeerId peer);
  void forget(PeerId peer);

  /// Waits until something may have happened here or one of the descriptors `others` is readable, but no longer than
  /// `most`: false then. To be called once `receive` has nothing more.
  bool wait(std::span<const int> others, Duration most);
  /// Messages that were refused.
  std::uint64_t malformed() const;
  /// Messages and connections that were refused.
  std::uint64_t refused() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Version of the ZeroMQ library in use.
std::string zmq_version();

}  // namespace dp
