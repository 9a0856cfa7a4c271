// Whom the router knows as its workers: who comes, who comes back, who is gone, and whose place is whose.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "route/router.hpp"

namespace dp {

// ---- coming and going ------------------------------------------------------------------------------------

void Router::worker_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out) {
  const Hello& hello = std::get<Hello>(envelope.body);
  if (data_.max_batch == 0)
    return peers_.refuse(from, envelope, "dp-route has not heard from dp-stream yet", true, out);
  if (data_.payload == PayloadMode::reference &&
      std::ranges::find(hello.datasets, data_.dataset) == hello.datasets.end()) {
    return peers_.refuse(from, envelope,
                         fmt::format("batches travel by reference and worker '{}' does not hold data set {} "
                                     "(give dp-infer the stream's --data, or dp-stream --payload inline)",
                                     hello.name, data_.dataset),
                         false, out);
  }
  const bool known_session =
      workers_.contains(from) && peers_.find(from) && peers_.find(from)->session == envelope.from;
  if (wedged_.contains(process_of(envelope.from))) {
    return peers_.refuse(from, envelope,
                         "this worker held a batch beyond --lease-cap and is not trusted with another", false,
                         out);
  }
  const std::optional<Session> before = session_of(hello.name);
  const auto acceptance = peers_.accept(now, from, envelope, {run_, {}, data_}, out);
  if (acceptance.refused || known_session) return;
  Worker fresh;
  fresh.name = hello.name;
  fresh.warm = !hello.held.empty();
  const std::set<std::uint64_t> held(hello.held.begin(), hello.held.end());
  const std::set<std::uint64_t> unacked(hello.unacked.begin(), hello.unacked.end());
  if (acceptance.replaced && workers_.contains(*acceptance.replaced)) {
    const bool same_process = before && process_of(*before) == process_of(envelope.from);
    hand_over(now, *acceptance.replaced, from, fresh, held, unacked);
    out.debug("worker {} is back, {}: it keeps {} batches", fresh.name,
              same_process ? "the same process" : "a new process",
              fresh.serving.size() + fresh.unsettled.size());
    worker_gone(now, *acceptance.replaced, {.charge = !same_process, .refill = false}, out);
  }
  Worker& worker = workers_[from] = std::move(fresh);
  for (const std::uint64_t id : hello.held) claim(BatchId{id}, from, false);
  for (const std::uint64_t id : hello.unacked) claim(BatchId{id}, from, true);
  if (running_) take_place(from, worker, out);
  if (!hello.held.empty() || !hello.unacked.empty())
    out.debug("worker {} brings {} batches and {} results with it", worker.name, hello.held.size(),
              hello.unacked.size());
  if (running_ && !worker.slot) out.debug("worker {} is a spare: every place is taken", worker.name);
  for (const BatchId id : worker.serving) {
    claims_.erase(id);
    if (worker.slot) strategy_->sent(*worker.slot, batches_.at(id).samples());
  }
  for (const auto* ids : {&hello.held, &hello.unacked}) {
    for (const std::uint64_t id : *ids) {
      const auto found = batches_.find(BatchId{id});
      if (found != batches_.end()) adopt(now, BatchId{id}, found->second);
    }
  }
}

/// Bounded: who claims too much computes it again.
void Router::claim(BatchId id, PeerId worker, bool done) {
  constexpr std::size_t most_claims = 1 << 20;
  if (claims_.size() < most_claims) claims_[id] = {worker, done};
}

std::optional<Session> Router::session_of(const std::string& worker) const {
  for (const auto& [peer, state] : peers_.peers()) {
    if (state.role == Role::infer && state.name == worker) return state.session;
  }
  return std::nullopt;
}

/// The same worker on a new connection, with nothing left to do but say goodbye.
void Router::rename(PeerId old_peer, PeerId peer) {
  auto worker = workers_.extract(old_peer);
  if (!worker) return;
  worker.key() = peer;
  if (worker.mapped().slot) places_[*worker.mapped().slot].worker = peer;
  for (auto& [id, entry] : batches_) {
    if (entry.worker == old_peer) entry.worker = peer;
  }
  workers_.insert(std::move(worker));
}

