// SPDX-License-Identifier: MIT
#include "wire/attach.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <zmq.hpp>

#include "base/error.hpp"
#include "base/file.hpp"
#include "wire/endpoint.hpp"

namespace dp {
namespace {

/// The path of an endpoint's socket file; "" for all others.
std::string path_of(const std::string& endpoint) {
  const bool file = endpoint.starts_with("ipc://") && endpoint[6] != '@' && endpoint[6] != '*';
  return file ? endpoint.substr(6) : "";
}

/// Keeps two processes from looking at one socket file at a time, by a lock on its folder: not for ever, since others may
/// lock that as well. Returns a descriptor to close.
int locked_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int n = 0; fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) != 0 && n < 100; ++n)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return fd;
}

/// ZeroMQ removes whatever has the name of its socket file: only what nobody listens at may have it.
void require_unused(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) throw Error("{} is there, and no socket: remove it, or give another path", path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return;  // ZeroMQ says so
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      (errno == ECONNREFUSED || errno == ENOENT))
    return;
  throw Error("another process listens there: end it, or give another path");
}

/// ZeroMQ writes "any free port" as *.
std::string as_zeromq_writes(const std::string& endpoint) {
  return endpoint.ends_with(":0") ? endpoint.substr(0, endpoint.size() - 1) + "*" : endpoint;
}

}  // namespace

std::string bind_at(zmq::socket_t& socket, const std::string& endpoint) {
  try {
    const std::string path = path_of(endpoint);
    const Fd lock(path.empty() ? -1 : locked_folder_of(path));
    if (!path.empty()) require_unused(path);
    const std::string at = resolved(endpoint);
    if (at.starts_with("tcp://[")) socket.set(zmq::sockopt::ipv6, true);
    socket.bind(as_zeromq_writes(at));
    return socket.get(zmq::sockopt::last_endpoint);
  } catch (const zmq::error_t& problem) {
    throw Error("cannot bind {}: {} (another run may be using it; port 0 picks a free one)", endpoint,
                problem.what());
  } catch (const Error& problem) {
    throw Error("cannot bind {}: {}", endpoint, problem.what());
  }
}

bool over_ipv6(const std::string& endpoint) {
  try {
    return resolved(endpoint).starts_with("tcp://[");
  } catch (const Error&) {
    return false;  // a name that does not resolve now may later: ZeroMQ keeps trying
  }
}

void connect_to(zmq::socket_t& socket, const std::string& endpoint, bool ipv6) {
  try {
    if (ipv6) socket.set(zmq::sockopt::ipv6, true);
    socket.connect(endpoint);
  } catch (const zmq::error_t& problem) {
    throw Error("{}: {}", endpoint, problem.what());
  }
}

}  // namespace dp
