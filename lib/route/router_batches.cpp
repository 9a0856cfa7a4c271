// What the router does with batches and leases; router.cpp has its links, router_workers.cpp its workers.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "route/router.hpp"
#include "wire/buffer.hpp"

namespace dp {
namespace {

constexpr Duration first_backoff = std::chrono::milliseconds(50);
constexpr Duration longest_backoff = std::chrono::seconds(5);

bool worth_one_more_only(ErrorClass error) {
  return error == ErrorClass::data || error == ErrorClass::permanent;
}

}  // namespace

// ---- batches ---------------------------------------------------------------------------------------------

std::uint64_t Router::capacity() const { return buffer_of(options_.buffer, data_.payload); }

/// What there is room for; and the first of a session, as many as the buffer holds, may go to twice its bound. For a
/// restarted dp-stream announces a batch when it sends it: were it to wait for room that batches take which it has
/// not announced, nothing would ever be settled.
std::uint64_t Router::stream_limit() const {
  const auto room = [this](std::uint64_t bound) {
    return bound > batches_.size() ? bound - batches_.size() : 0;
  };
  return std::max(received_ + room(capacity()), std::min(capacity(), received_ + room(2 * capacity())));
}

void Router::extend_stream_credit(Outbox& out) {
  const std::uint64_t limit = stream_limit();
  if (!stream_ || limit <= advertised_) return;
  const bool some_left = received_ < advertised_ && !batches_.empty();
  if (limit - advertised_ < capacity() / 8 && some_left) return;
  advertised_ = limit;
  peers_.send(*stream_, Credit{limit}, out);
}

void Router::greet_stream(Outbox& out) {
  received_ = 0;
  advertised_ = stream_limit();
  peers_.send(*stream_, Credit{advertised_}, out);
}

void Router::on_batch(Time now, Batch&& batch, Outbox& out) {
  if (batch.number > advertised_)
    return peers_.send(*stream_, Reject{false, "a batch beyond the credit of this session"}, out);
  received_ = std::max(received_, batch.number);
  const BatchId id = batch.lease.batch;
  if (settled_.contains(id) || batches_.contains(id)) return extend_stream_credit(out);
  if (batch.shape != data_.shape || batch.ids.size() > data_.max_batch || batch.mode != data_.payload ||
      (!shard_weights_.empty() && batch.shard >= shard_weights_.size())) {
    note(now, fmt::format("batch {} is not what dp-stream's HELLO announced", raw(id)), out);
    Entry& entry = batches_[id];
    entry.batch = std::move(batch);
    entry.state = State::failed;
    return give_up(id, {id, 0, ErrorClass::data, "the batch is not what HELLO announced"}, out);
  }
  batch.lease.router = peers_.session();
  Entry& entry = batches_[id];
  entry.batch = std::move(batch);
  if (claims_.contains(id)) {
    adopt(now, id, entry);
  } else if (running_) {
    assign(now, id, entry, out);
  } else {
    central_.push_back(id);
  }
  if (batches_.size() >= capacity() && !ready().empty() && central_.empty()) ++report_.full;
}

/// A worker says it holds this batch, or has done it: no need to send it anywhere.
void Router::adopt(Time now, BatchId id, Entry& entry) {
  const auto claim = claims_.find(id);
  if (claim == claims_.end()) return;
  const auto [peer, done] = claim->second;
  claims_.erase(claim);
  if (entry.state == State::leased || entry.state == State::done || entry.state == State::failed) return;
  unqueue(id, entry);
  Worker& worker = workers_[peer];
  entry.worker = peer;
  entry.slot = worker.slot;
  entry.state = done ? State::done : State::leased;
  entry.lease_until = now + options_.lease;
  if (done) {
    worker.unsettled.insert(id);
    return;
  }
  entry.lease_cap = now + options_.lease_cap;
  worker.serving.push_back(id);
  if (worker.slot && strategy_) strategy_->sent(*worker.slot, entry.samples());
}

void Router::unqueue(BatchId id, Entry& entry) {
  if (entry.state == State::central) std::erase(central_, id);
  if (entry.state == State::queued) std::erase(places_[*entry.slot].queue, id);
  if (entry.state == State::delayed) delayed_.erase({entry.retry_at, id});
}

/// Asks the strategy; the batch ends up in a worker's queue or in the central one.
void Router::assign(Time now, BatchId id, Entry& entry, Outbox& out) {
  ++report_.decisions;
  std::optional<Slot> slot = strategy_->choose({id, entry.batch.shard, entry.samples()}, ready());
  if (slot && entry.avoid == slot) {
    for (Slot step = 1; step < places_.size(); ++step) {
      const Slot other = static_cast<Slot>((*slot + step) % places_.size());
      if (!places_[other].worker) continue;
      slot = other;
      break;
    }
  }
  entry.slot = slot;
  entry.state = slot ? State::queued : State::central;
  if (slot) {
    places_[*slot].queue.push_back(id);
  } else {
    central_.push_back(id);
  }
  log(now, id, entry, slot ? "assign" : "central", out);
}

std::vector<Slot> Router::ready() const {
  std::vector<Slot> slots;
  for (Slot slot = 0; slot < places_.size(); ++slot) {
    const Place& place = places_[slot];
    if (place.worker && place.queue.empty() && workers_.at(*place.worker).credit() > 0) slots.push_back(slot);
  }
  return slots;
}

/// Sends what can be sent: only dispatch needs credit.
void Router::pump(Time now, Outbox& out) {
  if (!running_ || finishing_) return;
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const BatchId id = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    assign(now, id, batches_.at(id), out);
  }
  const auto serve_queues = [&] {
    for (Place& place : places_) {
      while (place.worker && !place.queue.empty() && workers_[*place.worker].credit() > 0) {
        const BatchId id = place.queue.front();
        place.queue.pop_front();
        dispatch(now, id, *place.worker, out);
      }
    }
  };
  serve_queues();
  for (std::size_t tries = central_.size(); tries > 0 && !ready().empty(); --tries) {
    const BatchId id = central_.front();
    central_.pop_front();
    assign(now, id, batches_.at(id), out);
    serve_queues();
  }
}

