// SPDX-License-Identifier: MIT
#include "world.hpp"

#include <algorithm>
#include <utility>

namespace dp::adversary {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int to_bound = 0, to_dialler = 1;
constexpr std::uint64_t most_steps = 3'000'000;

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

World::World(const Scenario& scenario, bool trace)
    : scenario_(scenario),
      tracing_(trace),
      rng_(mix(scenario.seed, 2)),
      data_(open_dataset("synthetic:1x2x2:64")),
      plan_(scenario.plan, data_->size()),
      invariants_(scenario, plan_.batches()),
      sync_takes_(milliseconds(1)) {
  const auto add = [&](Role role, std::string name) {
    Node node;
    node.role = role;
    node.name = std::move(name);
    node.boot = scenario_.one_host ? "one" : node.name;
    if (!scenario_.one_host) node.clock = seconds(rng_.below(2000));
    nodes_.push_back(std::move(node));
  };
  add(Role::stream, "stream");
  add(Role::route, "route");
  add(Role::collect, "collect");
  for (std::uint32_t w = 0; w < scenario_.workers; ++w) add(Role::infer, fmt::format("w{}", w));
  for (std::size_t dialler = 0; dialler < nodes_.size(); ++dialler) {
    if (nodes_[dialler].role == Role::collect) continue;
    if (nodes_[dialler].role != Role::route) add_link(dialler, 1);
    add_link(dialler, 2);
  }
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    schedule(milliseconds(rng_.below(300)), [this, node] { start(node); });
  }
}

void World::schedule(Duration at, std::function<void()> what) {
  events_.push({at, order_++, std::move(what)});
}

void World::add_link(std::size_t dialler, std::size_t bound) {
  Link link;
  link.dialler = dialler;
  link.bound = bound;
  link.dialled = bound == 1 ? route_peer : collect_peer;
  links_.push_back(std::move(link));
}

void World::run_until(Duration at) {
  for (std::uint64_t steps = 0; !over_ && !events_.empty() && events_.top().at <= at; ++steps) {
    if (steps > most_steps)
      throw Violation("{} steps and still at {:g} s: it spins", steps, to_seconds(now_));
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    event.what();
  }
  now_ = std::max(now_, at);
}

std::string World::standing() const {
  std::string text = fmt::format("{} of {} batches settled;", invariants_.settled(), plan_.batches());
  for (const Node& node : nodes_) {
    text += fmt::format(" {} {},", node.name, node.done ? "done" : node.stage ? "at work" : "dead");
  }
  text.back() = '.';
  return text;
}

// ---- processes -------------------------------------------------------------------------------------------

std::unique_ptr<Stage> World::make_collector(Node& node) {
  CollectorOptions options;
  options.run = RunId{rng_.bits() | 1};
  options.journal = true;
  options.begun = local(node);
  options.wall_ns = std::int64_t{1'700'000'000'000'000'000} + now_.count();
  options.boot_id = node.boot;
  options.timing = scenario_.timing;
  auto collector = std::make_unique<Collector>(options, rng_.bits());
  disk_.recover(
      read_journal(disk_.bytes(), [&](JournalRecord&& record) { collector->replay(std::move(record)); }));
  invariants_.durable(disk_);
  appended_ = 0;
  return collector;
}

std::unique_ptr<Stage> World::make_stage(Node& node) {
  if (node.role == Role::collect) return make_collector(node);
  if (node.role == Role::stream) {
    StreamerOptions options;
    options.concurrency = scenario_.concurrency;
    options.payload = scenario_.payload;
    options.boot_id = node.boot;
    options.timing = scenario_.timing;
    options.resend = std::chrono::hours(10);  // the backstop must not be what saves the run
    return std::make_unique<Streamer>(options, plan_, *data_, rng_.bits());
  }
  if (node.role == Role::route) {
    RouterOptions options;
    options.strategy = scenario_.strategy;
    options.workers = scenario_.workers;
    options.lease = scenario_.lease;
    options.lease_cap = scenario_.lease_cap;
    options.attempts = scenario_.attempts;
    options.buffer = scenario_.buffer;
    options.boot_id = node.boot;
    options.timing = scenario_.timing;
    return std::make_unique<Router>(options, rng_.bits());
  }
  WorkerOptions options;
  options.name = node.name;
  options.credit = scenario_.credit;
  options.datasets = {data_->digest()};
  options.boot_id = node.boot;
  options.timing = scenario_.timing;
  return std::make_unique<Worker>(options, rng_.bits());
}

