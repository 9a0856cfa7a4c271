// The network between the processes of the world, and what may go wrong anywhere.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "world.hpp"

namespace dp::adversary {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int to_bound = 0, to_dialler = 1;

template <class T>
std::string first_few(const std::vector<T>& ids) {
  std::string text;
  for (std::size_t i = 0; i < ids.size() && i < 8; ++i) text += fmt::format(" {}", ids[i]);
  return ids.size() > 8 ? text + " …" : text;
}

}  // namespace

std::string describe(const Message& message) {
  static constexpr const char* names[] = {"HELLO",  "WELCOME", "REJECT", "RUN",    "START",  "ANNOUNCE",
                                          "BATCH",  "DONE",    "RETURN", "CREDIT", "RESULT", "ACK",
                                          "FAILED", "COMMIT",  "REPORT", "USAGE",  "EOS",    "FIN",
                                          "DRAIN",  "BYE",     "PING",   "PONG"};
  std::string text = names[message.index()];
  if (const auto* m = std::get_if<Hello>(&message))
    text +=
        fmt::format(" started={} held{} unacked{}", m->started, first_few(m->held), first_few(m->unacked));
  if (const auto* m = std::get_if<Welcome>(&message)) text += fmt::format(" started={}", m->started);
  if (const auto* m = std::get_if<Reject>(&message))
    text += fmt::format("{}: {}", m->hello_again ? " hello again" : "", m->reason);
  if (const auto* m = std::get_if<Run>(&message)) text += fmt::format(" started={}", m->started);
  if (const auto* m = std::get_if<Announce>(&message)) text += first_few(m->batches);
  if (const auto* m = std::get_if<Batch>(&message))
    text += fmt::format(" {} attempt {} number {}", raw(m->lease.batch), m->lease.attempt, m->number);
  if (const auto* m = std::get_if<Done>(&message))
    text += fmt::format(" {} limit {}{}", raw(m->lease.batch), m->limit,
                        m->error == ErrorClass::none ? "" : " failed");
  if (const auto* m = std::get_if<Return>(&message)) text += fmt::format(" {}", raw(m->lease.batch));
  if (const auto* m = std::get_if<Credit>(&message)) text += fmt::format(" {}", m->limit);
  if (const auto* m = std::get_if<Result>(&message)) text += fmt::format(" {}", raw(m->lease.batch));
  if (const auto* m = std::get_if<Ack>(&message)) text += first_few(m->batches);
  if (const auto* m = std::get_if<Failed>(&message)) text += fmt::format(" {}", raw(m->batch));
  if (const auto* m = std::get_if<Commit>(&message))
    text += fmt::format(" below {} and {:x}{}", raw(m->watermark), m->bitmap.empty() ? 0 : m->bitmap[0],
                        m->run_stored ? "" : " (run not stored)");
  if (const auto* m = std::get_if<Eos>(&message)) text += fmt::format(" {}", m->batches);
  if (const auto* m = std::get_if<Ping>(&message))
    text += fmt::format(" limit {} held{}", m->limit, first_few(m->held));
  return text;
}

// ---- network ---------------------------------------------------------------------------------------------

Duration World::latency() {
  if (faults_over_ || rng_.below(20)) return microseconds(50 + rng_.below(500));
  return Duration(
      static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(scenario_.longest_delay.count()))));
}

void World::connect_soon(std::size_t l) {
  const std::uint64_t attempt = ++links_[l].attempt;
  const Duration delay = rng_.below(4) ? milliseconds(rng_.below(60)) : milliseconds(rng_.below(1000));
  schedule(now_ + delay, [this, l, attempt] {
    if (links_[l].attempt == attempt) connect(l);
  });
}

void World::connect(std::size_t l) {
  Link& link = links_[l];
  Node &dialler = nodes_[link.dialler], &bound = nodes_[link.bound];
  if (link.up || !dialler.stage || !bound.stage) return;
  Connection connection;
  connection.inbound = PeerId{bound.next_peer++};
  connection.dialler_life = dialler.life;
  connection.bound_life = bound.life;
  link.connections.push_back(connection);
  link.up = true;
}

/// Each direction loses a suffix of what is on its way.
void World::disconnect(std::size_t l, bool lossless) {
  Link& link = links_[l];
  ++link.attempt;
  if (!std::exchange(link.up, false)) return;
  tell_end(l);
  if (lossless) return;
  Connection& connection = link.connections.back();
  for (int direction : {to_bound, to_dialler}) {
    const std::uint64_t lost =
        rng_.below(2) ? rng_.below(std::min<std::uint64_t>(connection.count[direction], 20) + 1) : 0;
    connection.cutoff[direction] = connection.count[direction] - lost;
  }
}

/// The bound side's kernel notices most ends, once it has delivered what came before.
void World::tell_end(std::size_t l) {
  const Link& link = links_[l];
  if (rng_.below(5) == 0) return;
  schedule(std::max(now_, link.last[to_bound]) + latency(),
           [this, n = link.bound, peer = link.connections.back().inbound, life = nodes_[link.bound].life] {
             if (nodes_[n].life != life || !nodes_[n].stage) return;
             note("{} notices that a connection has ended", nodes_[n].name);
             interact(n, [&](Time now, Outbox& out) { nodes_[n].stage->disconnected(now, peer, out); });
           });
}

