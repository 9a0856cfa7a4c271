// Watches the connections to one bound socket from outside ZeroMQ, which neither bounds how many there are nor how much
// it keeps of a message whose end has not come: whoever threatens the memory or the file descriptors of this process is
// hung up on. An owner of a connection that was cut by mistake connects again, as after any cut.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/ids.hpp"
#include "wire/refusals.hpp"

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace dp {

class ConnectionGuard {
 public:
  struct Limits {
    std::size_t largest_frame;  ///< bytes
    std::size_t most_unauthenticated =
        SIZE_MAX;  ///< connections that were not let in; at most a quarter of the descriptors
    std::int64_t most_said = INT64_MAX;  ///< bytes of one connection, its handshake included
    bool tells_ends = false;             ///< `ended` is asked
  };
  /// Keeps the references: the socket must be closed after this is gone.
  ConnectionGuard(zmq::context_t& context, zmq::socket_t& watched, const Limits& limits, Refusals& refusals);
  ~ConnectionGuard();

  // For the thread that reads the socket:
  /// A whole message of `frames` frames was read that came by the descriptor `fd`, from a peer that was let in or not.
  void took(int fd, std::size_t frames, std::size_t bytes, bool let_in);
  /// Its peer may say more than a first message from here on.
  void let_in(int fd);
  /// The descriptor is that of this peer, which was let in.
  void belongs(int fd, PeerId peer);
  /// Peers whose connection has ended since the last call.
  std::vector<PeerId> ended();
  /// Readable when there are some.
  int descriptor() const;
  /// All that could be read was, and it waits for more: what ZeroMQ keeps now belongs to messages whose end has not come.
  void falls_asleep();
  void wakes();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dp
