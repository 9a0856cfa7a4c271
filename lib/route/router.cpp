// dp-route's links, its start and its end; router_workers.cpp has its workers and their places, router_batches.cpp
// batches and leases.
// SPDX-License-Identifier: MIT
#include "route/router.hpp"

#include <algorithm>
#include <utility>

#include "wire/codec.hpp"

namespace dp {
namespace {

constexpr std::size_t most_events = 200;

/// No side of an image beyond 16,384, and no batch that would not fit into a message.
bool is_sane(const DataShape& data) {
  constexpr std::uint32_t longest = 1U << 14;
  const Shape& s = data.shape;
  if (s.channels > longest || s.height > longest || s.width > longest) return false;
  return s.bytes() > 0 && data.max_batch > 0 && s.bytes() <= max_payload_bytes / data.max_batch;
}

}  // namespace

Router::Router(RouterOptions options, std::uint64_t nonce_seed)
    : options_(std::move(options)),
      rng_(nonce_seed),
      peers_(options_.boot_id, new_session(rng_), options_.timing),
      collect_(collect_peer, Role::collect, options_.boot_id, new_session(rng_), options_.timing, {[this] {
                 Hello hello;
                 hello.role = Role::route;
                 hello.name = "route";
                 hello.boot_id = options_.boot_id;
                 hello.run = run_;
                 hello.started = running_;
                 return hello;
               }}) {
  report_.strategy = options_.strategy;
}

// ---- links -----------------------------------------------------------------------------------------------

void Router::receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) {
  if (finished()) return;
  if (from == collect_peer) {
    on_collect(now, envelope, out);
  } else {
    const LinkEvent event = peers_.receive(now, from, envelope, out);
    if (event == LinkEvent::up) {
      on_hello(now, from, envelope, out);
    } else if (event == LinkEvent::message) {
      if (auto* batch = std::get_if<Batch>(&envelope.body); batch && stream_ == from)
        on_batch(now, std::move(*batch), out);
      const bool worker = workers_.contains(from);
      if (auto* done = std::get_if<Done>(&envelope.body); done && worker) on_done(now, from, *done, out);
      if (auto* back = std::get_if<Return>(&envelope.body); back && worker) on_return(now, from, *back, out);
      if (auto* credit = std::get_if<Credit>(&envelope.body); credit && worker) {
        Worker& w = workers_[from];
        w.limit = std::max(w.limit, credit->limit);
        if (!std::exchange(w.warm, true))
          out.debug("worker {} is warm: {} are, {} are wanted", w.name, warm_workers(), options_.workers);
      }
      if (auto* ping = std::get_if<Ping>(&envelope.body); ping && worker) renew(now, from, *ping);
      if (running_ && worker && workers_[from].warm) take_place(from, workers_[from], out);
      if (std::holds_alternative<Bye>(envelope.body)) {
        const PeerState state = *peers_.find(from);
        peers_.drop(from, out);
        peer_gone(now, from, state, "left", out);
      }
    }
  }
  try_start(now, out);
  pump(now, out);
  if (finishing_) shut_down(now, out);
}

void Router::on_collect(Time now, Envelope& envelope, Outbox& out) {
  switch (collect_.receive(now, envelope, out)) {
    case LinkEvent::up: {
      run_ = collect_.welcome().run;
      collect_known_ = true;
      for (auto& [id, entry] : batches_)
        entry.lease_until = std::max(entry.lease_until, now + options_.lease);
      collect_.send(Usage{usage_, {}, {}, options_.record}, out);
      break;
    }
    case LinkEvent::refused:
      finish(Exit::failed, std::get<Reject>(envelope.body).reason);
      break;
    case LinkEvent::message:
      if (auto* commit = std::get_if<Commit>(&envelope.body)) on_commit(now, *commit, out);
      if (std::holds_alternative<Fin>(envelope.body)) begin_shut_down(now, out);
      break;
    default:
      break;
  }
}

