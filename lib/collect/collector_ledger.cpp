// What the collector does with batches and the journal; collector.cpp has its links and the end of a run.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>
#include <utility>

#include "base/file.hpp"
#include "collect/collector.hpp"

namespace dp {
namespace {

constexpr Duration flush_every = std::chrono::milliseconds(1);
constexpr std::size_t most_early = 65'536, most_early_samples = std::size_t{1} << 24;
constexpr std::size_t most_digests = 65'536;
constexpr std::uint64_t most_samples = std::uint64_t{1} << 48;    ///< of a run: more is no honest claim
constexpr std::uint64_t farthest_ahead = std::uint64_t{1} << 24;  ///< of the first unsettled batch

std::uint64_t digest_of(const std::vector<Label>& predictions) {
  return checksum(std::as_bytes(std::span(predictions)));
}

void shift_times(Announce& a, Duration by) {
  for (auto* column : {&a.scheduled, &a.released, &a.arrivals}) {
    for (Time& at : *column) at += by;
  }
}

SettledBatch as_observed(const Announced& batch, const Settlement& s) {
  SettledBatch b{s.batch, batch.ids.size(), s.failed,   s.attempt, s.worker, s.why,
                 {},      s.at_worker,      s.collected};
  b.outbound = {batch.scheduled, batch.released, s.sent, s.routed};
  return b;
}

}  // namespace

// ---- batches ---------------------------------------------------------------------------------------------

void Collector::on_run(Run& run, PeerId from, const Envelope& envelope, Outbox& out) {
  if (plan_ && (plan_->plan != run.plan || plan_->data_digest != run.data_digest)) {
    return peers_.refuse(from, envelope,
                         fmt::format("run {:016x} has another plan, or another data set", raw(options_.run)),
                         false, out);
  }
  if (run.batches == 0 || run.batches > run.samples || run.samples > most_samples) {
    return peers_.refuse(from, envelope,
                         fmt::format("{} batches of {} samples is no plan", run.batches, run.samples), false,
                         out);
  }
  commit_due_ = true;
  if (plan_ && plan_->started) return;
  run.t0 += offset(from);
  if (run.started) write(run);
  news_.run_stored = run.started;
  take_run(run);
}

void Collector::take_run(const Run& run) {
  plan_ = run;
  if (!run.started) return;
  recorder_.begin(run, run.t0);
  if (observer_) observer_->started(run.t0);
}

bool Collector::due(BatchId id) const {
  return raw(id) < plan_->batches && raw(id) - raw(settled_.watermark()) < farthest_ahead &&
         !settled_.contains(id) && !announced_.contains(id);
}

void Collector::on_announce(PeerId from, Announce& a) {
  if (!plan_ || !plan_->started) return;
  if (std::ranges::none_of(a.batches, [&](std::uint64_t id) { return due(BatchId{id}); })) return;
  shift_times(a, offset(from));
  write(a);
  take_announcements(a);
  for (const std::uint64_t id : a.batches) {
    const auto early = early_.find(BatchId{id});
    if (early == early_.end()) continue;
    Early result = std::move(early->second);
    early_.erase(early);
    early_samples_ -= result.result.predictions.size();
    if (const auto batch = announced_.find(BatchId{id}); batch != announced_.end())
      settle(result.at, result.from, result.worker, result.result, batch->second);
  }
}

void Collector::take_announcements(const Announce& a) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < a.batches.size(); at += a.counts[i++]) {
    const BatchId id{a.batches[i]};
    if (!due(id)) continue;
    Announced& batch = announced_[id];
    batch.id = id;
    const auto first = static_cast<std::ptrdiff_t>(at),
               last = first + static_cast<std::ptrdiff_t>(a.counts[i]);
    batch.scheduled = a.scheduled[i];
    batch.released = a.released[i];
    batch.ids.assign(a.ids.begin() + first, a.ids.begin() + last);
    batch.labels.assign(a.labels.begin() + first, a.labels.begin() + last);
    if (!a.arrivals.empty()) batch.arrivals.assign(a.arrivals.begin() + first, a.arrivals.begin() + last);
    recorder_.announced(batch);
  }
}

