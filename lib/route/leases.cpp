// SPDX-License-Identifier: MIT
#include "route/leases.hpp"

#include <algorithm>

namespace dp {
namespace {

constexpr Duration first_backoff = std::chrono::milliseconds(50);
constexpr Duration longest_backoff = std::chrono::seconds(5);
constexpr std::size_t most_claims = 1 << 20;    ///< who claims more computes it again
constexpr std::size_t most_overtaken = 1024;    ///< a worker; of more the service time is lost

bool worth_one_more_only(ErrorClass error) {
  return error == ErrorClass::data || error == ErrorClass::permanent;
}

/// Exponential, with jitter.
Duration back_off(std::uint32_t charged, Rng& rng) {
  const int doublings = std::min(static_cast<int>(charged), 10);
  const Duration step = std::min(longest_backoff, first_backoff * (1 << doublings) / 2);
  return from_seconds(to_seconds(step) * (0.5 + rng.uniform()));
}

/// What its worker serves counts at the worker's place.
void count_at_its_place(Time now, LeasedBatch& entry, Dispatcher& dispatcher) {
  entry.slot = entry.worker->slot;
  entry.ticket = dispatcher.adopt(now, entry.meta(), entry.batch.lease.attempt, *entry.slot);
}

/// Whatever but success counts against the worker when the batch is placed again.
void end_attempt(Time now, LeasedBatch& entry, AttemptEnd how, Dispatcher& dispatcher) {
  if (!entry.ticket) return;
  if (how != AttemptEnd::served) entry.exclude = Excluded{entry.ticket->slot, entry.ticket->life};
  dispatcher.finish(now, *entry.ticket, how);
  entry.ticket.reset();
}

}  // namespace

// ---- from the stream and the ledger ----------------------------------------------------------------------

void Leases::add(Time now, Batch&& batch, const std::string& unfit, Outbox& out) {
  const BatchId id = batch.lease.batch;
  const SlabIndex index = batches_.insert(id).first;
  LeasedBatch& entry = batches_[index];
  entry.batch = std::move(batch);
  if (!unfit.empty()) return give_up(index, ErrorClass::data, unfit, out);
  if (const auto claim = claims_.find(id); claim != claims_.end()) {
    adopt(now, index, claim->second);
    claims_.erase(claim);
  } else {
    dispatcher_->arrive(now, entry.meta(), entry.batch.lease.attempt);
  }
}

void Leases::commit(Time now, const Commit& commit) {
  // The ledger has it: whatever is under way with it does not matter any more.
  const auto settle = [&](BatchId id) {
    const SlabIndex index = batches_.find(id);
    if (index == no_index) return;
    LeasedBatch& entry = batches_[index];
    if (entry.state == State::waiting) dispatcher_->withdraw(now, id);
    if (entry.state == State::delayed) delayed_.erase({entry.retry_at, id});
    if (entry.state == State::leased && entry.worker->overtaken.size() < most_overtaken)
      entry.worker->overtaken.emplace(id, entry.leased_at);
    end_attempt(now, entry, AttemptEnd::settled_elsewhere, *dispatcher_);
    release(index);
    provisional_ -= entry.charged_for.has_value();
    batches_.erase(index);
  };
  const std::uint64_t before = raw(settled_.watermark()), watermark = raw(commit.watermark);
  if (watermark > before && watermark - before <= 4 * batches_.size()) {
    for (std::uint64_t id = before; id < watermark; ++id) settle(BatchId{id});
  } else if (watermark > before) {  // it leapt: a ledger that was here long before
    batches_.for_each([&](SlabIndex index) {
      if (batches_.key(index) < commit.watermark) settle(batches_.key(index));
    });
  }
  settled_.merge(commit.watermark, commit.bitmap, settle);
  std::erase_if(claims_, [&](const auto& claim) { return settled_.contains(claim.first); });
  given_up_.settle(settled_);
}

// ---- to and from workers ---------------------------------------------------------------------------------

const Batch& Leases::lease(Time now, const Ticket& ticket, WorkerSession& worker) {
  const SlabIndex index = batches_.find(ticket.batch);
  LeasedBatch& entry = batches_[index];
  entry.state = State::leased;
  entry.ticket = ticket;
  entry.slot = ticket.slot;
  entry.worker = &worker;
  entry.leased_at = now;
  entry.lease_until = now + options_.lease;
  entry.lease_cap = now + options_.lease_cap;
  entry.batch.number = ++worker.sent;
  entry.batch.lease.attempt = ticket.attempt;
  entry.batch.times.routed = now;
  worker.serving.push_back(batches_, index);
  return entry.batch;
}

void Leases::done(Time now, WorkerSession& worker, const Done& done, Outbox& out) {
  const SlabIndex index = leased_by(worker, done.lease.batch);
  const bool served = done.error == ErrorClass::none;  // failing fast is not serving fast
  const auto observe = [&](Time since) {
    if (served && worker.slot) dispatcher_->observe(now, *worker.slot, done.samples, done.service, between(since, now));
  };
  if (index == no_index) {
    if (const auto overtaken = worker.overtaken.extract(done.lease.batch)) observe(overtaken.mapped());
    return;
  }
  LeasedBatch& entry = batches_[index];
  observe(entry.leased_at);
  end_attempt(now, entry, served ? AttemptEnd::served : AttemptEnd::failed, *dispatcher_);
  if (served) {
    worker.serving.erase(batches_, index);
    worker.unsettled.push_back(batches_, index);
    entry.state = State::done;
    entry.lease_until = now + options_.lease;
    return;
  }
  record_.note(now, fmt::format("batch {} failed on worker {}: {}", raw(done.lease.batch), worker.name, done.message), out);
  record_.blame(worker.name);
  try_again(now, index, {.charge = true}, done.error, done.message, out);
}

void Leases::handed_back(Time now, WorkerSession& worker, const Return& message, Outbox& out) {
  const SlabIndex index = leased_by(worker, message.lease.batch);
  if (index == no_index) return;
  end_attempt(now, batches_[index], AttemptEnd::returned, *dispatcher_);
  try_again(now, index, {}, ErrorClass::transient, "handed back", out);
}

void Leases::renew(Time now, const WorkerSession& worker, std::span<const std::uint64_t> held) {
  for (const std::uint64_t id : held) {
    const SlabIndex index = batches_.find(BatchId{id});
    if (index != no_index && batches_[index].worker == &worker) batches_[index].lease_until = now + options_.lease;
  }
}

void Leases::returned(Time now, WorkerSession& worker, std::uint64_t process, const Hello& hello) {
  if (provisional_ > 0) {
    batches_.for_each([&](SlabIndex index) {
      LeasedBatch& entry = batches_[index];
      if (entry.charged_for != process) return;
      entry.charged_for.reset();
      --provisional_;
      --entry.charged;
      record_.pardon(worker.name);
      if (!std::exchange(entry.last_chance, false)) return;
      delayed_.erase({entry.retry_at, batches_.key(index)});
      entry.retry_at = now + back_off(entry.charged, rng_);
      delayed_.emplace(entry.retry_at, batches_.key(index));
    });
  }
  for (const auto& [ids, done] : {std::pair(&hello.held, false), std::pair(&hello.unacked, true)}) {
    for (const std::uint64_t id : *ids) {
      const SlabIndex index = batches_.find(BatchId{id});
      if (index != no_index) adopt(now, index, {&worker, done});
      else if (!settled_.contains(BatchId{id}) && claims_.size() < most_claims)
        claims_.insert_or_assign(BatchId{id}, Claim{&worker, done});
    }
  }
}

/// No need to send the batch anywhere.
void Leases::adopt(Time now, SlabIndex index, Claim claim) {
  LeasedBatch& entry = batches_[index];
  if (entry.state == State::leased || entry.state == State::done || entry.state == State::failed) return;
  if (entry.state == State::delayed) delayed_.erase({entry.retry_at, batches_.key(index)});
  entry.last_chance = false;
  if (entry.state == State::waiting) dispatcher_->withdraw(now, batches_.key(index));
  WorkerSession& worker = *claim.worker;
  entry.worker = &worker;
  entry.lease_until = now + options_.lease;
  if (claim.done) {
    entry.state = State::done;
    return worker.unsettled.push_back(batches_, index);
  }
  entry.state = State::leased;
  entry.leased_at = now;
  entry.lease_cap = now + options_.lease_cap;
  worker.serving.push_back(batches_, index);
  if (worker.slot) count_at_its_place(now, entry, *dispatcher_);
}

void Leases::seated(Time now, WorkerSession& worker) {
  for (SlabIndex i = worker.serving.front(); i != no_index; i = SlabList::after(batches_, i))
    count_at_its_place(now, batches_[i], *dispatcher_);
}

void Leases::hand_over(Time now, WorkerSession& old, WorkerSession& fresh, const std::set<std::uint64_t>& held,
                       const std::set<std::uint64_t>& unacked) {
  for (SlabList* list : {&old.serving, &old.unsettled}) {
    for (SlabIndex index = list->front(); index != no_index;) {
      const SlabIndex after = SlabList::after(batches_, index);
      const std::uint64_t id = raw(batches_.key(index));
      const bool serving = list == &old.serving && held.contains(id);
      if (serving || unacked.contains(id)) {
        LeasedBatch& entry = batches_[index];
        entry.ticket.reset();  // until the worker has its place again
        list->erase(batches_, index);
        (serving ? fresh.serving : fresh.unsettled).push_back(batches_, index);
        entry.state = serving ? State::leased : State::done;
        entry.worker = &fresh;
        entry.lease_until = now + options_.lease;
      }
      index = after;
    }
  }
}

void Leases::lost(Time now, WorkerSession& worker, const Blame& blame, Outbox& out) {
  std::erase_if(claims_, [&](const auto& claim) { return claim.second.worker == &worker; });
  for (bool computing = true; !worker.serving.empty(); computing = false) {
    if (computing && blame.charge) record_.blame(worker.name);
    try_again(now, worker.serving.front(), computing ? blame : Blame{}, ErrorClass::transient, "worker lost", out);
  }
  while (!worker.unsettled.empty()) {
    try_again(now, worker.unsettled.front(), {}, ErrorClass::transient,
              "worker lost before its result was in the ledger", out);
  }
}

// ---- time ------------------------------------------------------------------------------------------------

void Leases::retry(Time now, Outbox& out) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const SlabIndex index = batches_.find(delayed_.begin()->second);
    LeasedBatch& entry = batches_[index];
    delayed_.erase(delayed_.begin());
    if (entry.last_chance) {
      record_.decided(now, entry.meta(), entry.batch.lease.attempt, "failed", entry.slot);
      give_up(index, ErrorClass::transient, "worker lost", out);
      continue;
    }
    entry.state = State::waiting;
    dispatcher_->arrive(now, entry.meta(), entry.batch.lease.attempt, entry.exclude);
  }
}

