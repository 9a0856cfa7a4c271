// SPDX-License-Identifier: MIT
#include "wire/connection_guard.hpp"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "base/error.hpp"

namespace dp {
namespace {

constexpr int tick_ms = 50;
constexpr std::size_t frame_overhead = 64;                   ///< at most, on the wire
constexpr std::int64_t handshake_bytes = 4096;               ///< at most
constexpr std::int64_t most_kept = std::int64_t{512} << 20;  ///< on the wire, of all connections
/// Of that, of those that were not let in; one of them has no more than one message to say.
constexpr std::int64_t most_kept_of_unauthenticated = std::int64_t{128} << 20;
constexpr std::int64_t most_columns = std::int64_t{16} << 20;  ///< of a HELLO
/// Empty frames take 32 times as much memory as on the wire: from here on the heap is looked at too.
constexpr std::int64_t small_change = 1 << 20;
constexpr std::int64_t most_growth = 64 << 20;
constexpr std::int64_t unfinished_enough = 4096;  ///< to be cut when the heap grows

/// What this process may open, within reason.
std::size_t descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 16));
}

std::int64_t heap_in_use() {
  const auto info = ::mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

/// Tells one connection from the next with the same descriptor; 0 when it is no open socket.
ino_t identity(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

/// Bytes that ZeroMQ has read off a TCP connection so far; nothing for other connections.
std::optional<std::int64_t> bytes_read(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  int waiting = 0;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || ::ioctl(fd, FIONREAD, &waiting) != 0)
    return std::nullopt;
  // What came between the two calls waits, and was not counted.
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(info.tcpi_bytes_received) - waiting);
}

std::string address_of(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  char text[INET6_ADDRSTRLEN] = "local";
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return "unknown address";
  if (peer.ss_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(&peer)->sin_addr, text, sizeof text);
  if (peer.ss_family == AF_INET6)
    ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(&peer)->sin6_addr, text, sizeof text);
  return text;
}

struct Connection {
  ino_t identity;  ///< 0: hung up on already
  std::string address;
  std::int64_t base;        ///< what `taken` may differ by from what was read, a whole handshake allowed for
  std::int64_t marked = 0;  ///< read when the mark was set
  std::int64_t unfinished = 0;  ///< but for a handshake's worth
  std::int64_t held = 0;        ///< unread or unfinished, but for a handshake's worth
};

/// What the reading thread tells of a descriptor.
struct Tally {
  std::atomic<std::int64_t> taken = 0;
  std::atomic<ino_t> let_in = 0;  ///< the connection that was: a descriptor may be another's by now
};

}  // namespace

struct ConnectionGuard::Impl {
  zmq::socket_t& watched;
  Refusals& refusals;
  std::int64_t largest_message = 0;
  std::size_t most_unauthenticated = 0;
  std::int64_t most_said = 0;
  bool tells_ends = false;
  std::vector<Tally> tallies = {};
  std::atomic<std::uint64_t> naps = 0;  ///< of the reading thread, begun and ended: odd while it waits
  std::map<int, Connection> connections = {};
  std::vector<int> arrivals = {};  ///< not known to be let in, oldest first; may name some that are gone
  std::uint64_t mark = 0;
  std::int64_t heap_before = 0, heap_before_unauthenticated = 0;
  zmq::socket_t events = {};
  int stop = -1;
  std::mutex ended_lock = {};
  std::vector<std::pair<int, ino_t>> ended = {};  ///< under the lock: connections, told to the reading thread
  int some_ended = -1;
  struct Owner {
    PeerId peer{};
    ino_t identity = 0;  ///< of the connection: a descriptor may be another's by now
  };
  std::vector<Owner> owners = {};  ///< by descriptor; the reading thread's alone
  std::thread thread = {};

  void serve() {
    std::array<zmq::pollitem_t, 2> items{
        {{events.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, stop, ZMQ_POLLIN, 0}}};
    auto due = std::chrono::steady_clock::now();
    while (items[1].revents == 0) {
      zmq::poll(items, std::chrono::milliseconds(connections.empty() ? -1 : tick_ms));
      while (note_event()) continue;
      if (std::chrono::steady_clock::now() < due) continue;
      look_around();
      due = std::chrono::steady_clock::now() + std::chrono::milliseconds(tick_ms);
    }
    events.close();
  }

