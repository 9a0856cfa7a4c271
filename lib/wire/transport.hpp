// Sockets: messages in and out by peer, over ZeroMQ DEALER (dialled) and ROUTER (bound) sockets. Sends never
// block; what cannot be sent is dropped, and the links and leases above make up for it. One thread.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wire/message.hpp"

namespace dp {

struct Incoming {
  PeerId from{};
  Envelope envelope;
};

class Transport {
 public:
  Transport();
  ~Transport();

  /// Connects to a bound socket; `peer` names it from then on. Throws Error.
  void dial(PeerId peer, const std::string& endpoint);
  /// Binds; returns the endpoint in use (port 0 picks a free one). Throws Error that says what to do.
  std::string bind(const std::string& endpoint);

  /// The next message, the sockets taking turns; nothing when none waits. What cannot be decoded is counted,
  /// logged once per peer and kind, and answered if its sender speaks another protocol.
  std::optional<Incoming> receive();
  /// False when it was dropped: not connected, unroutable, or above the high-water mark.
  bool send(PeerId to, Envelope& envelope);
  void redial(PeerId peer);
  void forget(PeerId peer);

  /// Readable when something may have happened; `receive` until nothing comes before waiting on them.
  std::vector<int> descriptors() const;
  std::uint64_t malformed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Version of the ZeroMQ library in use.
std::string zmq_version();

}  // namespace dp
