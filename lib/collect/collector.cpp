// SPDX-License-Identifier: MIT
#include "collect/collector.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "base/file.hpp"

namespace dp {
namespace {

constexpr Duration flush_every = std::chrono::milliseconds(1);
constexpr std::size_t most_early = 65'536;
constexpr std::size_t most_digests = 65'536;

std::uint64_t digest_of(const std::vector<Label>& predictions) {
  return checksum(std::as_bytes(std::span(predictions)));
}

}  // namespace

Collector::Collector(CollectorOptions options, std::uint64_t nonce_seed)
    : options_(std::move(options)),
      rng_(nonce_seed),
      peers_(Role::collect, options_.boot_id, new_session(rng_), options_.timing),
      recorder_(options_.expected) {}

std::optional<PeerId> Collector::find_role(Role role) const {
  for (const auto& [id, peer] : peers_.peers()) {
    if (peer.role == role) return id;
  }
  return std::nullopt;
}

Duration Collector::offset(PeerId peer) const {
  const PeerState* state = peers_.find(peer);
  return state ? state->offset : Duration{};
}

Duration Collector::offset(Role role) const {
  const auto peer = find_role(role);
  return peer ? offset(*peer) : Duration{};
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
  const auto acceptance = peers_.accept(now, from, envelope, {options_.run, {}, {}}, out);
  if (acceptance.refused || known) return;
  if (hello.role == Role::stream) {
    const std::uint64_t process = process_of(envelope.from);
    if (plan_ && plan_->started && process != stream_process_) {
      recorder_.event(now, "dp-stream was restarted: its schedule began again");
      recorder_.schedule_broken();
    }
    stream_process_ = process;
  }
  if (hello.role == Role::infer) recorder_.found_worker(hello.name);
  if (fin_said_) peers_.send(from, Fin{}, out);
  if (hello.role != Role::infer) commit_due_ = true;
}

void Collector::on_message(Time now, PeerId from, Envelope& envelope, Outbox& out) {
  const Role role = peers_.find(from)->role;
  if (const auto* ping = std::get_if<Ping>(&envelope.body)) recorder_.clock_bound(ping->bound);
  if (role == Role::stream) {
    if (const auto* run = std::get_if<Run>(&envelope.body)) on_run(*run, from, envelope, out);
    if (const auto* announce = std::get_if<Announce>(&envelope.body)) on_announce(from, *announce);
    if (const auto* eos = std::get_if<Eos>(&envelope.body)) eos_ = eos->batches;
  }
  if (role == Role::infer) {
    if (auto* result = std::get_if<Result>(&envelope.body)) on_result(now, from, *result);
  }
  if (role == Role::route) {
    if (const auto* failed = std::get_if<Failed>(&envelope.body)) on_failed(now, *failed, out);
    if (auto* report = std::get_if<Report>(&envelope.body)) {
      router_ = std::move(*report);
      for (Time& at : router_.event_times) at += offset(from);
    }
  }
  if (auto* usage = std::get_if<Usage>(&envelope.body)) {
    usage->usage.at += offset(from);
    recorder_.usage(role, peers_.find(from)->name, *usage);
  }
  if (std::holds_alternative<Bye>(envelope.body)) {
    const PeerState state = *peers_.find(from);
    peers_.drop(from, out);
    gone(now, from, state, true, out);
  }
}

void Collector::on_run(const Run& run, PeerId from, const Envelope& envelope, Outbox& out) {
  if (plan_ && plan_->plan != run.plan) {
    return peers_.refuse(from, envelope, fmt::format("run {:016x} has another plan", raw(options_.run)),
                         false, out);
  }
  if (plan_ && plan_->started) {
    commit_due_ = true;
    return;
  }
  plan_ = run;
  if (run.started) recorder_.begin(run, run.t0 + offset(from));
  commit_due_ = true;
}

void Collector::on_announce(PeerId from, const Announce& a) {
  if (!plan_ || !plan_->started) return;
  const Duration shift = offset(from);
  std::size_t at = 0;
  for (std::size_t i = 0; i < a.batches.size(); at += a.counts[i++]) {
    const BatchId id{a.batches[i]};
    if (raw(id) >= plan_->batches || settled_.contains(id) || announced_.contains(id)) continue;
    Announced& batch = announced_[id];
    batch.id = id;
    const auto first = static_cast<std::ptrdiff_t>(at),
               last = first + static_cast<std::ptrdiff_t>(a.counts[i]);
    batch.scheduled = a.scheduled[i] + shift;
    batch.released = a.released[i] + shift;
    batch.ids.assign(a.ids.begin() + first, a.ids.begin() + last);
    batch.labels.assign(a.labels.begin() + first, a.labels.begin() + last);
    if (!a.arrivals.empty()) {
      for (auto arrival = a.arrivals.begin() + first; arrival != a.arrivals.begin() + last; ++arrival) {
        batch.arrivals.push_back(*arrival + shift);
      }
    }
    recorder_.announced(batch);
    if (const auto early = early_.find(id); early != early_.end()) {
      const Early result = std::move(early->second);
      early_.erase(early);
      settle(result.at, result.from, result.worker, result.result, batch);
    }
  }
}

void Collector::on_result(Time now, PeerId from, Result& result) {
  const BatchId id = result.lease.batch;
  const auto acknowledge = [&] { acks_[from].push_back(raw(id)); };
  if (result.run != options_.run) return acknowledge();
  if (settled_.contains(id)) {
    const auto known = digests_.find(id);
    recorder_.duplicate(result.predictions.size(),
                        known != digests_.end() && known->second != digest_of(result.predictions));
    return acknowledge();
  }
  const std::string& worker = peers_.find(from)->name;
  if (const auto found = announced_.find(id); found != announced_.end()) {
    settle(now, from, worker, result, found->second);
  } else if (early_.size() < most_early) {
    early_.try_emplace(id, Early{from, worker, std::move(result), now});
  }
}

void Collector::settle(Time now, PeerId from, const std::string& worker, const Result& result,
                       const Announced& batch) {
  const BatchId id = result.lease.batch;
  if (result.predictions.size() != batch.ids.size()) {
    recorder_.event(now, fmt::format("worker {} returned {} predictions for the {} samples of batch {}",
                                     worker, result.predictions.size(), batch.ids.size(), raw(id)));
    recorder_.failed(batch, now);
  } else {
    const Duration stream = offset(Role::stream), route = offset(Role::route), infer = offset(from);
    const OutboundTimes& o = result.outbound;
    const WorkerTimes& w = result.worker;
    recorder_.completed(batch,
                        {{batch.scheduled, batch.released, o.sent + stream, o.routed + route},
                         {w.received + infer, w.started + infer, w.done + infer},
                         now},
                        worker, result.predictions);
    digests_[id] = digest_of(result.predictions);
    if (digests_.size() > most_digests) digests_.erase(digests_.begin());
  }
  acks_[from].push_back(raw(id));
  close(id);
}

void Collector::on_failed(Time now, const Failed& failed, Outbox& out) {
  const auto found = announced_.find(failed.batch);
  if (found == announced_.end()) return;
  std::string what = fmt::format("batch {} was given up after {} attempts: {}", raw(failed.batch),
                                 failed.attempts, failed.message);
  out.warn(what);
  recorder_.event(now, std::move(what));
  recorder_.failed(found->second, now);
  close(failed.batch);
}

void Collector::close(BatchId id) {
  settled_.insert(id);
  announced_.erase(id);
  commit_due_ = true;
}

// ---- peers -----------------------------------------------------------------------------------------------

void Collector::gone(Time now, PeerId peer, const PeerState& state, bool goodbye, Outbox& out) {
  acks_.erase(peer);
  if (goodbye) return;
  std::string what = fmt::format("{} {} was lost (no heartbeat)", name_of(state.role), state.name);
  out.warn(what);
  recorder_.event(now, std::move(what));
  if (state.role == Role::infer) recorder_.lost_worker(state.name);
}

/// ACK and COMMIT, many settlements to a message.
void Collector::flush(Time now, Outbox& out) {
  if (now < next_flush_) return;
  next_flush_ = now + flush_every;
  for (auto& [peer, batches] : acks_) {
    if (!batches.empty()) peers_.send(peer, Ack{std::exchange(batches, {})}, out);
  }
  if (!std::exchange(commit_due_, false)) return;
  Commit commit;
  commit.run_stored = plan_ && plan_->started;
  commit.watermark = settled_.watermark();
  settled_.image(commit.bitmap);
  for (const auto& [id, peer] : peers_.peers()) {
    if (peer.role != Role::infer) peers_.send(id, commit, out);
  }
}

// ---- the end ---------------------------------------------------------------------------------------------

void Collector::try_end(Time now, Outbox& out) {
  if (!fin_said_ && eos_ && settled_.count() == *eos_) {
    fin_said_ = ended_ = true;
    finish_by_ = now + options_.give_up;
    next_flush_ = {};
    flush(now, out);
    for (const auto& [id, peer] : peers_.peers()) {
      if (peer.role != Role::infer) peers_.send(id, Fin{}, out);
    }
  }
  if (!fin_said_) return;
  flush(now, out);
  if (peers_.peers().empty() || now >= finish_by_) {
    for (const auto& [id, peer] : peers_.peers()) {
      if (peer.role != Role::infer) continue;
      recorder_.lost_worker(peer.name);
      recorder_.event(now, fmt::format("worker {} was gone at the end of the run", peer.name));
    }
    finish(Exit::done);
  }
}

void Collector::tick(Time now, Outbox& out) {
  if (finished()) return;
  if (begun_ == Time{}) begun_ = incomplete_since_ = now;
  for (const auto& [id, state] : peers_.expire(now, out)) gone(now, id, state, false, out);
  if (find_role(Role::stream) && find_role(Role::route)) incomplete_since_ = now;
  try_end(now, out);
  flush(now, out);
  if (fin_said_ || now - incomplete_since_ <= options_.timing.wait) return;
  const char* missing = find_role(Role::stream) ? "dp-route" : "dp-stream";
  std::string what = fmt::format("no {} for {:g} s", missing, to_seconds(options_.timing.wait));
  if (!plan_ || !plan_->started) return finish(Exit::failed, std::move(what));
  recorder_.event(now, what + ": gave up");
  finish(Exit::done);
}

Time Collector::next_deadline() const {
  if (begun_ == Time{}) return Time{};
  Time next = std::min(peers_.next_deadline(), finish_by_);
  const bool acks = std::ranges::any_of(acks_, [](const auto& entry) { return !entry.second.empty(); });
  if (commit_due_ || acks) next = std::min(next, next_flush_);
  return next;
}

/// Without a ledger nobody can go on.
void Collector::drain(Time, Outbox& out) {
  for (const auto& [id, peer] : peers_.peers())
    peers_.send(id, Reject{false, "dp-collect was interrupted"}, out);
  finish(Exit::interrupted);
}

void Collector::usage(Time, const ResourceUsage& usage, Outbox&) {
  recorder_.usage(Role::collect, "collect", Usage{usage, {}, {}, {}});
}

RunReport Collector::report() const { return recorder_.report(router_, ended_, plan_ ? plan_->samples : 0); }

std::optional<Collector::Progress> Collector::progress(Time now) const {
  if (!plan_ || !plan_->started || now <= recorder_.t0()) return std::nullopt;
  const std::uint64_t done = recorder_.completed_samples();
  return Progress{done, plan_->samples, static_cast<double>(done) / to_seconds(now - recorder_.t0()),
                  recorder_.p99_ms()};
}

}  // namespace dp