  bool note_event() {
    zmq::message_t event, endpoint;
    if (!events.recv(event, zmq::recv_flags::dontwait)) return false;
    if (event.more() && !events.recv(endpoint)) return false;
    std::uint16_t kind = 0;
    std::int32_t fd = 0;
    std::memcpy(&kind, event.data(), sizeof kind);
    std::memcpy(&fd, static_cast<const char*>(event.data()) + sizeof kind, sizeof fd);
    if (kind == ZMQ_EVENT_DISCONNECTED || kind == ZMQ_EVENT_CLOSED) left(fd);
    if (kind == ZMQ_EVENT_ACCEPTED) arrived(fd);
    return true;
  }

  void arrived(int fd) {
    if (fd < 0 || static_cast<std::size_t>(fd) >= tallies.size()) return;
    connections[fd] = {identity(fd), address_of(fd), tallies[fd].taken + handshake_bytes, 0, 0, 0};
    arrivals.push_back(fd);
    // It may have been let in before this event was read.
    ino_t before = tallies[fd].let_in;
    if (before != connections[fd].identity) tallies[fd].let_in.compare_exchange_strong(before, 0);
  }

  void left(int fd) {
    const auto found = connections.find(fd);
    if (found == connections.end()) return;
    const ino_t identity = found->second.identity;
    connections.erase(found);
    if (!tells_ends) return;
    {
      const std::lock_guard hold(ended_lock);
      ended.emplace_back(fd, identity);
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(some_ended, &one, sizeof one);
  }

  /// Or cut already.
  bool is_let_in(int fd, const Connection& connection) const {
    return connection.identity == 0 || tallies[fd].let_in == connection.identity;
  }

  void look_around() {
    limit_unauthenticated();
    std::int64_t kept = 0, unfinished = 0;
    // Since the mark was set the reading thread slept, or began to: what was there by then is read if it can be.
    const std::uint64_t at = naps;
    const bool paused = at == mark ? at & 1 : at > mark + (mark & 1);
    Connection* largest = nullptr;
    int largest_fd = -1;
    std::int64_t most = 0;
    for (auto& [fd, connection] : connections) {
      const auto read = connection.identity == 0 ? std::nullopt : bytes_read(fd);
      if (!read) continue;
      const std::int64_t taken = tallies[fd].taken;
      connection.base = std::max(connection.base, taken - *read);
      const std::int64_t held = *read + connection.base - taken;
      if (*read > most_said) cut(fd, connection, "says more than it has reason to");
      if (paused)
        connection.unfinished =
            std::max<std::int64_t>(0, connection.marked + connection.base - handshake_bytes - taken);
      if (paused) connection.marked = *read;
      connection.held = std::max<std::int64_t>(0, held - handshake_bytes);
      kept += held;
      unfinished += connection.unfinished;
      if (held > most) most = held, largest = &connection, largest_fd = fd;
    }
    if (paused) mark = at;
    if (largest && kept > most_kept) cut(largest_fd, *largest, "sends faster than can be read");
    limit_unfinished(unfinished);
    limit_unread_unauthenticated();
  }

  /// Whether or not the reading thread gets to sleep: on a busy machine it does not, while ZeroMQ's goes on.
  void limit_unread_unauthenticated() {
    std::vector<std::pair<std::int64_t, int>> unauthenticated;  // largest first
    std::int64_t total = 0;
    for (const auto& [fd, connection] : connections) {
      if (is_let_in(fd, connection) || connection.held <= unfinished_enough) continue;
      unauthenticated.emplace_back(connection.held, fd);
      total += connection.held;
    }
    std::sort(unauthenticated.rbegin(), unauthenticated.rend());
    const std::int64_t heap = total > small_change ? heap_in_use() : 0;
    if (heap == 0 || heap_before_unauthenticated == 0) heap_before_unauthenticated = heap;
    const bool grown = heap - heap_before_unauthenticated > most_growth + 4 * total;
    for (const auto& [held, fd] : unauthenticated) {
      if (!grown && total <= most_kept_of_unauthenticated && held <= largest_message / 2 + most_columns) break;
      cut(fd, connections.at(fd), "says too much before it was let in");
      total -= held;
    }
  }

  void limit_unfinished(std::int64_t total) {
    if (total <= small_change) heap_before = 0;
    if (total <= small_change) return;
    const std::int64_t heap = heap_in_use();
    if (heap_before == 0) heap_before = heap - total;
    const bool grown = heap - heap_before > most_growth + 4 * total;
    for (auto& [fd, connection] : connections) {
      if (connection.unfinished > largest_message || (grown && connection.unfinished > unfinished_enough))
        cut(fd, connection, "a message without end");
    }
  }

  /// The oldest go: a friend is let in within a moment of its arrival.
  void limit_unauthenticated() {
    std::erase_if(arrivals, [&](int fd) {
      const auto found = connections.find(fd);
      return found == connections.end() || is_let_in(fd, found->second);
    });
    if (arrivals.size() <= most_unauthenticated) return;
    for (std::size_t n = 0; n < arrivals.size() - most_unauthenticated; ++n)
      cut(arrivals[n], connections.at(arrivals[n]), "too many connections that say nothing");
  }

  void cut(int fd, Connection& connection, const char* why) {
    if (identity(fd) != connection.identity) return;  // another's by now
    refusals.note(connection.address, fmt::format("hung up on: {}", why));
    const linger at_once{1, 0};  // a reset, so that the other side need not wait for the end of what it sends
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::shutdown(fd, SHUT_RDWR);
    connection.identity = 0;
    connection.unfinished = connection.held = 0;
  }
};

ConnectionGuard::ConnectionGuard(zmq::context_t& context, zmq::socket_t& watched, const Limits& limits, Refusals& refusals)
    : impl_(new Impl{watched, refusals}) {
  impl_->largest_message = 2 * static_cast<std::int64_t>(limits.largest_frame);
  impl_->most_said = limits.most_said;
  impl_->tells_ends = limits.tells_ends;
  impl_->tallies = std::vector<Tally>(descriptor_limit());
  impl_->most_unauthenticated = std::min(limits.most_unauthenticated, impl_->tallies.size() / 4);
  impl_->events = zmq::socket_t(context, zmq::socket_type::pair);
  impl_->stop = ::eventfd(0, EFD_CLOEXEC);
  impl_->some_ended = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  impl_->owners.resize(impl_->tallies.size());
  static std::atomic<std::uint64_t> number = 0;  // endpoints must differ
  const std::string endpoint = fmt::format("inproc://connection-guard-{}", ++number);
  if (::zmq_socket_monitor(watched.handle(), endpoint.c_str(),
                           ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED) != 0)
    throw Error("cannot watch a socket: {}", ::zmq_strerror(::zmq_errno()));
  impl_->events.connect(endpoint);
  impl_->thread = std::thread([impl = impl_.get()] { impl->serve(); });
}

ConnectionGuard::~ConnectionGuard() {
  // In this order: ZeroMQ's thread would wait for ever for somebody to take an event off it.
  ::zmq_socket_monitor(impl_->watched.handle(), nullptr, 0);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(impl_->stop, &one, sizeof one);
  impl_->thread.join();
  ::close(impl_->stop);
  ::close(impl_->some_ended);
}

void ConnectionGuard::took(int fd, std::size_t frames, std::size_t bytes, bool let_in) {
  if (fd < 0 || static_cast<std::size_t>(fd) >= impl_->tallies.size()) return;
  Tally& tally = impl_->tallies[static_cast<std::size_t>(fd)];
  tally.taken.fetch_add(static_cast<std::int64_t>(frames * frame_overhead + bytes),
                        std::memory_order_relaxed);
  if (let_in && tally.let_in.load(std::memory_order_relaxed) == 0) tally.let_in = identity(fd);
}

void ConnectionGuard::let_in(int fd) {
  if (fd >= 0 && static_cast<std::size_t>(fd) < impl_->tallies.size())
    impl_->tallies[static_cast<std::size_t>(fd)].let_in = identity(fd);
}

void ConnectionGuard::belongs(int fd, PeerId peer) {
  if (fd < 0 || static_cast<std::size_t>(fd) >= impl_->owners.size()) return;
  Impl::Owner& owner = impl_->owners[static_cast<std::size_t>(fd)];
  if (owner.peer != peer) owner = {peer, identity(fd)};
}

/// Where a descriptor was reused before its last messages were read, nobody is named: heartbeats will tell.
std::vector<PeerId> ConnectionGuard::ended() {
  std::uint64_t count = 0;
  if (::read(impl_->some_ended, &count, sizeof count) != sizeof count) return {};
  std::vector<std::pair<int, ino_t>> ended;
  {
    const std::lock_guard hold(impl_->ended_lock);
    ended.swap(impl_->ended);
  }
  std::vector<PeerId> peers;
  for (const auto& [fd, identity] : ended) {
    Impl::Owner& owner = impl_->owners[static_cast<std::size_t>(fd)];
    if (identity == 0 || owner.identity != identity) continue;
    peers.push_back(owner.peer);
    owner = {};
  }
  return peers;
}

int ConnectionGuard::descriptor() const { return impl_->some_ended; }

void ConnectionGuard::falls_asleep() { impl_->naps |= 1; }
void ConnectionGuard::wakes() {
  if (impl_->naps.load(std::memory_order_relaxed) & 1) ++impl_->naps;
}

}  // namespace dp
