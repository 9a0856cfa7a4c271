// A run as dp-collect sees it at one moment, published for whoever looks on. Made of counts and times that are
// measured; rates, shares and percentages are for the reader to make of them.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace dp {

/// `stopped`: interrupted or given up, so that it never becomes done.
enum class RunState : std::uint8_t { waiting, running, done, stopped };
enum class PeerPresence : std::uint8_t { connected, lost, left };

/// Latency of batches, from their schedule to the ledger; the times mean nothing without batches.
struct SnapshotLatency {
  std::uint64_t batches = 0;
  Duration p50{}, p95{}, p99{};
  bool operator==(const SnapshotLatency&) const = default;
};

/// Mean time of a batch in each stage.
struct SnapshotStages {
  Duration generator{}, admission{}, router{}, queue{}, compute{}, back{};
  bool operator==(const SnapshotStages&) const = default;
};

/// `recent` is the last few seconds. Columns have a row for each process that reported or served something.
struct Snapshot {
  std::uint64_t number = 0;  ///< of those this process made, from 1
  RunId run{};
  RunState state{};
  std::string strategy;  ///< "" until dp-route tells
  Duration elapsed{};    ///< since t0; 0 before
  double requested = 0;  ///< samples/s; 0: no schedule
  // Samples:
  std::uint64_t planned = 0, announced = 0, completed = 0, failed = 0, duplicates = 0;
  std::uint64_t retries = 0;                               ///< attempts beyond the first, of settled batches
  std::uint64_t waiting_batches = 0, waiting_samples = 0;  ///< announced and not settled
  Duration recent_window{};                                ///< how much time `recent` is
  std::uint64_t recent_offered = 0, recent_completed = 0;  ///< samples
  SnapshotLatency recent, whole;                             ///< `whole`: without the warm-up
  SnapshotStages stages;                                     ///< of recent batches
  Duration latency_sum{};                                  ///< of the batches in `whole`
  std::uint64_t unlisted = 0;                              ///< processes that have no row: too many

  std::vector<std::uint8_t> roles;  ///< Role
  std::vector<std::string> names, hosts;
  std::vector<std::uint8_t> states;  ///< PeerPresence
  std::vector<std::uint64_t> samples, batches;
  std::vector<std::uint64_t> retried;  ///< batches it served that had been tried before
  std::vector<std::uint64_t> recent_samples;
  std::vector<Duration> busy, recent_busy;        ///< computing
  std::vector<Duration> cpu;                      ///< used since the process began
  std::vector<Duration> recent_cpu, recent_span;  ///< used between its last two readings; span 0: not known
  std::vector<std::uint64_t> rss_bytes;           ///< 0: not known
  std::vector<Duration> unheard;                  ///< since it was last heard
  std::vector<Duration> latency_bounds;           ///< upper ends
  std::vector<std::uint64_t> latency_counts;      ///< of the batches in `whole` not above
  std::vector<std::string> warnings;              ///< what makes the run invalid as things stand, in words

  auto header() {
    return std::tie(number, run, state, strategy, elapsed, requested, planned, announced, completed, failed,
                    duplicates, retries, waiting_batches, waiting_samples, recent_window, recent_offered,
                    recent_completed, recent.batches, recent.p50, recent.p95, recent.p99, whole.batches,
                    whole.p50, whole.p95, whole.p99, stages.generator, stages.admission, stages.router,
                    stages.queue, stages.compute, stages.back, latency_sum, unlisted);
  }
  auto arrays() {
    return std::tie(roles, names, hosts, states, samples, batches, retried, recent_samples, busy, recent_busy,
                    cpu, recent_cpu, recent_span, rss_bytes, unheard, latency_bounds, latency_counts,
                    warnings);
  }
};

}  // namespace dp