void Collector::on_result(Time now, PeerId from, Result& result) {
  const BatchId id = result.lease.batch;
  const auto acknowledge = [&] { news_.acks[from].push_back(raw(id)); };
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
  } else if (early_.size() < most_early && early_samples_ < most_early_samples && !early_.contains(id) &&
             !(plan_ && raw(id) >= plan_->batches)) {
    early_samples_ += result.predictions.size();
    early_.try_emplace(id, Early{from, worker, std::move(result), now});
  }
}

void Collector::settle(Time now, PeerId from, const std::string& worker, Result& result,
                       const Announced& batch) {
  Settlement s;
  s.batch = batch.id;
  s.attempt = result.lease.attempt;
  s.collected = now;
  if (result.predictions.size() != batch.ids.size()) {
    s.failed = true;
    s.why = fmt::format("worker {} returned {} predictions for the {} samples of batch {}", worker,
                        result.predictions.size(), batch.ids.size(), raw(batch.id));
    happened(now, s.why);
  } else {
    const Duration infer = offset(Role::infer, worker);
    s.worker = worker;
    s.sent = result.outbound.sent + offset(Role::stream, "stream");
    s.routed = result.outbound.routed + offset(Role::route, "route");
    s.at_worker = {result.worker.received + infer, result.worker.started + infer, result.worker.done + infer};
    s.predictions = std::move(result.predictions);
  }
  news_.acks[from].push_back(raw(s.batch));
  close(std::move(s));
}

void Collector::on_failed(Time now, const Failed& failed, Outbox& out) {
  if (!announced_.contains(failed.batch)) return;
  Settlement s;
  s.batch = failed.batch;
  s.failed = true;
  s.attempt = failed.attempts;
  s.why = fmt::format("batch {} was given up after {} attempts: {}", raw(failed.batch), failed.attempts,
                      failed.message);
  s.collected = now;
  out.warn(s.why);
  happened(now, s.why);
  close(std::move(s));
}

/// The one place where a batch ends.
void Collector::close(Settlement settlement) {
  if (observer_) news_.observed.push_back(as_observed(announced_.at(settlement.batch), settlement));
  take_settlement(settlement);
  news_.settled.push_back(settlement.batch);
  write(std::move(settlement));
}

void Collector::take_settlement(const Settlement& s) {
  const auto found = announced_.find(s.batch);
  if (found == announced_.end())
    throw Error("the journal settles batch {}, which is not announced or settled before", raw(s.batch));
  const Announced& batch = found->second;
  if (!s.failed && s.predictions.size() != batch.ids.size())
    throw Error("the journal settles batch {} with {} predictions for {} samples", raw(s.batch),
                s.predictions.size(), batch.ids.size());
  if (s.failed) {
    recorder_.failed(batch, s.collected);
  } else {
    recorder_.completed(batch,
                        {{batch.scheduled, batch.released, s.sent, s.routed}, s.at_worker, s.collected},
                        s.worker, s.predictions);
    digests_[s.batch] = digest_of(s.predictions);
    if (digests_.size() > most_digests) digests_.erase(digests_.begin());
  }
  recorder_.tried(s.worker, s.attempt);
  settled_.insert(s.batch);
  announced_.erase(found);
}

void Collector::happened(Time now, std::string what) {
  tell(now, what);
  write(Happened{now, std::move(what)});
}

void Collector::tell(Time at, const std::string& what) {
  recorder_.event(at, what);
  if (observer_) observer_->happened(at, what);
}

/// They come with its report, when they are long past.
void Collector::record_router_events() {
  for (std::size_t i = 0; observer_ && i < router_.events.size(); ++i)
    observer_->happened(router_.event_times[i], router_.events[i]);
}

// ---- what others hear ------------------------------------------------------------------------------------

/// Many settlements to a record group, to an ACK, to a COMMIT.
void Collector::flush(Time now, Outbox& out) {
  if (now < next_flush_) return;
  next_flush_ = now + flush_every;
  if (!records_.empty()) {
    out.push(Append{std::exchange(records_, {})});
    ++appends_;
  }
  if (!news_.empty()) {
    news_.append = appends_;
    undelivered_.push_back(std::exchange(news_, {}));
  }
  deliver(out);
}

