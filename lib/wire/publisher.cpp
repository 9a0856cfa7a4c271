// SPDX-License-Identifier: MIT
#include "wire/publisher.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <zmq.hpp>

#include "base/log.hpp"
#include "base/without_signals.hpp"
#include "wire/attach.hpp"
#include "wire/codec.hpp"
#include "wire/connection_guard.hpp"
#include "wire/gate.hpp"
#include "wire/refusals.hpp"

namespace dp {
namespace {

constexpr int most_waiting = 2;             ///< snapshots for one reader
constexpr int linger_ms = 100;              ///< for the last one
constexpr int most_subscriptions = 100;     ///< unread, of one reader: an honest one has one
constexpr std::size_t largest_word = 1024;  ///< of what a reader says: an honest one says "everything"
constexpr int frame_overhead = 64;          ///< of encryption
constexpr std::size_t most_readers = 256;
constexpr std::int64_t most_said =
    2048;  ///< bytes of one reader: a handshake with keys and a subscription are 700
constexpr int handshake_ms = 5000;
constexpr int keepalive_s = 30;

void configure(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, linger_ms);
  socket.set(zmq::sockopt::sndhwm, most_waiting);
  socket.set(zmq::sockopt::rcvhwm, most_subscriptions);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(largest_word + frame_overhead));
  socket.set(zmq::sockopt::handshake_ivl, handshake_ms);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, keepalive_s);
}

}  // namespace

struct Publisher::Impl {
  zmq::context_t context{1};
  std::optional<Security> security;
  Refusals refusals;
  std::unique_ptr<Gate> gate;
  zmq::socket_t socket;
  std::unique_ptr<ConnectionGuard> guard;
  std::string endpoint;

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Envelope> next;
  bool closing = false;
  std::thread thread;

  ~Impl() {
    guard.reset();
    socket.close();
    context.shutdown();  // ends the gate
  }

  void bind(const std::string& wanted) {
    socket = zmq::socket_t(context, zmq::socket_type::pub);
    configure(socket);
    guard = std::make_unique<ConnectionGuard>(context, socket,
                                        ConnectionGuard::Limits{largest_word, most_readers, most_said}, refusals);
    guard->falls_asleep();  // nothing is ever read here
    if (security) {
      gate = std::make_unique<Gate>(context, *security, refusals);
      gate->guard(socket, {Role::top});
    }
    endpoint = bind_at(socket, wanted);
    if (gate) gate->prove(endpoint, true);
  }

  /// Until closing, and what was published before that.
  void serve() {
    try {
      send_until_closed();
    } catch (const std::exception& problem) {
      log_warn("{}: {}: nothing is published from here on; the run goes on", endpoint, problem.what());
    }
  }
  void send_until_closed() {
    Frames frames;
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return next || closing; });
      if (!next) return;
      Envelope envelope = std::move(*next);
      next.reset();
      lock.unlock();
      encode(envelope, frames);
      if (frames.arrays.size() <= max_snapshot_bytes) {
        socket.send(zmq::message_t(frames.header), zmq::send_flags::dontwait | zmq::send_flags::sndmore);
        socket.send(zmq::message_t(frames.arrays), zmq::send_flags::dontwait);
      }
      lock.lock();
    }
  }
};

Publisher::Publisher(const std::string& endpoint, std::optional<Security> security)
    : impl_(std::make_unique<Impl>()) {
  impl_->security = std::move(security);
  impl_->bind(endpoint);
  const WithoutSignals quiet;  // an interrupted send would be taken for a failure
  impl_->thread = std::thread([impl = impl_.get()] { impl->serve(); });
}

Publisher::~Publisher() {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->closing = true;
  }
  impl_->changed.notify_one();
  impl_->thread.join();
}

const std::string& Publisher::endpoint() const { return impl_->endpoint; }

void Publisher::publish(Session from, Snapshot snapshot) {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->next = Envelope{from, {}, std::move(snapshot)};
  }
  impl_->changed.notify_one();
}

}  // namespace dp