void Router::dispatch(Time now, BatchId id, PeerId to, Outbox& out) {
  Entry& entry = batches_.at(id);
  Worker& worker = workers_[to];
  entry.batch.number = ++worker.sent;
  worker.serving.push_back(id);
  entry.worker = to;
  entry.slot = worker.slot;
  entry.state = State::leased;
  entry.lease_until = now + options_.lease;
  entry.lease_cap = now + options_.lease_cap;
  ++entry.batch.lease.attempt;
  entry.batch.times.routed = now;
  strategy_->sent(*worker.slot, entry.samples());
  log(now, id, entry, "dispatch", out);
  peers_.send(to, entry.batch, out);
}

/// Takes a batch from the worker it was leased to, or done by.
void Router::release(BatchId id, Entry& entry) {
  const auto found = workers_.find(entry.worker);
  if (found == workers_.end()) return;
  std::erase(found->second.serving, id);
  found->second.unsettled.erase(id);
}

void Router::on_done(Time now, PeerId from, const Done& done, Outbox& out) {
  Worker& worker = workers_[from];
  worker.limit = std::max(worker.limit, done.limit);
  const auto found = batches_.find(done.lease.batch);
  if (found == batches_.end() || found->second.worker != from || found->second.state != State::leased) {
    std::erase(worker.serving, done.lease.batch);
    return;
  }
  Entry& entry = found->second;
  if (worker.slot) {
    // Failing fast is not serving fast.
    const Duration service = done.error == ErrorClass::none ? done.service : Duration{};
    strategy_->done(*worker.slot, entry.samples(), service);
  }
  if (done.error == ErrorClass::none) {
    std::erase(worker.serving, done.lease.batch);
    worker.unsettled.insert(done.lease.batch);
    entry.state = State::done;
    entry.lease_until = now + options_.lease;
    return;
  }
  entry.avoid = worker.slot;
  note(now, fmt::format("batch {} failed on worker {}: {}", raw(done.lease.batch), worker.name, done.message),
       out);
  blame(worker.name);
  requeue(now, done.lease.batch, true, done.error, done.message, out);
}

void Router::on_return(Time now, PeerId from, const Return& message, Outbox& out) {
  const auto found = batches_.find(message.lease.batch);
  if (found == batches_.end() || found->second.worker != from || found->second.state != State::leased) return;
  if (workers_[from].slot) {
    strategy_->done(*workers_[from].slot, found->second.samples(), {});
  }
  found->second.avoid = workers_[from].slot;
  requeue(now, message.lease.batch, false, ErrorClass::transient, "handed back", out);
}

/// An attempt ended without a result: try again, later if it is charged, or give the batch up.
void Router::requeue(Time now, BatchId id, bool charge, ErrorClass error, const std::string& why,
                     Outbox& out) {
  const auto found = batches_.find(id);
  if (found == batches_.end()) return;
  Entry& entry = found->second;
  release(id, entry);
  ++report_.retries;
  if (charge) {
    ++entry.charged;
    if (worth_one_more_only(error)) ++entry.permanent_failures;
  }
  if (charge && (entry.charged >= options_.attempts || entry.permanent_failures >= 2)) {
    entry.state = State::failed;
    log(now, id, entry, "failed", out);
    return give_up(id, {id, entry.charged, error, why.substr(0, 512)}, out);
  }
  const int doublings = std::min(static_cast<int>(entry.charged), 10);
  const Duration step = std::min(longest_backoff, first_backoff * (1 << doublings) / 2);
  const double jitter = 0.5 + rng_.uniform();
  entry.state = State::delayed;
  entry.retry_at = now + from_seconds(to_seconds(step) * jitter);
  out.debug("batch {} is tried again in {:.0f} ms: {} ({} of {} attempts charged)", raw(id),
            1e3 * to_seconds(entry.retry_at - now), why, entry.charged, options_.attempts);
  delayed_.emplace(entry.retry_at, id);
  log(now, id, entry, "retry", out);
}

