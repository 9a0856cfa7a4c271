// What one seed stands for: the pipeline it builds and how badly it is treated. Everything is drawn from the
// seed, so that a seed is all that is needed to repeat a run.
// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>

#include "base/random.hpp"
#include "data/plan.hpp"
#include "wire/link.hpp"

namespace dp::adversary {

struct Scenario {
  explicit Scenario(std::uint64_t seed);

  std::uint64_t seed;
  /// Channels are FIFO within a session and lose a suffix when they break, as TCP does: the run must end.
  /// Otherwise anything may be lost, repeated and reordered, and only safety is asked for.
  bool fifo;
  bool one_host;  ///< all share a clock; otherwise each has its own, which may step

  PlanOptions plan;
  std::uint32_t workers, concurrency;
  std::string strategy;
  PayloadMode payload;
  std::uint64_t buffer, credit;
  std::uint32_t attempts;
  LinkTiming timing;
  Duration lease, lease_cap, service;
  std::set<std::uint64_t> poison;  ///< batches that fail on every worker
  bool poison_for_good;            ///< they are found bad, rather than just failing

  Duration faults_end;
  double fault_rate;    ///< faults a second
  double drop, repeat;  ///< chance of each message, unless FIFO
  Duration longest_delay;

  std::string describe() const;
};

}  // namespace dp::adversary
