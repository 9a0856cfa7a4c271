// dp-collect's links and the end of a run; collector_ledger.cpp has batches and the journal.
// SPDX-License-Identifier: MIT
#include "collect/collector.hpp"

#include <algorithm>
#include <utility>

namespace dp {

Collector::Collector(CollectorOptions options, std::uint64_t nonce_seed)
    : options_(std::move(options)),
      rng_(nonce_seed),
      peers_(options_.boot_id, new_session(rng_), options_.timing),
      recorder_(options_.expected, options_.keep_predictions, options_.warmup, options_.watched) {}

std::optional<PeerId> Collector::find_role(Role role) const {
  for (const auto& [id, peer] : peers_.peers()) {
    if (peer.role == role) return id;
  }
  return std::nullopt;
}

Duration Collector::offset(PeerId peer) const {
  const PeerState* state = peers_.find(peer);
  return state ? offset(state->role, state->name) : Duration{};
}

/// As last heard: results outlive the connections they came by.
Duration Collector::offset(Role role, const std::string& name) const {
  const auto found = offsets_.find({role, name});
  return found == offsets_.end() ? Duration{} : found->second;
}

// ---- messages --------------------------------------------------------------------------------------------

void Collector::receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) {
  if (finished()) return;
  switch (peers_.receive(now, from, envelope, out)) {
    case LinkEvent::up:
      on_hello(now, from, envelope, out);
      break;
    case LinkEvent::message:
      on_message(now, from, envelope, out);
      break;
    default:
      break;
  }
  try_end(now, out);
}

void Collector::on_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out) {
  if (options_.journal && durable_ == 0) return;  // it will come again
  const Hello& hello = std::get<Hello>(envelope.body);
  if (hello.run != RunId{} && hello.run != options_.run) {
    return peers_.refuse(
        from, envelope,
        fmt::format("dp-collect keeps the ledger of run {:016x}, not of {:016x}: the collector of that "
                    "run is gone",
                    raw(options_.run), raw(hello.run)),
        false, out);
  }
  const bool known = peers_.find(from) && peers_.find(from)->session == envelope.from;
  const bool started = plan_ && plan_->started;
  const auto acceptance =
      peers_.accept(now, from, envelope, {options_.run, {}, {}, started, recorder_.t0()}, out);
  if (acceptance.refused || known) return;
  if (hello.role == Role::stream && started && !hello.started) {
    happened(now, "dp-stream was restarted");
    recorder_.generator_restarted();
    eos_.reset();  // it will say anew how far it got
    eos_stored_ = false;
  }
  if (hello.role == Role::infer) recorder_.found_worker(hello.name);
  presence_[{hello.role, hello.name}] = {PeerPresence::connected, now};
  if (fin_said_) peers_.send(from, Fin{}, out);
  if (hello.role != Role::infer) commit_due_ = true;
}

void Collector::on_message(Time now, PeerId from, Envelope& envelope, Outbox& out) {
  const Role role = peers_.find(from)->role;
  if (const auto* ping = std::get_if<Ping>(&envelope.body)) {
    recorder_.clock_bound(ping->bound);
    offsets_[{role, peers_.find(from)->name}] = ping->offset;
  }
  if (role == Role::stream) {
    if (auto* run = std::get_if<Run>(&envelope.body)) on_run(*run, from, envelope, out);
    if (auto* announce = std::get_if<Announce>(&envelope.body)) on_announce(from, *announce);
    if (const auto* eos = std::get_if<Eos>(&envelope.body); eos && eos_ != eos->batches) {
      eos_ = eos->batches;
      news_.eos = true;
      write(*eos);
    }
  }
  if (role == Role::infer) {
    if (auto* result = std::get_if<Result>(&envelope.body)) on_result(now, from, *result);
  }
  if (role == Role::route) {
    if (const auto* failed = std::get_if<Failed>(&envelope.body)) on_failed(now, *failed, out);
    if (auto* report = std::get_if<Report>(&envelope.body)) {
      router_ = std::move(*report);
      for (Time& at : router_.event_times) at += offset(from);
      write(router_);
    }
  }
  if (auto* usage = std::get_if<Usage>(&envelope.body)) {
    usage->usage.at += offset(from);
    recorder_.usage(role, peers_.find(from)->name, *usage);
  }
  if (std::holds_alternative<Bye>(envelope.body)) {
    presence_[{role, peers_.find(from)->name}] = {PeerPresence::left, now};
    out.debug("{} {} left", name_of(role), peers_.find(from)->name);
    stream_left_ = stream_left_ || role == Role::stream;
    route_left_ = route_left_ || role == Role::route;
    peers_.drop(from, out);
  }
}