void World::send(std::size_t n, Send&& send) {
  for (std::size_t l = 0; l < links_.size(); ++l) {
    Link& link = links_[l];
    const bool dials = link.dialler == n && link.dialled == send.to;
    const bool bound = link.bound == n && link.up && link.connections.back().inbound == send.to;
    if (!dials && !bound) continue;
    const std::size_t other = dials ? link.bound : link.dialler;
    invariants_.sent(nodes_[n].role, nodes_[other].role, send.envelope);
    if (!link.up)
      return note("{} → {}: {} (not connected)", nodes_[n].name, nodes_[other].name,
                  describe(send.envelope.body));
    return transmit(l, dials ? to_bound : to_dialler, std::move(send.envelope));
  }
}

void World::transmit(std::size_t l, int direction, Envelope&& envelope) {
  Link& link = links_[l];
  const std::size_t connection = link.connections.size() - 1;
  const std::uint64_t number = ++link.connections.back().count[direction];
  const auto shared = std::make_shared<Envelope>(std::move(envelope));
  const auto at = [&] {
    if (!scenario_.fifo && !faults_over_) return now_ + latency();
    return link.last[direction] = std::max(link.last[direction], now_ + latency());
  };
  if (!faults_over_ && rng_.uniform() < scenario_.drop) {
    return note("{} → {}: {} (lost)", nodes_[direction ? link.bound : link.dialler].name,
                nodes_[direction ? link.dialler : link.bound].name, describe(shared->body));
  }
  const int copies = !faults_over_ && rng_.uniform() < scenario_.repeat ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    schedule(at(), [this, l, direction, connection, number, shared] {
      arrive(l, direction, connection, number, shared);
    });
  }
}

void World::arrive(std::size_t l, int direction, std::size_t c, std::uint64_t number,
                   const std::shared_ptr<Envelope>& envelope) {
  Link& link = links_[l];
  const Connection& connection = link.connections[c];
  const std::size_t to = direction == to_bound ? link.bound : link.dialler;
  Node &node = nodes_[to], &sender = nodes_[direction == to_bound ? link.dialler : link.bound];
  const auto lost = [&](const char* why) {
    note("{} → {}: {} ({})", sender.name, node.name, describe(envelope->body), why);
  };
  if (number > connection.cutoff[direction]) return lost("lost with its connection");
  const std::uint64_t meant = direction == to_bound ? connection.bound_life : connection.dialler_life;
  PeerId from = direction == to_bound ? connection.inbound : link.dialled;
  if (!node.stage) return lost("nobody there");
  if (meant != node.life || (direction == to_dialler && c + 1 != link.connections.size())) {
    // Frames of an old connection, flushed into a new one.
    if (scenario_.fifo || !link.up) return lost("too late");
    from = direction == to_bound ? link.connections.back().inbound : link.dialled;
  }
  if (now_ < node.stalled_until) {
    return schedule(node.stalled_until,
                    [this, l, direction, c, number, envelope] { arrive(l, direction, c, number, envelope); });
  }
  note("{} → {}: {}", sender.name, node.name, describe(envelope->body));
  invariants_.delivered(node.role, *envelope);
  interact(to, [&](Time now, Outbox& out) { node.stage->receive(now, from, Envelope(*envelope), out); });
}

// ---- what may go wrong -----------------------------------------------------------------------------------

void World::stall(std::size_t n, Duration for_so_long) {
  if (!nodes_[n].stage) return;
  note("{} is stopped for {:g} s", nodes_[n].name, to_seconds(for_so_long));
  nodes_[n].stalled_until = now_ + for_so_long;
}

void World::interrupt(std::size_t n) {
  if (!nodes_[n].stage) return;
  note("{} is interrupted", nodes_[n].name);
  interact(n, [&](Time now, Outbox& out) { nodes_[n].stage->drain(now, out); });
}

void World::step_clock(std::size_t n, Duration by) {
  note("the clock of {} steps by {:g} s", nodes_[n].name, to_seconds(by));
  nodes_[n].clock += by;
}

void World::wedge(std::size_t n) {
  note("{} will not finish what it computes", nodes_[n].name);
  nodes_[n].wedged = true;
}

void World::slow_disk(Duration by) { sync_takes_ = by; }

void World::hold(std::size_t l, int direction, Duration for_so_long) {
  Link& link = links_[l];
  note("nothing gets from {} to {} for {:g} s", nodes_[direction ? link.bound : link.dialler].name,
       nodes_[direction ? link.dialler : link.bound].name, to_seconds(for_so_long));
  link.last[direction] = std::max(link.last[direction], now_ + for_so_long);
}

void World::reset(std::size_t l) {
  note("the connection of {} and {} breaks", nodes_[links_[l].dialler].name, nodes_[links_[l].bound].name);
  disconnect(l, false);
  connect_soon(l);
}

void World::end_faults() {
  note("no more faults from here on");
  faults_over_ = true;
  sync_takes_ = milliseconds(1);
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    if (nodes_[n].wedged) crash(n, milliseconds(100));
  }
}

}  // namespace dp::adversary
