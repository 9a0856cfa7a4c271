// SPDX-License-Identifier: MIT
#include "route/dispatcher.hpp"

#include <algorithm>
#include <utility>

namespace dp {

using Kind = DispatcherCall::Kind;

Dispatcher::Dispatcher(std::unique_ptr<Strategy> strategy, Observer observer)
    : strategy_(std::move(strategy)), observer_(std::move(observer)) {}

// ---- workers ---------------------------------------------------------------------------------------------

void Dispatcher::join(Time now, Slot slot, bool resumes) {
  if (observer_) observer_({.kind = Kind::join, .at = now, .slot = slot, .flag = resumes});
  place(slot).life += !resumes;
  view_.update(slot, [](WorkerLoad& load) { load.credit = 0; });
  view_.set_live(slot, true);
  strategy_->joined(slot, resumes);
  offer(slot);
  ask_again_ = true;
}

void Dispatcher::leave(Time now, Slot slot, bool keep_queue) {
  if (observer_) observer_({.kind = Kind::leave, .at = now, .slot = slot, .flag = keep_queue});
  Place& left = place(slot);
  view_.set_live(slot, false);
  while (!left.in_flight.empty()) {
    const SlabIndex index = left.in_flight.front();
    take_from_list(index);
    batches_.erase(index);
  }
  view_.update(slot, [](WorkerLoad& load) { load.credit = 0; });
  strategy_->left(slot);
  ask_again_ = true;
  if (keep_queue) return;
  ask_central(now);  // those have waited longer
  for (SlabList queue = std::exchange(left.queue, {}); !queue.empty();) {
    const SlabIndex index = queue.front();
    queue.erase(batches_, index);
    const std::uint32_t samples = batches_[index].meta.samples;
    view_.update(slot, [&](WorkerLoad& load) { --load.queued, load.queued_samples -= samples; });
    wait_or_enqueue(index, ask(now, index, false));
  }
}

void Dispatcher::credit(Time now, Slot slot, std::uint64_t batches) {
  if (view_[slot].credit == batches) return;
  if (observer_) observer_({.kind = Kind::credit, .at = now, .slot = slot, .credit = batches});
  view_.update(slot, [&](WorkerLoad& load) { load.credit = batches; });
  offer(slot);
  ask_again_ = true;
}

// ---- batches ---------------------------------------------------------------------------------------------

void Dispatcher::arrive(Time now, const BatchMeta& batch, std::uint32_t attempt, std::optional<Excluded> exclude) {
  if (observer_) observer_({.kind = Kind::arrive, .at = now, .batch = batch, .attempt = attempt, .exclude = exclude});
  ask_central(now);
  const auto [index, fresh] = batches_.insert(batch.id);
  if (!fresh) return;
  Held& held = batches_[index];
  held.meta = batch;
  held.attempt = attempt;
  held.exclude = exclude;
  wait_or_enqueue(index, ask(now, index, false));
}

Ticket Dispatcher::adopt(Time now, const BatchMeta& batch, std::uint32_t attempt, Slot slot) {
  if (observer_) observer_({.kind = Kind::adopt, .at = now, .batch = batch, .attempt = attempt, .slot = slot});
  const auto [index, fresh] = batches_.insert(batch.id);
  if (!fresh) take_from_list(index);
  Held& held = batches_[index];
  held.meta = batch;
  held.attempt = attempt;
  start(index, slot, 0);
  return {batch.id, attempt, slot, place(slot).life};
}

std::optional<Ticket> Dispatcher::next(Time now) {
  if (turns_left_ == 0 && !ask_again_) return std::nullopt;
  if (observer_) observer_({.kind = Kind::next, .at = now});
  ask_central(now);
  while (turns_left_ > 0) {
    const Slot slot = turns_[first_turn_];
    first_turn_ = first_turn_ + 1 == turns_.size() ? 0 : first_turn_ + 1;
    --turns_left_;
    Place& its = places_[slot];
    its.in_turns = false;
    if (its.queue.empty() || view_[slot].credit == 0 || !view_.live().contains(slot)) continue;
    const SlabIndex index = its.queue.front();
    take_from_list(index);
    const std::uint32_t attempt = ++batches_[index].attempt;
    start(index, slot, 1);
    offer(slot);
    ask_again_ = true;  // it may be ready for one more
    const Ticket ticket{batches_.key(index), attempt, slot, its.life};
    if (observer_) observer_({.kind = Kind::sent, .at = now, .batch = batches_[index].meta, .ticket = ticket});
    return ticket;
  }
  return std::nullopt;
}

void Dispatcher::finish(Time now, const Ticket& ticket, AttemptEnd how) {
  if (observer_) observer_({.kind = Kind::finish, .at = now, .ticket = ticket, .ended = how});
  const SlabIndex index = batches_.find(ticket.batch);
  if (index == no_index) return;
  const Held& held = batches_[index];
  if (held.state != State::in_flight || held.attempt != ticket.attempt || held.slot != ticket.slot ||
      place(held.slot).life != ticket.life) {
    return;
  }
  take_from_list(index);
  batches_.erase(index);
  ask_again_ = true;
}

void Dispatcher::withdraw(Time now, BatchId batch) {
  const SlabIndex index = batches_.find(batch);
  if (index == no_index || batches_[index].state == State::in_flight) return;
  if (observer_) observer_({.kind = Kind::withdraw, .at = now, .batch = {batch, 0, 0}});
  take_from_list(index);
  batches_.erase(index);
  ask_again_ = true;
}

void Dispatcher::observe(Time now, Slot slot, std::uint32_t samples, Duration service, Duration response) {
  if (observer_) observer_({.kind = Kind::observe,
        .at = now,
        .batch = {BatchId{}, 0, samples},
        .slot = slot,
        .service = service,
        .response = response});
  if (view_.live().contains(slot)) strategy_->observed(now, slot, samples, service, response);
}

// ---- inside ----------------------------------------------------------------------------------------------

/// Room for one more turn, too, whenever there is one more slot.
Dispatcher::Place& Dispatcher::place(Slot slot) {
  if (slot >= places_.size()) {
    std::rotate(turns_.begin(), turns_.begin() + static_cast<std::ptrdiff_t>(first_turn_), turns_.end());
    first_turn_ = 0;
    places_.resize(slot + 1);
    turns_.resize(slot + 1);
  }
  return places_[slot];
}

std::optional<Slot> Dispatcher::excluded(const Held& held) const {
  if (!held.exclude || view_.live().size() < 2) return std::nullopt;
  const auto [slot, life] = *held.exclude;
  if (!view_.live().contains(slot) || this->life(slot) != life) return std::nullopt;
  return slot;
}

std::optional<Slot> Dispatcher::ask(Time now, SlabIndex index, bool again) {
  if (view_.live().empty()) return std::nullopt;
  ++decisions_;
  const Held& held = batches_[index];
  const auto slot = strategy_->choose(now, held.meta, excluded(held), view_);
  if (observer_) observer_({.kind = Kind::answer,
        .at = now,
        .batch = held.meta,
        .attempt = held.attempt,
        .slot = slot,
        .flag = again});
  return slot;
}

/// The head of the central queue, and on while batches find a worker. One that waits because of the worker it has failed on
/// does not hold up those behind it.
void Dispatcher::ask_central(Time now) {
  if (!std::exchange(ask_again_, false) || view_.live().empty()) return;
  for (SlabIndex index = central_.front(); index != no_index;) {
    const SlabIndex after = SlabList::after(batches_, index);
    if (const auto slot = ask(now, index, true)) {
      central_.erase(batches_, index);
      wait_or_enqueue(index, slot);
    } else if (!excluded(batches_[index])) {
      return;
    }
    index = after;
  }
}

void Dispatcher::wait_or_enqueue(SlabIndex index, std::optional<Slot> slot) {
  Held& held = batches_[index];
  if (!slot) {
    held.state = State::central;
    central_.push_back(batches_, index);
    return;
  }
  held.state = State::queued;
  held.slot = *slot;
  place(*slot).queue.push_back(batches_, index);
  view_.update(*slot, [&](WorkerLoad& load) { ++load.queued, load.queued_samples += held.meta.samples; });
  offer(*slot);
}

/// In no list before; under way from here on.
void Dispatcher::start(SlabIndex index, Slot slot, std::uint64_t credit_used) {
  Held& held = batches_[index];
  held.state = State::in_flight;
  held.slot = slot;
  place(slot).in_flight.push_back(batches_, index);
  view_.update(slot, [&](WorkerLoad& load) {
    ++load.in_flight, load.in_flight_samples += held.meta.samples;
    load.credit -= credit_used;
  });
}

void Dispatcher::take_from_list(SlabIndex index) {
  const Held& held = batches_[index];
  if (held.state == State::central) return central_.erase(batches_, index);
  const bool queued = held.state == State::queued;
  Place& its = places_[held.slot];
  (queued ? its.queue : its.in_flight).erase(batches_, index);
  view_.update(held.slot, [&](WorkerLoad& load) {
    --(queued ? load.queued : load.in_flight);
    (queued ? load.queued_samples : load.in_flight_samples) -= held.meta.samples;
  });
}

/// Gives the worker a turn if it has something to be sent.
void Dispatcher::offer(Slot slot) {
  Place& its = place(slot);
  if (its.in_turns || its.queue.empty() || view_[slot].credit == 0) return;
  its.in_turns = true;
  turns_[(first_turn_ + turns_left_) % turns_.size()] = slot;
  ++turns_left_;
}

}  // namespace dp