void Leases::expire(Time now, bool ledger_up, const Roster& roster, Outbox& out) {
  const auto take_back = [&](const SlabList& list, auto&& end) {
    for (SlabIndex index = list.front(); index != no_index;) {
      const SlabIndex after = SlabList::after(batches_, index);
      if (batches_[index].lease_until <= now) end(index);
      index = after;
    }
  };
  for (const auto& one : roster.all()) {
    const WorkerSession* worker = one.second.get();
    if (ledger_up) {
      take_back(worker->unsettled, [&](SlabIndex index) {
        record_.note(now, fmt::format("the result of batch {} never reached the ledger", raw(batches_.key(index))), out);
        try_again(now, index, {}, ErrorClass::transient, "result not in the ledger", out);
      });
    }
    take_back(worker->serving, [&](SlabIndex index) {
      record_.note(now, fmt::format("the lease of batch {} on worker {} ran out", raw(batches_.key(index)), worker->name),
                   out);
      record_.blame(worker->name);
      end_attempt(now, batches_[index], AttemptEnd::lease_ran_out, *dispatcher_);
      try_again(now, index, {.charge = true}, ErrorClass::transient, "lease ran out", out);
    });
  }
}

bool Leases::over_cap(Time now, const WorkerSession& worker) const {
  for (SlabIndex i = worker.serving.front(); i != no_index; i = SlabList::after(batches_, i)) {
    if (batches_[i].lease_cap <= now) return true;
  }
  return false;
}