/// Told once and again, should the first answer be lost.
void Router::begin_shut_down(Time now, Outbox& out) {
  if (!finishing_) {
    finishing_ = true;
    finish_by_ = now + options_.give_up;
    for (const auto& [peer, worker] : workers_) peers_.send(peer, Drain{}, out);
  }
  out.debug("everything is settled: FIN");
  send_report(out);
}

void Router::send_report(Outbox& out) {
  report_.options = options_.record;
  report_.shard_load = shard_weights_;
  if (strategy_) report_.shard_map = strategy_->shard_map();
  report_.failing.clear();
  report_.failures.clear();
  for (const auto& [name, count] : failures_) {
    report_.failing.push_back(name);
    report_.failures.push_back(count);
  }
  collect_.send(report_, out);
}

void Router::on_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out) {
  const Hello& hello = std::get<Hello>(envelope.body);
  if (!collect_known_)
    return peers_.refuse(from, envelope, "dp-route has not reached dp-collect yet", true, out);
  if (finishing_) {
    const auto acceptance = peers_.accept(now, from, envelope, {run_, {}, data_}, out);
    if (acceptance.replaced) rename(*acceptance.replaced, from);
    return peers_.send(from, hello.role == Role::infer ? Message(Drain{}) : Message(Fin{}), out);
  }
  if (hello.run != RunId{} && hello.run != run_) {
    return peers_.refuse(from, envelope, fmt::format("run {:016x} is not served here", raw(hello.run)), false,
                         out);
  }
  if (hello.role == Role::stream) return stream_hello(now, from, envelope, out);
  if (hello.role == Role::infer) return worker_hello(now, from, envelope, out);
  peers_.refuse(from, envelope, fmt::format("a {} has no business here", name_of(hello.role)), false, out);
}

void Router::stream_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out) {
  const Hello& hello = std::get<Hello>(envelope.body);
  if (!is_sane(hello.data)) {
    return peers_.refuse(from, envelope, "HELLO with a shape that cannot be served", false, out);
  }
  if (strategy_ && hello.shard_weights.size() != shard_weights_.size()) {
    return peers_.refuse(from, envelope, "another number of shards than this run has", false, out);
  }
  if (!strategy_) {
    try {
      strategy_ = make_strategy(options_.strategy, {options_.workers, hello.shard_weights, options_.seed});
      shard_weights_ = hello.shard_weights;
    } catch (const Error& problem) {
      peers_.refuse(from, envelope, problem.what(), false, out);
      return finish(Exit::failed, problem.what());
    }
  }
  const bool known_session =
      stream_ == from && peers_.find(from) && peers_.find(from)->session == envelope.from;
  const auto acceptance = peers_.accept(now, from, envelope, {run_, {}, {}}, out);
  if (acceptance.refused || known_session) return;
  stream_ = from;
  data_ = hello.data;
  shard_weights_ = hello.shard_weights;
  if (hello.started && !running_) {
    resuming_ = true;
    resumed_ = now;
  }
  greet_stream(out);
  if (running_) peers_.send(from, Start{options_.workers}, out);
}

// ---- start -----------------------------------------------------------------------------------------------

std::uint32_t Router::warm_workers() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(workers_, [](const auto& w) { return w.second.warm; }));
}

void Router::try_start(Time now, Outbox& out) {
  if (running_ || !stream_ || !collect_.up()) return;
  const std::uint32_t warm = warm_workers();
  const bool grace_over = resuming_ && now - resumed_ >= options_.grace && warm > 0;
  if (warm < options_.workers && !grace_over) return;
  running_ = true;
  out.debug("run {:016x} {} with {} workers", raw(run_), resuming_ ? "goes on" : "starts", warm);
  places_.resize(options_.workers);
  report_.slots.resize(options_.workers);
  std::vector<std::pair<std::string, PeerId>> by_name;
  for (const auto& [peer, worker] : workers_) {
    if (worker.warm) by_name.emplace_back(worker.name, peer);
  }
  std::ranges::sort(by_name);
  for (const auto& [name, peer] : by_name) take_place(peer, workers_[peer], out);
  if (resuming_) note(now, "dp-route was restarted", out);
  for (auto& [id, entry] : batches_) adopt(now, id, entry);
  peers_.send(*stream_, Start{options_.workers}, out);
}