/// ACK and COMMIT for what is durable.
void Collector::deliver(Outbox& out) {
  for (; !undelivered_.empty() && undelivered_.front().append <= durable_; undelivered_.pop_front()) {
    News& news = undelivered_.front();
    for (const BatchId id : news.settled) told_.insert(id);
    for (const SettledBatch& batch : news.observed) observer_->settled(batch);
    for (auto& [peer, batches] : news.acks) peers_.send(peer, Ack{std::move(batches)}, out);
    run_stored_ = run_stored_ || news.run_stored;
    eos_stored_ = eos_stored_ || news.eos;
    commit_due_ = commit_due_ || news.run_stored || !news.settled.empty();
  }
  if (!std::exchange(commit_due_, false)) return;
  Commit commit;
  commit.run_stored = run_stored_;
  commit.watermark = told_.watermark();
  told_.image(commit.bitmap);
  for (const auto& [id, peer] : peers_.peers()) {
    if (peer.role != Role::infer) peers_.send(id, commit, out);
  }
}

void Collector::durable(Time now, std::uint64_t appends, Outbox& out) {
  durable_ = appends;
  deliver(out);
  try_end(now, out);
}

// ---- the journal -----------------------------------------------------------------------------------------

void Collector::begin(Time now, Outbox& out) {
  begun_ = incomplete_since_ = now;
  if (opened_) restarted(options_.begun);
  else if (observer_) observer_->opened(options_.run, false);
  write(Opened{journal_format, options_.run, options_.boot_id, options_.begun, options_.wall_ns});
  flush_now(now, out);
}

/// Another process wrote up to here; this one was not there at once.
void Collector::restarted(Time at) {
  tell(at, fmt::format("dp-collect was restarted with {} batches settled", settled_.count()));
  if (plan_ && plan_->started) recorder_.ledger_restarted(std::max(Duration{}, at - last_record_));
}

void Collector::replay(JournalRecord&& record) {
  std::visit([this](auto& r) { replay_one(r); }, record);
}

void Collector::replay_one(Opened& r) {
  if (opened_ && opened_->run != r.run) throw Error("the journal holds two runs");
  // The wall clock joins the monotonic clocks of two boots.
  const Duration ahead = options_.begun.time_since_epoch() - Duration(options_.wall_ns);
  clock_shift_ =
      r.boot_id == options_.boot_id ? Duration{} : ahead - (r.at.time_since_epoch() - Duration(r.wall_ns));
  if (opened_) restarted(r.at + clock_shift_);
  else if (observer_) observer_->opened(r.run, true);
  opened_ = r;
  options_.run = r.run;
  last_record_ = r.at + clock_shift_;
}

void Collector::replay_one(Run& r) {
  r.t0 += clock_shift_;
  run_stored_ = r.started;
  take_run(r);
}

void Collector::replay_one(Announce& r) {
  if (!plan_) throw Error("the journal announces batches before their run");
  shift_times(r, clock_shift_);
  take_announcements(r);
  for (const Time at : r.released) last_record_ = std::max(last_record_, at);
}

void Collector::replay_one(Settlement& s) {
  for (Time* at :
       {&s.sent, &s.routed, &s.at_worker.received, &s.at_worker.started, &s.at_worker.done, &s.collected}) {
    *at += clock_shift_;
  }
  if (const auto batch = announced_.find(s.batch); observer_ && batch != announced_.end())
    observer_->settled(as_observed(batch->second, s));
  take_settlement(s);
  told_.insert(s.batch);
  last_record_ = std::max(last_record_, s.collected);
}

void Collector::replay_one(Happened& r) {
  if (ended_) return;  // of the report, not of the run
  tell(r.at + clock_shift_, r.what);
  last_record_ = std::max(last_record_, r.at + clock_shift_);
}

void Collector::replay_one(Eos& r) {
  eos_ = r.batches;
  eos_stored_ = true;
}

void Collector::replay_one(Report& r) {
  router_ = r;
  for (Time& at : router_.event_times) at += clock_shift_;
}

void Collector::replay_one(Ended&) {
  ended_ = true;
  recorder_.reported_again();
  record_router_events();
  finish(Exit::done);
}

}  // namespace dp
