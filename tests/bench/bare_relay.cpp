// The rival of the null backend: three processes that do nothing but pass the same frames over the same two
// hops (ROUTER/DEALER over TCP) under the same windows, without any of the toolkit's code. Prints one JSON
// line.
// SPDX-License-Identifier: MIT
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

namespace {

constexpr std::size_t header_bytes = 110, arrays_bytes = 132;  // as a BATCH of 32 samples has them

struct Setting {
  long batches = 20'000;
  std::size_t payload = 98'304;
  long window = 256, credit = 64;  // source to relay, relay to sink
};

using Parts = std::vector<zmq::message_t>;

Parts receive(zmq::socket_t& socket) {
  Parts parts;
  do {
    parts.emplace_back();
    (void)socket.recv(parts.back());
  } while (socket.get(zmq::sockopt::rcvmore));
  return parts;
}

void send(zmq::socket_t& socket, Parts& parts, std::size_t from = 0) {
  for (std::size_t i = from; i < parts.size(); ++i) {
    socket.send(parts[i], i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
}

void source(const Setting& setting, const std::string& endpoint) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.connect(endpoint);
  const std::vector<char> data(setting.payload, 7);
  long outstanding = 0;
  for (long sent = 0; sent < setting.batches || outstanding > 0;) {
    if (sent == setting.batches || outstanding == setting.window) {
      receive(socket);
      --outstanding;
      continue;
    }
    Parts parts;
    parts.emplace_back(header_bytes);
    parts.emplace_back(arrays_bytes);
    parts.emplace_back(setting.payload);
    std::memcpy(parts.back().data(), data.data(), data.size());
    send(socket, parts);
    ++sent;
    ++outstanding;
  }
}

void sink(const Setting& setting, const std::string& endpoint) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.connect(endpoint);
  socket.send(zmq::message_t(header_bytes), zmq::send_flags::none);
  for (long n = 0; n < setting.batches; ++n) {
    receive(socket);
    socket.send(zmq::message_t(header_bytes), zmq::send_flags::none);
  }
}

/// Batches per second from the first batch in to the last acknowledgement out.
double relay(const Setting& setting, zmq::socket_t& upstream, zmq::socket_t& downstream) {
  std::deque<Parts> waiting;
  std::string from, to = receive(downstream)[0].to_string();
  long credit = setting.credit;
  std::chrono::steady_clock::time_point start{};
  for (long done = 0; done < setting.batches;) {
    zmq::pollitem_t items[] = {{upstream.handle(), 0, ZMQ_POLLIN, 0},
                               {downstream.handle(), 0, ZMQ_POLLIN, 0}};
    zmq::poll(items, 2, std::chrono::milliseconds(-1));
    if (items[0].revents) {
      waiting.push_back(receive(upstream));
      from = waiting.back()[0].to_string();
      if (start.time_since_epoch().count() == 0) start = std::chrono::steady_clock::now();
    }
    if (items[1].revents) {
      receive(downstream);
      ++credit;
      ++done;
      Parts acknowledgement;
      acknowledgement.emplace_back(from);
      acknowledgement.emplace_back(header_bytes);
      send(upstream, acknowledgement);
    }
    for (; credit > 0 && !waiting.empty(); --credit) {
      waiting.front()[0].rebuild(to.data(), to.size());
      send(downstream, waiting.front());
      waiting.pop_front();
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return static_cast<double>(setting.batches) / seconds.count();
}

template <class F>
pid_t child(F&& body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  body();
  std::_Exit(0);
}

/// A free loopback port, found before forking: ZeroMQ's threads do not survive a fork.
std::string free_endpoint() {
  zmq::context_t context;
  zmq::socket_t probe(context, zmq::socket_type::router);
  probe.bind("tcp://127.0.0.1:*");
  return probe.get(zmq::sockopt::last_endpoint);
}

}  // namespace

int main(int argc, char** argv) {
  Setting setting;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const long value = std::atol(argv[i + 1]);
    if (name == "--batches") setting.batches = value;
    else if (name == "--payload") setting.payload = static_cast<std::size_t>(value);
    else if (name == "--window") setting.window = value;
    else if (name == "--credit") setting.credit = value;
    else return std::fprintf(stderr, "bare_relay: unknown option %s\n", argv[i]), 2;
  }
  const std::string up = free_endpoint(), down = free_endpoint();
  const pid_t sender = child([&] { source(setting, up); });
  const pid_t receiver = child([&] { sink(setting, down); });
  double rate = 0;
  {
    zmq::context_t context;
    zmq::socket_t upstream(context, zmq::socket_type::router), downstream(context, zmq::socket_type::router);
    upstream.bind(up);
    downstream.bind(down);
    rate = relay(setting, upstream, downstream);
  }
  ::waitpid(sender, nullptr, 0);
  ::waitpid(receiver, nullptr, 0);
  std::printf(
      "{\"batches\":%ld,\"payload_bytes\":%zu,\"window\":%ld,\"credit\":%ld,\"batches_per_s\":%.1f}\n",
      setting.batches, setting.payload, setting.window, setting.credit, rate);
}