void World::start(std::size_t n) {
  Node& node = nodes_[n];
  if (node.stage || node.done || over_) return;
  ++node.life;
  node.next_peer = raw(first_inbound);
  node.wedged = false;
  node.computing.clear();
  node.stalled_until = {};
  node.wake = Duration::max();
  note("{} starts (process {})", node.name, node.life);
  node.stage = make_stage(node);
  for (std::size_t link = 0; link < links_.size(); ++link) {
    if (links_[link].dialler == n || links_[link].bound == n) connect_soon(link);
  }
  interact(n, [&](Time now, Outbox& out) { node.stage->tick(now, out); });
}

/// The process is gone; `lossless`: what it has sent arrives all the same.
void World::die(std::size_t n, bool lossless) {
  Node& node = nodes_[n];
  ++node.life;
  node.stage.reset();
  for (std::size_t link = 0; link < links_.size(); ++link) {
    if (links_[link].dialler == n || links_[link].bound == n) disconnect(link, lossless);
  }
  if (node.role == Role::collect) disk_.crash(rng_);
}

void World::crash(std::size_t n, Duration away) {
  Node& node = nodes_[n];
  if (!node.stage) return;
  note("{} is killed", node.name);
  die(n, false);
  schedule(now_ + away, [this, n] { start(n); });
}

void World::finished(std::size_t n) {
  Node& node = nodes_[n];
  const Exit status = *node.stage->finished();
  note("{} ends with status {} {}", node.name, static_cast<int>(status), node.stage->failure());
  if (node.role == Role::collect && status == Exit::done) {
    disk_.synced(disk_.size());  // the tool waits for that before it writes the report
    invariants_.durable(disk_);
    invariants_.complete();
    const RunReport report = static_cast<const Collector&>(*node.stage).report();
    const Account& b = report.batches;
    if (b.announced != plan_.batches() || b.completed + b.failed != b.announced || b.lost || b.double_counted)
      throw Violation("the report says: {} announced, {} completed, {} failed, {} lost, {} double-counted",
                      b.announced, b.completed, b.failed, b.lost, b.double_counted);
    over_ = true;
  }
  if (status == Exit::done && node.role != Role::collect && invariants_.settled() != plan_.batches())
    throw Violation("{} is done with {} of {} batches settled", node.name, invariants_.settled(),
                    plan_.batches());
  node.done = status == Exit::done;
  if (node.role == Role::collect) disk_.synced(disk_.size());
  die(n, true);
  if (!node.done) schedule(now_ + milliseconds(100), [this, n] { start(n); });
}

void World::interact(std::size_t n, const std::function<void(Time, Outbox&)>& what) {
  Node& node = nodes_[n];
  Outbox out;
  what(local(node), out);
  carry_out(n, out);
  if (!node.stage) return;
  if (node.role == Role::route) invariants_.buffered(static_cast<const Router&>(*node.stage).buffered());
  if (node.stage->finished()) return finished(n);
  const Time due = node.stage->next_deadline();
  const Duration at = due <= local(node) ? now_ + microseconds(10)
                                         : now_ + std::min<Duration>(due - local(node), seconds(10));
  if (at >= node.wake) return;
  node.wake = at;
  schedule(at, [this, n, life = node.life] {
    if (nodes_[n].life == life) wake(n);
  });
}

void World::wake(std::size_t n) {
  Node& node = nodes_[n];
  if (now_ < node.wake) return;  // an earlier wake has moved it
  if (now_ < node.stalled_until) {
    node.wake = node.stalled_until;
    return schedule(node.wake, [this, n, life = node.life] {
      if (nodes_[n].life == life) wake(n);
    });
  }
  node.wake = Duration::max();
  interact(n, [&](Time now, Outbox& out) {
    if (node.stage->next_deadline() <= now) node.stage->tick(now, out);
  });
}

