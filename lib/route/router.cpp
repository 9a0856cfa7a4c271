// The router's run: what comes in, its start, its time and its end. router_peers.cpp has its peers.
// SPDX-License-Identifier: MIT
#include "route/router.hpp"

#include <algorithm>
#include <utility>

namespace dp {

Router::Router(RouterOptions options, std::uint64_t nonce_seed)
    : options_(std::move(options)),
      traits_(parse_strategy(options_.strategy).kind->traits),
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
               }}),
      record_(roster_, options_.log_decisions, options_.trace),
      leases_(options_, record_, given_up_, rng_) {}

void Router::receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) {
  if (finished()) return;
  if (from == collect_peer) {
    on_collect(now, envelope, out);
  } else {
    const LinkEvent event = peers_.receive(now, from, envelope, out);
    if (event == LinkEvent::up) on_hello(now, from, envelope, out);
    if (event == LinkEvent::message) {
      auto* batch = std::get_if<Batch>(&envelope.body);
      if (batch && stream_ == from) on_batch(now, std::move(*batch), out);
      if (WorkerSession* worker = roster_.find(from)) on_worker(now, *worker, envelope.body, out);
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

// ---- batches ---------------------------------------------------------------------------------------------

void Router::on_batch(Time now, Batch&& batch, Outbox& out) {
  if (!stream_credit_.admits(batch.number))
    return peers_.send(*stream_, Reject{false, "a batch beyond the credit of this session"}, out);
  stream_credit_.received(batch.number);
  const BatchId id = batch.lease.batch;
  if (leases_.knows(id)) return;
  std::string unfit;
  if (batch.shape != data_.shape || batch.ids.size() > data_.max_batch || batch.mode != data_.payload ||
      (!shard_weights_.empty() && batch.shard >= shard_weights_.size())) {
    record_.note(now, fmt::format("batch {} is not what dp-stream's HELLO announced", raw(id)), out);
    unfit = "the batch is not what HELLO announced";
  }
  batch.lease.router = peers_.session();
  leases_.add(now, std::move(batch), unfit, out);
  const bool somebody_waits = !dispatcher_->view().ready().empty() && dispatcher_->waiting() == 0;
  if (leases_.size() >= stream_credit_.capacity() && somebody_waits) record_.was_full();
}

/// Sends what can be sent, and tells what is to be told.
void Router::pump(Time now, Outbox& out) {
  if (running_ && !finishing_) {
    leases_.retry(now, out);
    while (const auto ticket = dispatcher_->next(now)) {
      WorkerSession& worker = *roster_.in(ticket->slot);
      peers_.send(worker.peer, leases_.lease(now, *ticket, worker), out);
    }
  }
  for (Failed& failure : given_up_.take_untold()) collect_.send(std::move(failure), out);
  if (stream_) {
    if (const auto limit = stream_credit_.extended(leases_.size())) peers_.send(*stream_, Credit{*limit}, out);
  }
  record_.hand_out_decisions(out);
}

// ---- start -----------------------------------------------------------------------------------------------

void Router::try_start(Time now, Outbox& out) {
  if (running_ || !stream_ || !collect_.up()) return;
  const bool grace_over = resuming_ && now - resumed_ >= options_.grace && roster_.warm() > 0;
  if (roster_.warm() < options_.workers && !grace_over) return;
  running_ = true;
  out.debug("run {:016x} {} with {} workers", raw(run_), resuming_ ? "goes on" : "starts", roster_.warm());
  roster_.open_places(options_.workers);
  std::vector<WorkerSession*> by_name;
  for (const auto& [peer, worker] : roster_.all()) {
    if (worker->warm) by_name.push_back(worker.get());
  }
  std::ranges::sort(by_name, {}, &WorkerSession::name);
  for (WorkerSession* worker : by_name) take_place(now, *worker, out);
  if (resuming_) record_.note(now, "dp-route was restarted", out);
  peers_.send(*stream_, Start{options_.workers}, out);
}

// ---- time ------------------------------------------------------------------------------------------------

void Router::disconnected(Time now, PeerId peer, Outbox&) { peers_.disconnected(now, peer); }

void Router::tick(Time now, Outbox& out) {
  if (finished()) return;
  if (begun_ == Time{}) begun_ = alone_since_ = last_tick_ = now;
  if (const Duration away = now - last_tick_; away > options_.timing.heartbeat) {
    out.debug("this process was not scheduled for {:.3g} s: all leases are that much longer", to_seconds(away));
    leases_.postpone(away);
  }
  last_tick_ = now;
  if (collect_.tick(now, out) == LinkEvent::gave_up) return finish(Exit::failed, collect_.complaint());
  for (const auto& [peer, state] : peers_.expire(now, out))
    peer_gone(now, peer, state, state.disconnected ? "was lost (its connection ended)" : "was lost (no heartbeat)", out);
  if (now >= next_leases_) {
    expire_leases(now, out);
    next_leases_ = now + options_.timing.heartbeat / 2;
  }
  if (now >= next_failures_) {
    for (const auto& [id, failure] : given_up_.all()) collect_.send(failure, out);
    next_failures_ = now + options_.timing.heartbeat;
  }
  try_start(now, out);
  pump(now, out);
  give_up_waiting(now);
  if (finishing_) shut_down(now, out);
}

/// Who holds a batch beyond the cap sends heartbeats and ends nothing: everything it has goes elsewhere, and it is not asked
/// again.
void Router::expire_leases(Time now, Outbox& out) {
  std::vector<PeerId> wedged;
  for (const auto& [peer, worker] : roster_.all()) {
    if (leases_.over_cap(now, *worker)) wedged.push_back(peer);
  }
  for (const PeerId peer : wedged) {
    const PeerState state = *peers_.find(peer);
    wedged_.insert(process_of(state.session));
    peers_.drop(peer, out);
    peer_gone(now, peer, state, "held a batch beyond --lease-cap", out);
  }
  leases_.expire(now, collect_.up(), roster_, out);
}

void Router::give_up_waiting(Time now) {
  const std::uint32_t warm = roster_.warm();
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
  Time next = std::min({collect_.next_deadline(), peers_.next_deadline(), next_leases_, next_failures_});
  if (running_ && !finishing_) next = std::min(next, leases_.next_retry());
  if (finishing_) next = std::min(next, finish_by_);
  return next;
}

// ---- end -------------------------------------------------------------------------------------------------

/// Workers say goodbye, or their time is up.
void Router::shut_down(Time now, Outbox& out) {
  if (!roster_.all().empty() && now < finish_by_) return;
  collect_.send(Bye{}, out);
  finish(Exit::done);
}

void Router::send_report(Outbox& out) {
  Report report = record_.report();
  report.strategy = options_.strategy;
  report.options = options_.record;
  report.shard_load = shard_weights_;
  if (dispatcher_) {
    report.decisions = dispatcher_->decisions();
    report.shard_map = dispatcher_->strategy().shard_map();
  }
  collect_.send(std::move(report), out);
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

}  // namespace dp
