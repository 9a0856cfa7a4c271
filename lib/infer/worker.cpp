// SPDX-License-Identifier: MIT
#include "infer/worker.hpp"

#include <algorithm>
#include <utility>

#include "base/file.hpp"

namespace dp {
namespace {

constexpr int most_resends_a_turn = 64;

}  // namespace

Worker::Worker(WorkerOptions options, std::uint64_t nonce_seed)
    : options_(std::move(options)),
      rng_(nonce_seed),
      route_(route_peer, Role::route, options_.boot_id, new_session(rng_), options_.timing,
             {[this] { return hello(); },
              [this](Ping& ping) {
                ping.limit = limit_;
                ping.held = held();
              }}),
      collect_(collect_peer, Role::collect, options_.boot_id, new_session(rng_), options_.timing,
               {[this] { return hello(); }}) {}

Hello Worker::hello() const {
  Hello hello;
  hello.role = Role::infer;
  hello.name = options_.name;
  hello.boot_id = options_.boot_id;
  hello.run = run_;
  hello.datasets = options_.datasets;
  hello.held = held();
  for (const auto& [id, unacked] : unacked_) hello.unacked.push_back(raw(id));
  return hello;
}

/// The batch being computed first.
std::vector<std::uint64_t> Worker::held() const {
  std::vector<std::uint64_t> ids;
  for (const auto* held : {&computing_, &queue_}) {
    for (const Held& one : *held) ids.push_back(raw(one.batch.lease.batch));
  }
  return ids;
}

Worker::Held* Worker::find(BatchId id) {
  for (auto* held : {&computing_, &queue_}) {
    for (Held& one : *held) {
      if (one.batch.lease.batch == id) return &one;
    }
  }
  return nullptr;
}

// ---- messages --------------------------------------------------------------------------------------------

void Worker::receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) {
  if (finished()) return;
  if (from == route_peer) on_route(now, envelope, out);
  if (from == collect_peer) on_collect(now, envelope, out);
  end(now, out);
}

void Worker::on_route(Time now, Envelope& envelope, Outbox& out) {
  switch (route_.receive(now, envelope, out)) {
    case LinkEvent::refused:
      return finish(Exit::failed, std::get<Reject>(envelope.body).reason);
    case LinkEvent::up: {
      const Welcome& welcome = route_.welcome();
      run_ = welcome.run;
      received_ = limit_ = 0;
      data_ = {welcome.data};
      if (warm_) return extend_credit(out);
      if (!warming_)
        out.debug("warming up for {}x{}x{}, {} samples a batch at most", data_.shape.channels,
                  data_.shape.height, data_.shape.width, data_.max_batch);
      if (!warming_) out.push(WarmUp{data_});
      warming_ = true;
      return;
    }
    case LinkEvent::message:
      if (auto* batch = std::get_if<Batch>(&envelope.body)) on_batch(now, std::move(*batch), out);
      if (std::holds_alternative<Drain>(envelope.body)) shut_down(now, out);
      return;
    default:
      return;
  }
}

void Worker::on_collect(Time now, Envelope& envelope, Outbox& out) {
  switch (collect_.receive(now, envelope, out)) {
    case LinkEvent::refused:
      return finish(Exit::failed, std::get<Reject>(envelope.body).reason);
    case LinkEvent::up:
      run_ = collect_.welcome().run;
      collect_.send(Usage{usage_, options_.host, options_.detail, options_.record}, out);
      if (!unacked_.empty()) out.debug("{} results go to dp-collect again", unacked_.size());
      for (auto& [id, unacked] : unacked_) send_result(now, unacked, out);
      return;
    case LinkEvent::message:
      if (auto* ack = std::get_if<Ack>(&envelope.body)) {
        const bool full = unacked_.size() >= options_.unacked_cap;
        for (const std::uint64_t id : ack->batches) unacked_.erase(BatchId{id});
        if (full) extend_credit(out);
      }
      if (std::holds_alternative<Fin>(envelope.body)) shut_down(now, out);
      return;
    default:
      return;
  }
}

/// Everything is settled: nothing more will come, and what is held is of no use.
void Worker::shut_down(Time now, Outbox& out) {
  if (draining_) return;
  out.debug("the run is over; {} results are not acknowledged yet", unacked_.size());
  draining_ = true;
  queue_.clear();
  give_up_at_ = now + options_.give_up;
}

