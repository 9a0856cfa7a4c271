// The processes of the world, their disk and what the supervisor does; world_network.cpp has what is between them.
// SPDX-License-Identifier: MIT
#include "world.hpp"

#include <algorithm>
#include <utility>

namespace dp::adversary {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t most_steps = 3'000'000;

}  // namespace

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
  ledger_was_away_ = ledger_was_away_ || collector->started();
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
    if (ledger_was_away_ && report.valid) throw Violation("dp-collect was away and its report is valid");
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

}  // namespace dp::adversary