void World::carry_out(std::size_t n, Outbox& out) {
  Node& node = nodes_[n];
  for (Action& action : out.actions()) {
    if (auto* message = std::get_if<Send>(&action)) {
      send(n, std::move(*message));
    } else if (const auto* redial = std::get_if<Redial>(&action)) {
      for (std::size_t link = 0; link < links_.size(); ++link) {
        if (links_[link].dialler != n || links_[link].dialled != redial->peer) continue;
        note("{} dials {} anew", node.name, nodes_[links_[link].bound].name);
        disconnect(link, false);
        connect_soon(link);
      }
    } else if (std::holds_alternative<WarmUp>(action)) {
      schedule(now_ + milliseconds(1 + rng_.below(200)), [this, n, life = node.life] {
        if (nodes_[n].life != life) return;
        interact(n, [&](Time now, Outbox& o) { static_cast<Worker&>(*nodes_[n].stage).warmed(now, o); });
      });
    } else if (auto* job = std::get_if<Compute>(&action)) {
      node.computing.push_back(std::move(job->batch));
      if (node.computing.size() == 1) compute(n);
    } else if (const auto* append = std::get_if<Append>(&action)) {
      disk_.append(append->records);
      ++appended_;
      sync(n);
    } else if (const auto* notice = std::get_if<Notice>(&action)) {
      note("{} says: {}", node.name, notice->text);
    }
  }
  out.actions().clear();
}

void World::sync(std::size_t n) {
  disk_free_ =
      std::max(disk_free_, now_) + Duration(rng_.below(static_cast<std::uint64_t>(2 * sync_takes_.count())));
  schedule(disk_free_, [this, n, life = nodes_[n].life, groups = appended_, upto = disk_.size()] {
    if (nodes_[n].life != life) return;
    disk_.synced(upto);
    note("the journal is durable up to byte {}", upto);
    invariants_.durable(disk_);
    interact(n, [&](Time now, Outbox& out) {
      static_cast<Collector&>(*nodes_[n].stage).durable(now, groups, out);
    });
  });
}

// ---- inference -------------------------------------------------------------------------------------------

void World::compute(std::size_t n) {
  Node& node = nodes_[n];
  node.compute_started = now_;
  if (node.wedged) return;
  const Duration service = from_seconds(rng_.exponential(to_seconds(scenario_.service)));
  schedule(now_ + service, [this, n, life = node.life] { computed(n, life); });
}

void World::computed(std::size_t n, std::uint64_t life) {
  Node& node = nodes_[n];
  if (node.life != life || node.wedged) return;
  if (now_ < node.stalled_until) return schedule(node.stalled_until, [this, n, life] { computed(n, life); });
  const Batch batch = std::move(node.computing.front());
  node.computing.pop_front();
  Outcome outcome;
  if (scenario_.poison.contains(raw(batch.lease.batch))) {
    outcome.error = scenario_.poison_for_good ? ErrorClass::data : ErrorClass::transient;
    outcome.message = "poison";
  } else {
    outcome.predictions.assign(batch.ids.size(), static_cast<Label>(raw(batch.lease.batch) % 1000));
  }
  const Time started = local(node) - (now_ - node.compute_started);
  if (!node.computing.empty()) compute(n);
  interact(n, [&](Time now, Outbox& out) {
    static_cast<Worker&>(*node.stage).computed(now, started, now, std::move(outcome), out);
  });
}

// ---- network ---------------------------------------------------------------------------------------------

Duration World::latency() {
  if (calm_ || rng_.below(20)) return microseconds(50 + rng_.below(500));
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
  if (!std::exchange(link.up, false) || lossless) return;
  Connection& connection = link.connections.back();
  for (int direction : {to_bound, to_dialler}) {
    const std::uint64_t lost =
        rng_.below(2) ? rng_.below(std::min<std::uint64_t>(connection.count[direction], 20) + 1) : 0;
    connection.cutoff[direction] = connection.count[direction] - lost;
  }
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
    if (!scenario_.fifo && !calm_) return now_ + latency();
    return link.last[direction] = std::max(link.last[direction], now_ + latency());
  };
  if (!calm_ && rng_.uniform() < scenario_.drop) {
    return note("{} → {}: {} (lost)", nodes_[direction ? link.bound : link.dialler].name,
                nodes_[direction ? link.dialler : link.bound].name, describe(shared->body));
  }
  const int copies = !calm_ && rng_.uniform() < scenario_.repeat ? 2 : 1;
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

void World::calm() {
  note("calm from here on");
  calm_ = true;
  sync_takes_ = milliseconds(1);
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    if (nodes_[n].wedged) crash(n, milliseconds(100));
  }
}

}  // namespace dp::adversary
