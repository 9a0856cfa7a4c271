// Binds and connects ZeroMQ sockets: by name, IPv6 or ipc, and never in another process's place.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace zmq {
class socket_t;
}  // namespace zmq

namespace dp {

/// Returns the endpoint in use (port 0 picks a free one). A socket file that nobody listens at any more is taken over.
/// Throws Error that says what to do.
std::string bind_at(zmq::socket_t& socket, const std::string& endpoint);
/// Whether an endpoint has to be reached by IPv6. Looks names up, which may take seconds: not for an event loop.
bool over_ipv6(const std::string& endpoint);
/// ZeroMQ looks a name up again with every connection, in a thread of its own. Throws Error.
void connect_to(zmq::socket_t& socket, const std::string& endpoint, bool ipv6);

}  // namespace dp