void Leases::postpone(Duration by) {
  batches_.for_each([&](SlabIndex index) {
    batches_[index].lease_until += by;
    batches_[index].lease_cap += by;
  });
}

void Leases::extend_all(Time now) {
  batches_.for_each([&](SlabIndex index) {
    Time& until = batches_[index].lease_until;
    until = std::max(until, now + options_.lease);
  });
}

// ---- inside ----------------------------------------------------------------------------------------------

SlabIndex Leases::leased_by(const WorkerSession& worker, BatchId id) const {
  const SlabIndex index = batches_.find(id);
  if (index == no_index || batches_[index].worker != &worker || batches_[index].state != State::leased) return no_index;
  return index;
}

/// Takes a batch from the worker it was leased to, or done by.
void Leases::release(SlabIndex index) {
  LeasedBatch& entry = batches_[index];
  if (entry.state == State::leased) entry.worker->serving.erase(batches_, index);
  if (entry.state == State::done) entry.worker->unsettled.erase(batches_, index);
  entry.worker = nullptr;
}

/// An attempt ended without a result: another one, after a while, or the batch is given up.
void Leases::try_again(Time now, SlabIndex index, const Blame& blame, ErrorClass error, const std::string& why,
                       Outbox& out) {
  LeasedBatch& entry = batches_[index];
  release(index);
  entry.ticket.reset();
  record_.retried();
  if (blame.charge) {
    ++entry.charged;
    provisional_ += blame.until_back.has_value() - entry.charged_for.has_value();
    entry.charged_for = blame.until_back;
    if (worth_one_more_only(error)) ++entry.permanent_failures;
  }
  const std::uint32_t attempt = entry.batch.lease.attempt;
  const bool enough = blame.charge && (entry.charged >= options_.attempts || entry.permanent_failures >= 2);
  if (enough && !blame.until_back) {
    record_.decided(now, entry.meta(), attempt, "failed", entry.slot);
    return give_up(index, error, why, out);
  }
  entry.last_chance = enough;
  entry.retry_at = now + (enough ? options_.timing.missed * options_.timing.heartbeat : back_off(entry.charged, rng_));
  entry.state = State::delayed;
  const BatchId id = batches_.key(index);
  out.debug("batch {} is {} in {:.0f} ms: {} ({} of {} attempts charged)", raw(id), enough ? "given up" : "tried again",
            1e3 * to_seconds(entry.retry_at - now), why, entry.charged, options_.attempts);
  delayed_.emplace(entry.retry_at, id);
  record_.decided(now, entry.meta(), attempt, "retry", entry.slot);
}

void Leases::give_up(SlabIndex index, ErrorClass error, const std::string& why, Outbox& out) {
  constexpr std::size_t longest_why = 512;
  LeasedBatch& entry = batches_[index];
  const BatchId id = batches_.key(index);
  entry.state = State::failed;
  entry.batch.payload = {};
  out.debug("batch {} is given up: {}", raw(id), why);
  given_up_.add({id, entry.charged, error, why.substr(0, longest_why)});
}

}  // namespace dp
