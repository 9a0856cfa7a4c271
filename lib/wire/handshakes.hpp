// How a dialled socket's handshakes end, so that a person can be told why nobody answers.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace dp {

enum class Handshake {
  done,
  cut,          ///< the other side hung up; ZeroMQ tries again by itself
  refused,      ///< the other side does not admit our key; ZeroMQ does not try again
  not_speaking  ///< the other side speaks something else, or without keys; ZeroMQ does not try again
};

/// What a person can make of an end that is not `done`, as said of the other side; `keyed`: this side has keys.
std::string why(Handshake end, bool keyed);

class Handshakes {
 public:
  /// Keeps the reference: the socket must be closed after this is gone.
  Handshakes(zmq::context_t& context, zmq::socket_t& watched);
  ~Handshakes();

  /// The next that ended, waiting this long.
  std::optional<Handshake> next(int wait_ms = 0);
  int descriptor() const;

 private:
  zmq::socket_t& watched_;
  std::unique_ptr<zmq::socket_t> events_;
};

}  // namespace dp