// ---- time ------------------------------------------------------------------------------------------------

void Router::tick(Time now, Outbox& out) {
  if (finished()) return;
  if (begun_ == Time{}) begun_ = alone_since_ = last_tick_ = now;
  if (now - last_tick_ > options_.timing.heartbeat) postpone_leases(now - last_tick_, out);
  last_tick_ = now;
  if (collect_.tick(now, out) == LinkEvent::gave_up) return finish(Exit::failed, collect_.complaint());
  for (const auto& [peer, state] : peers_.expire(now, out))
    peer_gone(now, peer, state, "was lost (no heartbeat)", out);
  if (now >= next_leases_) {
    expire_leases(now, out);
    next_leases_ = now + options_.timing.heartbeat / 2;
  }
  if (now >= next_failed_) {
    for (const auto& [id, failure] : failed_) collect_.send(failure, out);
    next_failed_ = now + options_.timing.heartbeat;
  }
  try_start(now, out);
  pump(now, out);
  give_up_waiting(now);
  if (finishing_) shut_down(now, out);
}

void Router::give_up_waiting(Time now) {
  const std::uint32_t warm = warm_workers();
  const bool complete = stream_ && (running_ ? warm > 0 : warm >= options_.workers);
  if (complete || finishing_) {
    alone_since_ = now;
    return;
  }
  if (now - alone_since_ <= options_.timing.wait) return;
  const double waited = to_seconds(options_.timing.wait);
  if (!stream_) return finish(Exit::failed, fmt::format("no dp-stream connected within {:g} s", waited));
  finish(Exit::failed,
         running_ ? fmt::format("no worker left for {:g} s", waited)
                  : fmt::format("{} of {} workers connected and warm within {:g} s (start dp-infer, or "
                                "give a smaller --workers)",
                                warm, options_.workers, waited));
}

Time Router::next_deadline() const {
  if (begun_ == Time{}) return Time{};
  Time next = std::min({collect_.next_deadline(), peers_.next_deadline(), next_leases_, next_failed_});
  if (running_ && !finishing_ && !delayed_.empty()) next = std::min(next, delayed_.begin()->first);
  if (finishing_) next = std::min(next, finish_by_);
  return next;
}

/// The end: workers say goodbye, or their time is up.
void Router::shut_down(Time now, Outbox& out) {
  if (!workers_.empty() && now < finish_by_) return;
  collect_.send(Bye{}, out);
  finish(Exit::done);
}

/// Its workers stay: another router may take over.
void Router::drain(Time, Outbox& out) {
  send_report(out);
  collect_.send(Bye{true}, out);
  finish(Exit::interrupted);
}

void Router::usage(Time, const ResourceUsage& usage, Outbox& out) {
  usage_ = usage;
  collect_.send(Usage{usage, {}, {}, {}}, out);
}

void Router::note(Time now, std::string what, Outbox& out) {
  out.warn(what);
  if (report_.events.size() >= most_events) return;
  report_.events.push_back(std::move(what));
  report_.event_times.push_back(now);
}

void Router::log(Time now, BatchId id, const Entry& entry, const char* what, Outbox& out) const {
  if (!options_.log_decisions) return;
  const std::string worker = entry.slot && *entry.slot < places_.size() ? places_[*entry.slot].name : "";
  out.push(Decision{now, id, entry.batch.shard, entry.batch.lease.attempt, what, entry.slot, worker});
}

}  // namespace dp
