// SPDX-License-Identifier: MIT
#include "stream/streamer.hpp"

#include <algorithm>
#include <utility>

#include "base/file.hpp"

namespace dp {
namespace {

constexpr int most_sends_a_turn = 32;
constexpr std::size_t most_samples_a_message = 100'000;  ///< far below the limit of a binary frame

}  // namespace

Streamer::Streamer(StreamerOptions options, const Plan& plan, const Dataset& data, std::uint64_t nonce_seed)
    : options_(std::move(options)),
      plan_(plan),
      data_(data),
      rng_(nonce_seed),
      route_(route_peer, Role::route, options_.boot_id, new_session(rng_), options_.timing,
             {[this] { return hello(); }}),
      collect_(collect_peer, Role::collect, options_.boot_id, new_session(rng_), options_.timing,
               {[this] { return hello(); }}),
      release_cursor_(plan.begin()),
      send_cursor_(plan.begin()),
      next_release_(release_cursor_.next()),
      next_take_(send_cursor_.next()) {}

Hello Streamer::hello() const {
  Hello hello;
  hello.role = Role::stream;
  hello.name = "stream";
  hello.boot_id = options_.boot_id;
  hello.run = run_;
  hello.started = started_;
  hello.data = {data_.shape(), plan_.options().batch_size.high, options_.payload, data_.digest()};
  hello.shard_weights = plan_.shard_weights();
  return hello;
}

// ---- messages --------------------------------------------------------------------------------------------

void Streamer::receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) {
  if (finished()) return;
  if (from == route_peer) on_route(now, envelope, out);
  if (from == collect_peer) on_collect(now, envelope, out);
  if (workers_ready_ && collect_.up() && !started_) start(now + options_.lead, out);
  release(now);
  send_what_may_go(now, out);
  end(now, out);
}

void Streamer::on_route(Time now, Envelope& envelope, Outbox& out) {
  switch (route_.receive(now, envelope, out)) {
    case LinkEvent::refused:
      return finish(Exit::failed, std::get<Reject>(envelope.body).reason);
    case LinkEvent::up:
      sent_ = limit_ = 0;
      again_.clear();
      for (const auto& [id, batch] : unsettled_) again_.push_back(id);
      if (!again_.empty()) out.debug("{} batches are not settled and go to dp-route again", again_.size());
      break;
    case LinkEvent::message:
      if (auto* credit = std::get_if<Credit>(&envelope.body)) limit_ = std::max(limit_, credit->limit);
      if (std::holds_alternative<Start>(envelope.body)) workers_ready_ = true;
      break;
    default:
      break;
  }
}

void Streamer::on_collect(Time now, Envelope& envelope, Outbox& out) {
  switch (collect_.receive(now, envelope, out)) {
    case LinkEvent::refused:
      return finish(Exit::failed, std::get<Reject>(envelope.body).reason);
    case LinkEvent::up:
      run_ = collect_.welcome().run;
      eos_said_ = false;
      if (collect_.welcome().started && !started_) {
        start(collect_.welcome().t0 - collect_.offset(now), out);
      } else {
        send_run(out);
      }
      collect_.send(Usage{usage_, {}, {}, {}}, out);
      announce_again(out);
      break;
    case LinkEvent::message:
      if (auto* commit = std::get_if<Commit>(&envelope.body)) on_commit(*commit);
      if (std::holds_alternative<Fin>(envelope.body)) fin_ = true;
      break;
    default:
      break;
  }
}

/// Begins the run, or goes on with one that an earlier process began: its schedule stays as it was.
void Streamer::start(Time t0, Outbox& out) {
  started_ = true;
  t0_ = t0;
  out.debug("run {:016x}: {} batches, workers ready", raw(run_), plan_.batches());
  send_run(out);
}

void Streamer::send_run(Outbox& out) {
  const PlanOptions& plan = plan_.options();
  collect_.send(Run{plan_.batches(), plan.samples, plan_.digest(), started_, t0_, open_loop() ? plan.rate : 0,
                    options_.concurrency, data_.name(), options_.record, data_.digest()},
                out);
}

void Streamer::on_commit(const Commit& commit) {
  stored_ = stored_ || commit.run_stored;
  if (raw(commit.watermark) > plan_.batches()) return;
  unsettled_.erase(unsettled_.begin(), unsettled_.lower_bound(commit.watermark));
  settled_.merge(commit.watermark, commit.bitmap, [this](BatchId id) { unsettled_.erase(id); });
}

// ---- pacing ----------------------------------------------------------------------------------------------

void Streamer::release(Time now) {
  if (!started_ || !open_loop() || interrupted_) return;
  while (next_release_ && t0_ + next_release_->scheduled <= now) {
    released_.push(now - (t0_ + next_release_->scheduled));
    next_release_ = release_cursor_.next();
  }
}

bool Streamer::all_sent() const { return interrupted_ || !next_take_; }

bool Streamer::may_send(Time now) const {
  if (!stored_ || now < t0_ || !route_.up() || sent_ >= limit_) return false;
  if (!again_.empty()) return true;
  if (all_sent()) return false;
  if (open_loop()) return !released_.empty();
  return options_.concurrency == 0 || taken_ < settled_.count() + options_.concurrency;
}

