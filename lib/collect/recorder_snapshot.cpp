// What the recorder has taken, as a snapshot of the run under way.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "collect/named_options.hpp"
#include "collect/recorder.hpp"

namespace dp {
namespace {

constexpr double bounds_ms[] = {1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10'000, 30'000};

SnapshotLatency summary_of(const Histogram& ns) {
  return {ns.count(), Duration(ns.percentile(0.5)), Duration(ns.percentile(0.95)),
          Duration(ns.percentile(0.99))};
}

void fill_buckets(const Histogram& ns, Snapshot& snapshot) {
  for (const double ms : bounds_ms) snapshot.latency_bounds.push_back(from_seconds(ms / 1000));
  snapshot.latency_counts.assign(snapshot.latency_bounds.size(), 0);
  ns.for_each_bin([&](std::int64_t lower, std::uint64_t count) {
    for (std::size_t i = 0; i < snapshot.latency_bounds.size(); ++i) {
      if (lower <= snapshot.latency_bounds[i].count()) snapshot.latency_counts[i] += count;
    }
  });
}

}  // namespace

void Recorder::fill_snapshot(Time now, Snapshot& snapshot) const {
  snapshot.announced = samples_.announced;
  snapshot.completed = samples_.completed;
  snapshot.failed = samples_.failed;
  snapshot.duplicates = samples_.duplicates_discarded;
  snapshot.retries = retries_;
  snapshot.requested = run_.rate;
  snapshot.planned = run_.samples;
  snapshot.warnings = warnings();
  snapshot.whole = summary_of(measured_.latency);
  snapshot.latency_sum =
      from_seconds(measured_.latency.mean() * static_cast<double>(measured_.batches) / 1e9);
  fill_buckets(measured_.latency, snapshot);
  if (const auto route = resources_.find({Role::route, "route"}); route != resources_.end())
    snapshot.strategy = option_of(route->second.options, "strategy");
  if (t0_ == Time{} || now <= t0_) return;
  snapshot.elapsed = now - t0_;
  snapshot.recent_window = Recent<Flow>::window(snapshot.elapsed);
  const Flow flow = recent_.sum(snapshot.elapsed);
  snapshot.recent_offered = flow.offered;
  snapshot.recent_completed = flow.completed;
  snapshot.recent = summary_of(flow.latency);
  if (const auto n = static_cast<std::int64_t>(flow.latency.count()))
    snapshot.stages = {flow.stages[0] / n, flow.stages[1] / n, flow.stages[2] / n,
                       flow.stages[3] / n, flow.stages[4] / n, flow.stages[5] / n};
}

void Recorder::fill_process(Role role, const std::string& name, Time now, Snapshot& snapshot) const {
  Resources resources;
  if (const auto found = resources_.find({role, name}); found != resources_.end()) resources = found->second;
  const ResourceUsage last = resources.last.value_or(ResourceUsage{});
  snapshot.hosts.push_back(resources.host);
  snapshot.cpu.push_back(last.cpu);
  snapshot.recent_cpu.push_back(resources.recent_cpu);
  snapshot.recent_span.push_back(resources.recent_span);
  snapshot.rss_bytes.push_back(last.rss_bytes);
  const auto served = role == Role::infer ? workers_.find(name) : workers_.end();
  Work all, recent;
  if (served != workers_.end()) {
    all = served->second.all;
    recent = served->second.recent.sum(between(t0_, now));
  }
  snapshot.samples.push_back(all.samples);
  snapshot.batches.push_back(all.batches);
  snapshot.busy.push_back(all.busy);
  snapshot.recent_samples.push_back(recent.samples);
  snapshot.recent_busy.push_back(recent.busy);
  snapshot.retried.push_back(served != workers_.end() ? served->second.retried : 0);
}

std::set<std::pair<Role, std::string>> Recorder::processes() const {
  std::set<std::pair<Role, std::string>> all;
  for (const auto& [who, resources] : resources_) all.insert(who);
  for (const auto& [name, served] : workers_) all.emplace(Role::infer, name);
  return all;
}

}  // namespace dp
