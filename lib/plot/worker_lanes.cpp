// SPDX-License-Identifier: MIT
#include "plot/worker_lanes.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace dp {
namespace {

constexpr double batches_a_worker = 10;

/// The first lane that is free by then; a new one where none is.
std::size_t free_lane(std::vector<double>& busy_until, const BatchTime& batch) {
  const auto free = std::find_if(busy_until.begin(), busy_until.end(),
                                 [&](double until) { return until <= batch.routed_ms; });
  const auto lane = static_cast<std::size_t>(free - busy_until.begin());
  if (free == busy_until.end()) busy_until.push_back(0);
  busy_until[lane] = batch.collected_ms;
  return lane;
}

}  // namespace

std::vector<std::string> workers_of(const RunReport& report) {
  std::set<std::pair<std::size_t, std::string>> ordered;
  for (const WorkerReport& worker : report.workers) ordered.emplace(worker.name.size(), worker.name);
  std::vector<std::string> workers;
  for (const auto& [length, name] : ordered) workers.push_back(name);
  return workers;
}

TimeWindow middle_of(const BatchTimes& times, std::size_t workers) {
  const double first = times.batches.front().routed_ms;
  double last = first;
  for (const BatchTime& batch : times.batches) last = std::max(last, batch.collected_ms);
  const auto batches = static_cast<double>(times.batches.size());
  const double length = (last - first) * batches_a_worker * static_cast<double>(workers) / batches;
  if (length >= last - first) return {first, last};
  const double middle = times.batches[times.batches.size() / 2].started_ms;
  const double from = std::clamp(middle - length / 2, first, last - length);
  return {from, from + length};
}

std::vector<LaneBatch> lanes_of(const BatchTimes& times, const TimeWindow& window) {
  std::map<std::string, std::vector<double>> busy_until;
  std::vector<LaneBatch> lanes;
  for (const BatchTime& batch : times.batches) {
    if (batch.collected_ms <= window.from_ms || batch.routed_ms >= window.until_ms) continue;
    lanes.push_back({batch, free_lane(busy_until[batch.worker], batch)});
  }
  return lanes;
}

}  // namespace dp
