// Taking figures as they come; recorder_report.cpp makes the report of them.
// SPDX-License-Identifier: MIT
#include "collect/recorder.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "stats/percentile_support.hpp"

namespace dp {
namespace {

constexpr std::size_t most_events = 1000;
constexpr double mb = 1e6;
constexpr SampleId most_predictions = 1 << 26;      ///< ids beyond are not kept
constexpr Duration longest_reach = usage_interval;  ///< of an interval that begins before the measured part

/// Generator, admission, router, queue, compute, return.
std::array<Duration, 6> stages_of(const Announced& batch, const Stations& at) {
  return {batch.released - batch.scheduled,      at.outbound.sent - batch.released,
          at.outbound.routed - at.outbound.sent, at.worker.started - at.outbound.routed,
          at.worker.done - at.worker.started,    at.collected - at.worker.done};
}

}  // namespace

void Recorder::Part::take(std::uint64_t n, Duration batch_latency, Time collected) {
  ++batches;
  last = std::max(last, collected);
  samples += n;
  latency.record(batch_latency.count());
}

void Recorder::Work::merge(const Work& other) {
  samples += other.samples;
  batches += other.batches;
  busy += other.busy;
}

void Recorder::Flow::merge(const Flow& other) {
  offered += other.offered;
  completed += other.completed;
  latency.merge(other.latency);
  for (std::size_t i = 0; i < std::size(stages); ++i) stages[i] += other.stages[i];
}

void Recorder::begin(const Run& run, Time t0) {
  run_ = run;
  t0_ = last_ = t0;
  from_ = t0 + warmup_;
}

void Recorder::announced(const Announced& batch) {
  const std::uint64_t n = batch.ids.size();
  ++batches_.announced;
  samples_.announced += n;
  most_outstanding_ = std::max(most_outstanding_, batches_.announced - batches_.completed - batches_.failed);
  last_released_ = std::max(last_released_, batch.released);
  if (warming_up(batch, batch.released)) {
    offered_.due_before = std::max(offered_.due_before.value_or(batch.scheduled), batch.scheduled);
  } else {
    if (offered_.samples == 0) {
      offered_.first_released = batch.released;
      offered_.first = n;
    }
    offered_.samples += n;
    offered_.last_released = std::max(offered_.last_released, batch.released);
    last_scheduled_ = std::max(last_scheduled_, batch.scheduled);
    lateness_.record((batch.released - batch.scheduled).count());
  }
  if (batch.arrivals.empty()) series_.offered(between(t0_, batch.released), n);
  for (const Time arrival : batch.arrivals) series_.offered(between(t0_, arrival), 1);
  if (Flow* flow = watched_ ? recent_.at(between(t0_, batch.released)) : nullptr) flow->offered += n;
}

void Recorder::completed(const Announced& batch, const Stations& at, const std::string& worker,
                         const std::vector<Label>& predictions) {
  const std::uint64_t n = batch.ids.size();
  const Duration latency = at.collected - batch.scheduled;
  count_once(batch);
  ++batches_.completed;
  samples_.completed += n;
  last_ = std::max(last_, at.collected);
  series_.completed(between(t0_, at.collected), n, latency);
  Served& served = workers_[worker];
  ++served.settled;
  if (watched_) flow(batch, at, served);
  held_.take(worker, batch.ids);
  for (std::size_t i = 0; keep_predictions_ && i < n; ++i) keep(batch.ids[i], predictions[i]);
  if (warming_up(batch, at.collected)) return warm_up_.take(n, latency, at.collected);
  measured_.take(n, latency, at.collected);
  measure(batch, at, predictions);
  ++served.batches;
  served.samples += n;
  served.busy_s += std::max(0.0, to_seconds(at.worker.done - at.worker.started));
}

/// For a snapshot: measured part or not.
void Recorder::flow(const Announced& batch, const Stations& at, Served& served) {
  const Work work{batch.ids.size(), 1, std::max(Duration{}, at.worker.done - at.worker.started)};
  const Duration when = between(t0_, at.collected);
  served.all.merge(work);
  if (Work* recent = served.recent.at(when)) recent->merge(work);
  Flow* flow = recent_.at(when);
  if (!flow) return;
  flow->completed += work.samples;
  flow->latency.record((at.collected - batch.scheduled).count());
  const auto stages = stages_of(batch, at);
  for (std::size_t i = 0; i < stages.size(); ++i) flow->stages[i] += stages[i];
}

/// What is told of the measured part only.
void Recorder::measure(const Announced& batch, const Stations& at, const std::vector<Label>& predictions) {
  for (std::size_t i = 0; i < batch.ids.size(); ++i) {
    const Time arrival = batch.arrivals.empty() ? batch.released : batch.arrivals[i];
    sample_latency_.record((at.collected - arrival).count());
  }
  compare(batch, predictions);
  if (scheduled()) {
    const double planned = static_cast<double>(run_.samples) / run_.rate - to_seconds(warmup_);
    const double part = to_seconds(batch.scheduled - from_) / planned * tenths;
    if (part >= 0 && part < tenths)
      due_[static_cast<std::size_t>(part)].record((at.collected - batch.scheduled).count());
  }
  const auto stages = stages_of(batch, at);
  for (std::size_t i = 0; i < stages.size(); ++i) stages_[i].record(stages[i].count());
  service_.record((at.worker.done - at.worker.started).count());
}

void Recorder::compare(const Announced& batch, const std::vector<Label>& predictions) {
  for (std::size_t i = 0; i < batch.ids.size(); ++i) {
    if (batch.labels[i] != no_label) {
      ++labelled_;
      if (batch.labels[i] == predictions[i]) ++correct_;
    }
    if (batch.ids[i] < expected_.size() && expected_[batch.ids[i]] != no_label) {
      ++compared_;
      if (expected_[batch.ids[i]] == predictions[i]) ++agreeing_;
    }
  }
}

void Recorder::keep(SampleId id, Label prediction) {
  if (id >= most_predictions) return;
  if (id >= predictions_.size()) predictions_.resize(id + 1, no_label);
  predictions_[id] = prediction;
}

void Recorder::count_once(const Announced& batch) {
  if (counted_.insert(batch.id)) return;
  ++batches_.double_counted;
  samples_.double_counted += batch.ids.size();
}

void Recorder::failed(const Announced& batch, Time at) {
  count_once(batch);
  ++batches_.failed;
  samples_.failed += batch.ids.size();
  last_ = std::max(last_, at);
}

void Recorder::tried(const std::string& worker, std::uint32_t attempt) {
  if (attempt < 2) return;
  retries_ += attempt - 1;
  if (const auto served = workers_.find(worker); served != workers_.end()) ++served->second.retried;
}

void Recorder::duplicate(std::size_t samples, bool differs) {
  ++batches_.duplicates_discarded;
  samples_.duplicates_discarded += samples;
  if (differs) ++differing_;
}

void Recorder::usage(Role role, const std::string& name, const Usage& message) {
  Resources& r = resources_[{role, name}];
  if (!message.host.empty()) {
    r.host = message.host;
    r.detail = message.detail;
  }
  if (!message.options.empty()) r.options = message.options;
  const ResourceUsage& now = message.usage;
  const std::optional<ResourceUsage> before = std::exchange(r.last, now);
  r.recent_cpu = r.recent_span = {};
  if (before && now.at > before->at && now.cpu >= before->cpu) {
    r.recent_cpu = now.cpu - before->cpu;
    r.recent_span = now.at - before->at;
  }
  if (t0_ == Time{} || now.at < from_) return;  // warming up, or waiting for the others
  const double anonymous = static_cast<double>(now.anonymous_bytes) / mb;
  if (r.readings++ == 0) r.anonymous_mb.first = anonymous;
  r.anonymous_mb.last = anonymous;
  r.anonymous_mb.peak = std::max(r.anonymous_mb.peak, anonymous);
  const double rss = static_cast<double>(now.rss_bytes) / mb;
  r.rss_sum += rss;
  r.rss_peak = std::max({r.rss_peak, rss, static_cast<double>(now.peak_rss_bytes) / mb});
  // A process of the same name that began anew has used less than the one before it.
  if (!before || before->at < from_ - longest_reach || now.at <= before->at || now.cpu < before->cpu) return;
  const double cpu = to_seconds(now.cpu - before->cpu), span = to_seconds(now.at - before->at);
  r.cpu_s += cpu;
  r.span_s += span;
  r.cpu_max = std::max(r.cpu_max, 100 * cpu / span);
}

void Recorder::lost_worker(const std::string& name) { workers_[name].lost = true; }

void Recorder::found_worker(const std::string& name) {
  if (const auto found = workers_.find(name); found != workers_.end()) found->second.lost = false;
}

void Recorder::event(Time at, std::string what) {
  if (events_.size() >= most_events) return;
  events_.push_back({t0_ == Time{} ? 0 : to_seconds(at - t0_), std::move(what)});
}

void Recorder::clock_bound(Duration bound) { clock_bound_ = std::max(clock_bound_, bound); }

std::optional<double> Recorder::p99_ms() const {
  if (!supported(0.99, measured_.batches)) return std::nullopt;
  return static_cast<double>(measured_.latency.percentile(0.99)) / 1e6;
}

}  // namespace dp
