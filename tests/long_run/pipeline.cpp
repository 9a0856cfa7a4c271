// SPDX-License-Identifier: MIT
#include "pipeline.hpp"

#include <algorithm>
#include <utility>

namespace dp {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Duration look_every = milliseconds(500);
constexpr const char* boot = "one";

PeerId inbound(std::size_t who) { return PeerId{raw(first_inbound) + who}; }

}  // namespace

void NowhereObserver::opened(RunId run, bool resumed) {
  events.opened(run, resumed);
  trace.opened(run, resumed);
}
void NowhereObserver::started(Time t0) {
  events.started(t0);
  trace.started(t0);
}
void NowhereObserver::settled(const SettledBatch& batch) {
  events.settled(batch);
  trace.settled(batch);
}
void NowhereObserver::happened(Time at, const std::string& what) {
  events.happened(at, what);
  trace.happened(at, what);
}
void NowhereObserver::discard() {
  (void)events.take();
  (void)trace.take();
}

Pipeline::Pipeline(const PlanOptions& plan, Duration service)
    : data_(open_dataset("synthetic:1x2x2:64")),
      plan_(plan, data_->size()),
      service_(service),
      now_(std::chrono::hours(1)),
      begun_(now_),
      next_look_(now_) {
  StreamerOptions streamer;
  streamer.boot_id = boot;
  stages_[stream] = std::make_unique<Streamer>(streamer, plan_, *data_, 1);
  RouterOptions router;
  router.boot_id = boot;
  stages_[route] = std::make_unique<Router>(router, 2);
  CollectorOptions options;
  options.run = RunId{1};
  options.boot_id = boot;
  options.journal = options.watched = options.keep_predictions = true;
  options.begun = now_;
  auto ledger = std::make_unique<Collector>(options, 3);
  ledger->observe(observer_);
  stages_[collect] = std::move(ledger);
  WorkerOptions with;
  with.name = "w0";
  with.boot_id = boot;
  with.datasets = {data_->digest()};
  stages_[worker] = std::make_unique<Worker>(with, 4);
}

void Pipeline::run_until(Duration at) {
  const Time end = begun_ + at;
  for (Time due = next(); due <= end; due = next()) {
    now_ = std::max(due, now_ + microseconds(10));  // a stage that is due again at once is given its turn
    if (now_ >= next_look_) look();
    if (now_ >= done_) work();
    for (std::size_t who = 0; who < all; ++who) {
      Stage& stage = *stages_[who];
      if (stage.finished() || stage.next_deadline() > now_) continue;
      stage.tick(now_, out_);
      carry_out(Who(who));
    }
    deliver();
  }
  now_ = std::max(now_, end);
}

Time Pipeline::next() const {
  Time due = std::min(next_look_, done_);
  for (const auto& stage : stages_) {
    if (!stage->finished()) due = std::min(due, stage->next_deadline());
  }
  return due;
}

/// What tools do by the clock: read their figures, publish what stands, write out what is to be written.
void Pipeline::look() {
  next_look_ = now_ + look_every;
  for (std::size_t who = 0; who < all; ++who) {
    if (stages_[who]->finished()) continue;
    stages_[who]->usage(now_, {now_, (now_ - begun_) / 10, 10'000'000, 5'000'000, 10'000'000}, out_);
    carry_out(Who(who));
  }
  (void)collector().snapshot(now_);
  observer_.discard();
}

void Pipeline::work() {
  Outcome outcome;
  outcome.predictions.assign(computing_.front().ids.size(), Label{3});
  computing_.pop_front();
  const Time started = std::exchange(started_, now_);
  done_ = computing_.empty() ? never : now_ + service_;
  static_cast<Worker&>(*stages_[worker]).computed(now_, started, now_, std::move(outcome), out_);
  carry_out(worker);
}

void Pipeline::carry_out(Who who) {
  for (Action& action : std::exchange(out_.actions(), {})) {
    if (auto* message = std::get_if<Send>(&action)) {
      send(who, std::move(*message));
    } else if (std::holds_alternative<WarmUp>(action)) {
      static_cast<Worker&>(*stages_[who]).warmed(now_, out_);
      carry_out(who);
    } else if (auto* job = std::get_if<Compute>(&action)) {
      computing_.push_back(std::move(job->batch));
      if (computing_.size() > 1) continue;
      started_ = now_;
      done_ = now_ + service_;
    } else if (std::holds_alternative<Append>(action)) {
      collector().durable(now_, ++appends_, out_);
      carry_out(who);
    }
  }
}

void Pipeline::send(Who who, Send&& send) {
  const bool dialled = send.to == route_peer || send.to == collect_peer;
  const Who to = send.to == route_peer     ? route
                 : send.to == collect_peer ? collect
                                           : Who(raw(send.to) - raw(first_inbound));
  underway_.push_back({to, dialled ? inbound(who) : who == route ? route_peer : collect_peer,
                       std::move(send.envelope)});
}

void Pipeline::deliver() {
  while (!underway_.empty()) {
    OnItsWay next = std::move(underway_.front());
    underway_.pop_front();
    if (stages_[next.to]->finished()) continue;
    stages_[next.to]->receive(now_, next.from, std::move(next.envelope), out_);
    carry_out(next.to);
  }
}

}  // namespace dp