/// The same worker on a new connection: what it still holds stays with it.
void Router::hand_over(Time now, PeerId old_peer, PeerId peer, Worker& fresh,
                       const std::set<std::uint64_t>& held, const std::set<std::uint64_t>& unacked) {
  Worker& old = workers_[old_peer];
  const auto keep = [&](BatchId id, State state) {
    Entry& entry = batches_.at(id);
    entry.worker = peer;
    entry.state = state;
    entry.lease_until = now + options_.lease;
    return true;
  };
  std::erase_if(old.serving, [&](BatchId id) {
    const auto found = batches_.find(id);
    if (found == batches_.end() || found->second.worker != old_peer) return true;
    if (held.contains(raw(id))) fresh.serving.push_back(id);
    else if (unacked.contains(raw(id))) fresh.unsettled.insert(id);
    else return false;
    return keep(id, held.contains(raw(id)) ? State::leased : State::done);
  });
  std::erase_if(old.unsettled, [&](BatchId id) {
    if (!unacked.contains(raw(id)) || !batches_.contains(id)) return false;
    fresh.unsettled.insert(id);
    return keep(id, State::done);
  });
}

void Router::peer_gone(Time now, PeerId peer, const PeerState& state, const char* how, Outbox& out) {
  if (stream_ == peer) stream_.reset();
  if (!workers_.contains(peer)) return;
  if (!finishing_) {
    const Worker& worker = workers_[peer];
    note(now,
         fmt::format("worker {} {}; {} of its batches go elsewhere", state.name, how,
                     worker.serving.size() + worker.unsettled.size()),
         out);
  }
  worker_gone(now, peer, {.charge = true, .refill = true}, out);
}

/// Its batches go elsewhere; at most the one it was computing is charged an attempt.
void Router::worker_gone(Time now, PeerId peer, Departure how, Outbox& out) {
  Worker worker = std::move(workers_[peer]);
  workers_.erase(peer);
  std::erase_if(claims_, [&](const auto& claim) { return claim.second.first == peer; });
  if (worker.slot) vacate(*worker.slot);
  bool computing = how.charge;
  for (const BatchId id : worker.serving) {
    const auto found = batches_.find(id);
    if (found == batches_.end() || found->second.worker != peer || found->second.state != State::leased)
      continue;
    if (computing) blame(worker.name);
    requeue(now, id, computing, ErrorClass::transient, "worker lost", out);
    computing = false;
  }
  for (const BatchId id : worker.unsettled) {
    const auto found = batches_.find(id);
    if (found == batches_.end() || found->second.worker != peer || found->second.state != State::done)
      continue;
    requeue(now, id, false, ErrorClass::transient, "worker lost before its result was in the ledger", out);
  }
  if (!worker.slot || !how.refill) return;
  Place& place = places_[*worker.slot];
  for (auto& [spare_peer, spare] : workers_) {
    if (!spare.slot && spare.warm && !place.worker) {
      note(now, fmt::format("spare worker {} takes the place of {}", spare.name, worker.name), out);
      occupy(*worker.slot, spare_peer, spare, out);
    }
  }
  if (place.worker) return;
  const std::deque<BatchId> queue = std::exchange(place.queue, {});
  for (const BatchId id : queue) assign(now, id, batches_.at(id), out);
}

// ---- places ----------------------------------------------------------------------------------------------

/// Its own place if it has one, else a free one, else (adaptive strategies) a new one.
void Router::take_place(PeerId peer, Worker& worker, Outbox& out) {
  if (worker.slot) return;
  const auto free_for = [&](const std::string& name) -> std::optional<Slot> {
    for (Slot slot = 0; slot < places_.size(); ++slot) {
      if (!places_[slot].worker && places_[slot].name == name) return slot;
    }
    return std::nullopt;
  };
  std::optional<Slot> slot = free_for(worker.name);
  if (!slot) slot = free_for("");
  for (Slot other = 0; !slot && other < places_.size(); ++other) {
    if (!places_[other].worker) slot = other;
  }
  if (!slot && strategy_->traits().adaptive) {
    slot = static_cast<Slot>(places_.size());
    places_.emplace_back();
    report_.slots.emplace_back();
  }
  if (slot) occupy(*slot, peer, worker, out);
}

void Router::occupy(Slot slot, PeerId peer, Worker& worker, Outbox& out) {
  Place& place = places_[slot];
  place.name = worker.name;
  place.worker = peer;
  worker.slot = slot;
  out.debug("worker {} has place {}", worker.name, slot);
  report_.slots[slot] = worker.name;
  strategy_->joined(slot);
}

void Router::vacate(Slot slot) {
  places_[slot].worker.reset();
  strategy_->left(slot);
}

}  // namespace dp