void Worker::on_batch(Time now, Batch&& batch, Outbox& out) {
  received_ = std::max(received_, std::min(batch.number, limit_));
  const BatchId id = batch.lease.batch;
  if (const auto done = unacked_.find(id); done != unacked_.end()) {
    done->second.result.lease = batch.lease;
    send_result(now, done->second, out);
    return report({std::move(batch), now}, {}, {}, out);
  }
  if (Held* held = find(id)) {
    held->batch.lease = batch.lease;
    return;
  }
  if (draining_) {
    route_.send(Return{batch.lease}, out);
    return;
  }
  if (batch.mode == PayloadMode::inline_pixels && checksum(batch.payload.bytes) != batch.checksum) {
    return report({std::move(batch), now}, {{}, ErrorClass::data, "the payload does not match its checksum"},
                  {}, out);
  }
  queue_.push_back({std::move(batch), now});
  start_next(out);
}

void Worker::start_next(Outbox& out) {
  while (computing_.size() < options_.ahead && !queue_.empty()) {
    computing_.push_back(std::move(queue_.front()));
    queue_.pop_front();
    out.push(Compute{computing_.back().batch});
  }
}

// ---- the inference thread --------------------------------------------------------------------------------

void Worker::warmed(Time, Outbox& out) {
  warm_ = true;
  warming_ = false;
  out.debug("warm");
  extend_credit(out);
}

void Worker::computed(Time now, Time started, Time done, Outcome&& outcome, Outbox& out) {
  const Held held = std::move(computing_.front());
  computing_.pop_front();
  start_next(out);
  if (outcome.error == ErrorClass::none && outcome.predictions.size() != held.batch.ids.size()) {
    outcome = {
        {},
        ErrorClass::data,
        fmt::format("{} predictions for {} samples", outcome.predictions.size(), held.batch.ids.size())};
  }
  if (outcome.error == ErrorClass::none) {
    Unacked& unacked = unacked_[held.batch.lease.batch];
    unacked.result = {run_,
                      held.batch.lease,
                      held.batch.times,
                      {held.received, started, done},
                      std::move(outcome.predictions)};
    send_result(now, unacked, out);
  }
  report(held, outcome, done - started, out);
  end(now, out);
}

/// Tells the router how a lease ended, with the credit that this frees.
void Worker::report(const Held& held, const Outcome& outcome, Duration service, Outbox& out) {
  if (outcome.error != ErrorClass::none)
    out.debug("batch {} failed here: {}", raw(held.batch.lease.batch), outcome.message);
  raise_limit();
  route_.send(Done{held.batch.lease, service, static_cast<std::uint32_t>(held.batch.ids.size()),
                   outcome.error, outcome.message.substr(0, 512), limit_},
              out);
}

void Worker::send_result(Time now, Unacked& unacked, Outbox& out) {
  unacked.sent = now;
  unacked.result.run = run_;  // perhaps not known yet when it was computed
  collect_.send(unacked.result, out);
}

/// Cumulative and never lowered within a session.
void Worker::raise_limit() {
  if (!warm_ || draining_ || unacked_.size() >= options_.unacked_cap) return;
  const std::uint64_t holding = queue_.size() + computing_.size();
  if (holding < options_.credit) limit_ = std::max(limit_, received_ + options_.credit - holding);
}

void Worker::extend_credit(Outbox& out) {
  raise_limit();
  route_.send(Credit{limit_}, out);
}

// ---- time ------------------------------------------------------------------------------------------------

void Worker::tick(Time now, Outbox& out) {
  if (finished()) return;
  for (Dialer* link : {&route_, &collect_}) {
    if (link->tick(now, out) == LinkEvent::gave_up) return finish(Exit::failed, link->complaint());
  }
  if (now >= next_resend_) {
    next_resend_ = now + options_.timing.heartbeat;
    int sends = 0;
    for (auto& [id, unacked] : unacked_) {
      if (now - unacked.sent < options_.timing.missed * options_.timing.heartbeat) continue;
      if (++sends > most_resends_a_turn) break;
      out.debug("the result of batch {} is not acknowledged: again", raw(id));
      send_result(now, unacked, out);
    }
  }
  end(now, out);
}

Time Worker::next_deadline() const {
  return std::min({route_.next_deadline(), collect_.next_deadline(), next_resend_, give_up_at_});
}

void Worker::end(Time now, Outbox& out) {
  if (!draining_ || finished()) return;
  const bool idle = computing_.empty() && queue_.empty() && unacked_.empty();
  if (!idle && now < give_up_at_) return;
  route_.send(Bye{interrupted_}, out);
  collect_.send(Bye{interrupted_}, out);
  finish(interrupted_ ? Exit::interrupted : Exit::done);
}

void Worker::drain(Time now, Outbox& out) {
  draining_ = interrupted_ = true;
  give_up_at_ = now + options_.give_up;
  for (const Held& waiting : queue_) route_.send(Return{waiting.batch.lease}, out);
  queue_.clear();
  end(now, out);
}

void Worker::usage(Time, const ResourceUsage& usage, Outbox& out) {
  usage_ = usage;
  collect_.send(Usage{usage, {}, {}, {}}, out);
}

}  // namespace dp
