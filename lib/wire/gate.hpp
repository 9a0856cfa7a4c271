// Who may speak on the bound sockets: answers ZeroMQ's authentication requests (ZAP, RFC 27) from the list of keys, on
// a thread of its own, and shows before anything is READY that a key that is not listed is refused.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "wire/curve.hpp"
#include "wire/refusals.hpp"

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace dp {

class Gate {
 public:
  /// Serves the sockets of this context until that is shut down, which must come before the destruction of this. Keeps
  /// the references.
  Gate(zmq::context_t& context, const Security& security, Refusals& refusals);
  ~Gate();

  /// Sets a socket up, before it is bound, to admit these roles only.
  void guard(zmq::socket_t& socket, const std::vector<Role>& roles) const;
  /// Throws Error unless a throw-away key is refused there. `publishes`: it is a PUB socket, not a ROUTER one.
  void prove(const std::string& endpoint, bool publishes = false) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Sets a socket up, before it is connected, to speak with `own` to the owner of the key `server`.
void use_keys(zmq::socket_t& socket, const KeyPair& own, const std::string& server);

}  // namespace dp