// ---- peers -----------------------------------------------------------------------------------------------

void Collector::gone(Time now, const PeerState& state, Outbox& out) {
  std::string what = fmt::format("{} {} was lost ({})", name_of(state.role), state.name,
                                 state.disconnected ? "its connection ended" : "no heartbeat");
  out.warn(what);
  happened(now, std::move(what));
  presence_[{state.role, state.name}] = {PeerPresence::lost, state.heard};
  if (state.role == Role::infer) recorder_.lost_worker(state.name);
}

// ---- the end ---------------------------------------------------------------------------------------------

void Collector::try_end(Time now, Outbox& out) {
  if (finished()) return;
  const bool whole_plan = plan_ && settled_.count() == plan_->batches;
  const bool settled = whole_plan || (eos_ && announced_.empty() && settled_.count() >= *eos_);
  if (!fin_said_ && settled) flush_now(now, out);
  if (!fin_said_ && settled && told_.count() == settled_.count() && (whole_plan || eos_stored_)) {
    fin_said_ = ended_ = true;
    out.debug("all {} batches are settled: FIN", settled_.count());
    finish_by_ = now + options_.give_up;
    for (const auto& [id, peer] : peers_.peers()) {
      if (peer.role != Role::infer) peers_.send(id, Fin{}, out);
    }
  }
  if (!fin_said_) return;
  flush(now, out);
  const bool all_left = peers_.peers().empty() && (!opened_ || (stream_left_ && route_left_));
  if (all_left || now >= finish_by_) finish_complete(now, out);
}

void Collector::finish_complete(Time now, Outbox& out) {
  for (const auto& [id, peer] : peers_.peers()) {
    if (peer.role != Role::infer) continue;
    recorder_.lost_worker(peer.name);
    happened(now, fmt::format("worker {} was gone at the end of the run", peer.name));
  }
  record_router_events();
  write(Ended{});
  flush_now(now, out);
  finish(Exit::done);
}

void Collector::flush_now(Time now, Outbox& out) {
  next_flush_ = {};
  flush(now, out);
}

void Collector::disconnected(Time now, PeerId peer, Outbox&) { peers_.disconnected(now, peer); }

void Collector::tick(Time now, Outbox& out) {
  if (finished()) return;
  if (begun_ == Time{}) begin(now, out);
  for (const auto& [id, state] : peers_.expire(now, out)) gone(now, state, out);
  if (find_role(Role::stream) && find_role(Role::route)) incomplete_since_ = now;
  try_end(now, out);
  flush(now, out);
  if (fin_said_ || now - incomplete_since_ <= options_.timing.wait) return;
  const char* missing = find_role(Role::stream) ? "dp-route" : "dp-stream";
  std::string what = fmt::format("no {} for {:g} s", missing, to_seconds(options_.timing.wait));
  if (!plan_ || !plan_->started) return finish(Exit::failed, std::move(what));
  happened(now, what + ": gave up");
  flush_now(now, out);
  finish(Exit::done);
}

Time Collector::next_deadline() const {
  if (begun_ == Time{}) return Time{};
  Time next = std::min(peers_.next_deadline(), finish_by_);
  if (commit_due_ || !news_.empty() || !records_.empty()) next = std::min(next, next_flush_);
  return next;
}

/// Without a ledger nobody can go on; one with a journal may be started again.
void Collector::drain(Time now, Outbox& out) {
  for (const auto& [id, peer] : peers_.peers()) {
    if (!options_.will_be_back) peers_.send(id, Reject{false, "dp-collect was interrupted"}, out);
  }
  flush_now(now, out);
  finish(Exit::interrupted);
}

void Collector::usage(Time, const ResourceUsage& usage, Outbox&) {
  recorder_.usage(Role::collect, "collect", Usage{usage, {}, {}, {}});
}

RunReport Collector::report() const { return recorder_.report(router_, ended_, plan_ ? plan_->samples : 0); }

std::optional<Collector::Progress> Collector::progress(Time now) const {
  if (!plan_ || !plan_->started || now <= recorder_.t0()) return std::nullopt;
  const std::uint64_t done = recorder_.completed_samples();
  // The first sample of a schedule is due at t0, and an interval of its own.
  const double apart = plan_->rate > 0 ? 1 / plan_->rate : 0;
  return Progress{done, plan_->samples, static_cast<double>(done) / (to_seconds(now - recorder_.t0()) + apart),
                  recorder_.p99_ms()};
}

}  // namespace dp