/// Bounded: names are the workers' own.
void Router::blame(const std::string& worker) {
  constexpr std::size_t most_names = 4096;
  if (failures_.size() < most_names || failures_.contains(worker)) ++failures_[worker];
}

void Router::give_up(BatchId id, Failed failure, Outbox& out) {
  out.debug("batch {} is given up: {}", raw(id), failure.message);
  collect_.send(failure, out);
  failed_[id] = std::move(failure);
}

void Router::on_commit(Time, const Commit& commit, Outbox& out) {
  const auto drop = [&](BatchId id) {
    const auto found = batches_.find(id);
    if (found == batches_.end()) return;
    Entry& entry = found->second;
    if (entry.state == State::leased && strategy_) {
      const auto worker = workers_.find(entry.worker);
      if (worker != workers_.end() && worker->second.slot) {
        strategy_->done(*worker->second.slot, entry.samples(), {});
      }
    }
    unqueue(id, entry);
    release(id, entry);
    batches_.erase(found);
  };
  while (!batches_.empty() && batches_.begin()->first < commit.watermark) drop(batches_.begin()->first);
  settled_.merge(commit.watermark, commit.bitmap, drop);
  std::erase_if(claims_, [&](const auto& claim) { return settled_.contains(claim.first); });
  std::erase_if(failed_, [&](const auto& failed) { return settled_.contains(failed.first); });
  extend_stream_credit(out);
}

// ---- leases ----------------------------------------------------------------------------------------------

void Router::renew(Time now, PeerId from, const Ping& ping) {
  Worker& worker = workers_[from];
  worker.limit = std::max(worker.limit, ping.limit);
  if (ping.limit > 0) worker.warm = true;
  for (const std::uint64_t id : ping.held) {
    const auto found = batches_.find(BatchId{id});
    if (found != batches_.end() && found->second.worker == from)
      found->second.lease_until = now + options_.lease;
  }
}

/// While this process was stopped or starved nobody could renew.
void Router::postpone_leases(Duration by, Outbox& out) {
  out.debug("this process was not scheduled for {:.3g} s: all leases are that much longer", to_seconds(by));
  for (auto& [id, entry] : batches_) {
    entry.lease_until += by;
    entry.lease_cap += by;
  }
}

/// Its heartbeats go on but a batch does not end: everything it has goes elsewhere, and it is not asked
/// again.
void Router::evict(Time now, PeerId peer, Outbox& out) {
  const PeerState state = *peers_.find(peer);
  wedged_.insert(process_of(state.session));
  peers_.drop(peer, out);
  peer_gone(now, peer, state, "held a batch beyond --lease-cap", out);
}

void Router::expire_leases(Time now, Outbox& out) {
  std::vector<BatchId> late, unheard;
  std::vector<PeerId> wedged;
  for (const auto& [peer, worker] : workers_) {
    bool over_cap = false;
    for (const BatchId id : worker.serving) {
      const auto found = batches_.find(id);
      if (found == batches_.end()) continue;
      over_cap = over_cap || found->second.lease_cap <= now;
      if (found->second.lease_until <= now) late.push_back(id);
    }
    if (over_cap) wedged.push_back(peer);
    for (const BatchId id : worker.unsettled) {
      if (collect_.up() && batches_.at(id).lease_until <= now) unheard.push_back(id);
    }
  }
  for (const BatchId id : unheard) {
    note(now, fmt::format("the result of batch {} never reached the ledger", raw(id)), out);
    requeue(now, id, false, ErrorClass::transient, "result not in the ledger", out);
  }
  for (const PeerId peer : wedged) evict(now, peer, out);
  for (const BatchId id : late) {
    if (batches_.at(id).state != State::leased) continue;  // evicted just now
    Entry& entry = batches_.at(id);
    const auto& worker = workers_.at(entry.worker);
    note(now, fmt::format("the lease of batch {} on worker {} ran out", raw(id), worker.name), out);
    if (worker.slot) strategy_->done(*worker.slot, entry.samples(), {});
    entry.avoid = worker.slot;
    blame(worker.name);
    requeue(now, id, true, ErrorClass::transient, "lease ran out", out);
  }
}

}  // namespace dp
