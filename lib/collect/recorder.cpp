// Taking figures as they come; recorder_report.cpp makes the report of them.
// SPDX-License-Identifier: MIT
#include "collect/recorder.hpp"

#include <algorithm>
#include <utility>

namespace dp {
namespace {

constexpr std::size_t longest_series = 100'000;  ///< seconds
constexpr std::size_t most_events = 1000;
constexpr double mb = 1e6;
constexpr SampleId most_predictions = 1 << 26;                      ///< ids beyond are not kept
constexpr Duration longest_reach = std::chrono::milliseconds(500);  ///< of an interval that begins before t0

}  // namespace

void Recorder::Trend::add(double at, double value) {
  n += 1;
  x += at;
  y += value;
  xx += at * at;
  xy += at * value;
  last = std::max(last, at);
}

double Recorder::Trend::slope() const {
  const double spread = n * xx - x * x;
  return spread > 0 ? (n * xy - x * y) / spread : 0;
}

void Recorder::begin(const Run& run, Time t0) {
  run_ = run;
  t0_ = last_ = t0;
}

Recorder::Second& Recorder::second(Time at) {
  const auto index = std::clamp<std::int64_t>((at - t0_) / std::chrono::seconds(1), 0, longest_series - 1);
  if (static_cast<std::size_t>(index) >= seconds_.size())
    seconds_.resize(static_cast<std::size_t>(index) + 1);
  return seconds_[static_cast<std::size_t>(index)];
}

void Recorder::announced(const Announced& batch) {
  const std::uint64_t n = batch.ids.size();
  if (batches_.announced++ == 0) {
    first_released_ = batch.released;
    first_count_ = n;
  }
  samples_.announced += n;
  last_released_ = std::max(last_released_, batch.released);
  last_scheduled_ = std::max(last_scheduled_, batch.scheduled);
  lateness_.record((batch.released - batch.scheduled).count());
  if (batch.arrivals.empty()) second(batch.released).offered += n;
  for (const Time arrival : batch.arrivals) ++second(arrival).offered;
}

void Recorder::completed(const Announced& batch, const Stations& at, const std::string& worker,
                         const std::vector<Label>& predictions) {
  const std::uint64_t n = batch.ids.size();
  count_once(batch);
  ++batches_.completed;
  samples_.completed += n;
  last_ = std::max(last_, at.collected);
  for (std::size_t i = 0; i < n; ++i) {
    const Time arrival = batch.arrivals.empty() ? batch.released : batch.arrivals[i];
    sample_latency_.record((at.collected - arrival).count());
    if (batch.labels[i] != no_label) {
      ++labelled_;
      if (batch.labels[i] == predictions[i]) ++correct_;
    }
    if (keep_predictions_) keep(batch.ids[i], predictions[i]);
    if (batch.ids[i] < expected_.size()) {
      ++compared_;
      if (expected_[batch.ids[i]] == predictions[i]) ++agreeing_;
    }
  }
  const Duration latency = at.collected - batch.scheduled;
  batch_latency_.record(latency.count());
  const double due = to_seconds(batch.scheduled - t0_);
  trend_.add(due, to_seconds(latency));
  if (run_.rate > 0 && due >= 0.9 * static_cast<double>(run_.samples) / run_.rate)
    tail_.record(latency.count());
  const Duration stages[] = {batch.released - batch.scheduled,      at.outbound.sent - batch.released,
                             at.outbound.routed - at.outbound.sent, at.worker.started - at.outbound.routed,
                             at.worker.done - at.worker.started,    at.collected - at.worker.done};
  for (std::size_t i = 0; i < std::size(stages); ++i) stages_[i].record(stages[i].count());
  service_.record((at.worker.done - at.worker.started).count());
  Second& bucket = second(at.collected);
  bucket.completed += n;
  bucket.latency.record(latency.count());
  Served& served = workers_[worker];
  ++served.batches;
  served.samples += n;
  served.busy += at.worker.done - at.worker.started;
  held_.take(worker, batch.ids);
}

void Recorder::keep(SampleId id, Label prediction) {
  if (id >= most_predictions) return;
  if (id >= predictions_.size()) predictions_.resize(id + 1, no_prediction);
  predictions_[id] = static_cast<std::uint8_t>(std::min<Label>(prediction, no_prediction));
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
    r.options = message.options;
  }
  const ResourceUsage& now = message.usage;
  const std::optional<ResourceUsage> before = std::exchange(r.last, now);
  if (t0_ == Time{} || now.at < t0_) return;  // warming up, or waiting for the others
  const double anonymous = static_cast<double>(now.anonymous_bytes) / mb;
  if (r.readings++ == 0) r.anonymous_mb.first = anonymous;
  r.anonymous_mb.last = anonymous;
  r.anonymous_mb.peak = std::max(r.anonymous_mb.peak, anonymous);
  const double rss = static_cast<double>(now.rss_bytes) / mb;
  r.rss_sum += rss;
  r.rss_peak = std::max({r.rss_peak, rss, static_cast<double>(now.peak_rss_bytes) / mb});
  // A process of the same name that began anew has used less than the one before it.
  if (!before || before->at < t0_ - longest_reach || now.at <= before->at || now.cpu < before->cpu) return;
  r.cpu += now.cpu - before->cpu;
  r.span += now.at - before->at;
  r.cpu_max = std::max(r.cpu_max, 100 * to_seconds(now.cpu - before->cpu) / to_seconds(now.at - before->at));
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

double Recorder::p99_ms() const { return static_cast<double>(batch_latency_.percentile(0.99)) / 1e6; }

}  // namespace dp