void Streamer::send_what_may_go(Time now, Outbox& out) {
  for (int sends = 0; sends < most_sends_a_turn; ++sends) {
    skip_settled(now);
    if (!may_send(now)) break;
    if (again_.empty()) {
      send_batch(now, take_next(now, out), out);
      continue;
    }
    const auto found = unsettled_.find(again_.front());
    again_.pop_front();
    if (found != unsettled_.end()) send_batch(now, found->second, out);
  }
  flush_announcements(out);
  if (started_ && all_sent() && !eos_said_ && collect_.up()) {
    out.debug("all {} batches are sent: EOS", taken_);
    collect_.send(Eos{taken_}, out);
    eos_said_ = true;
  }
}

/// The next batch of the plan: announced from here on.
Streamer::Unsettled& Streamer::take_next(Time now, Outbox& out) {
  const BatchSpec spec = *next_take_;
  Unsettled& batch = unsettled_[spec.id];
  batch.spec = spec;
  batch.released = advance(now);
  batch.scheduled = open_loop() ? t0_ + spec.scheduled : now;
  announce(batch, out);
  return batch;
}

/// The time at which the batch that was next was released.
Time Streamer::advance(Time now) {
  ++taken_;
  const Time due = t0_ + next_take_->scheduled;
  next_take_ = send_cursor_.next();
  return open_loop() ? due + released_.pop() : now;
}

/// What an earlier process of this run has brought to its end.
void Streamer::skip_settled(Time now) {
  while (next_take_ && settled_.contains(next_take_->id) && !(open_loop() && released_.empty())) advance(now);
}

void Streamer::send_batch(Time now, Unsettled& batch, Outbox& out) {
  Batch message;
  message.lease.batch = batch.spec.id;
  message.shard = batch.spec.shard;
  message.mode = options_.payload;
  message.shape = data_.shape();
  plan_.samples(batch.spec, message.ids);
  if (options_.payload == PayloadMode::inline_pixels) {
    const std::size_t each = data_.shape().bytes();
    const std::size_t size = message.ids.size() * each;
    const auto pixels = std::make_shared_for_overwrite<std::byte[]>(size);
    const std::span all(pixels.get(), size);
    for (std::size_t i = 0; i < message.ids.size(); ++i)
      data_.copy(message.ids[i], all.subspan(i * each, each));
    message.payload = {pixels, all};
    message.checksum = checksum(all);
  }
  batch.sent = now;
  message.times = {batch.scheduled, batch.released, now, {}};
  message.number = ++sent_;
  route_.send(std::move(message), out);
}

// ---- announcements ---------------------------------------------------------------------------------------

void Streamer::announce(const Unsettled& batch, Outbox& out) {
  if (announcements_.ids.size() + batch.spec.count > most_samples_a_message) flush_announcements(out);
  Announce& a = announcements_;
  a.batches.push_back(raw(batch.spec.id));
  a.scheduled.push_back(batch.scheduled);
  a.released.push_back(batch.released);
  a.counts.push_back(batch.spec.count);
  std::vector<SampleId> ids;
  plan_.samples(batch.spec, ids);
  for (const SampleId id : ids) {
    a.ids.push_back(id);
    a.labels.push_back(data_.label(id));
  }
  if (!open_loop()) return;
  std::vector<Duration> arrivals;
  plan_.arrivals(batch.spec, arrivals);
  for (const Duration arrival : arrivals) a.arrivals.push_back(t0_ + arrival);
}

void Streamer::flush_announcements(Outbox& out) {
  if (announcements_.batches.empty()) return;
  collect_.send(std::exchange(announcements_, {}), out);
}

/// A new collector session: it hears again of everything that is not settled.
void Streamer::announce_again(Outbox& out) {
  announcements_ = {};
  for (const auto& [id, batch] : unsettled_) announce(batch, out);
  flush_announcements(out);
}

// ---- time ------------------------------------------------------------------------------------------------

void Streamer::tick(Time now, Outbox& out) {
  if (finished()) return;
  for (Dialer* link : {&collect_, &route_}) {
    if (link->tick(now, out) == LinkEvent::gave_up) return finish(Exit::failed, link->complaint());
  }
  send_again_by_age(now, out);
  release(now);
  send_what_may_go(now, out);
  end(now, out);
}

void Streamer::send_again_by_age(Time now, Outbox& out) {
  if (now < next_resend_) return;
  next_resend_ = now + options_.timing.heartbeat;
  if (!again_.empty()) return;
  for (const auto& [id, batch] : unsettled_) {
    if (now - batch.sent > options_.resend) again_.push_back(id);
  }
  if (!again_.empty())
    out.debug("{} batches are not settled {:g} s after they were sent: again", again_.size(),
              to_seconds(options_.resend));
}

Time Streamer::next_deadline() const {
  Time next = std::min({route_.next_deadline(), collect_.next_deadline(), next_resend_, give_up_at_});
  if (started_ && may_send(never)) next = std::min(next, t0_);
  if (started_ && open_loop() && next_release_ && !interrupted_)
    next = std::min(next, t0_ + next_release_->scheduled);
  return next;
}

void Streamer::end(Time now, Outbox& out) {
  if (!fin_ && now < give_up_at_) return;
  route_.send(Bye{interrupted_}, out);
  collect_.send(Bye{interrupted_}, out);
  finish(interrupted_ ? Exit::interrupted : Exit::done);
}

void Streamer::drain(Time now, Outbox& out) {
  if (interrupted_) return;
  interrupted_ = true;
  give_up_at_ = started_ ? now + options_.give_up : now;
  send_what_may_go(now, out);
  end(now, out);
}

void Streamer::usage(Time, const ResourceUsage& usage, Outbox& out) {
  usage_ = usage;
  collect_.send(Usage{usage, {}, {}, {}}, out);
}

}  // namespace dp
