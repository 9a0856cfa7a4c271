// What queueing theory says of the time in system, in closed form: what a measured pipeline is held against.
// Sources: M/M/c by Erlang's C formula; round robin as E_N/M/1, a special case of GI/M/1 (Kleinrock, Queueing
// Systems I, 3.8 and 6.4). Times are in any one unit; rates are per that unit.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dp {

/// Poisson arrivals at `servers` (at least 1) equal servers with exponential service times.
struct QueueLoad {
  double arrival_rate = 0;  ///< of the whole station
  double mean_service = 0;
  std::uint32_t servers = 1;
  double utilization() const { return arrival_rate * mean_service / servers; }
};

/// Mean time in system of M/M/c: one queue, whichever server is free. Throws Error when utilization ≥ 1.
double shared_queue_mean(const QueueLoad& load);
/// The time in system that the fraction p (0 < p < 1) of M/M/c's jobs does not exceed. Throws as above.
double shared_queue_percentile(const QueueLoad& load, double p);

/// Mean time in system when job i goes to server i mod servers, each with its own queue. Throws as above.
double round_robin_mean(const QueueLoad& load);
/// The same percentile for round robin, whose time in system is exponential. Throws as above.
double round_robin_percentile(const QueueLoad& load, double p);

/// A server with constant arrivals and fixed service that stands still once in the middle of `run`, and
/// catches up.
struct Stall {
  double arrival_rate = 0, service = 0, stall = 0, run = 0;
};

/// The time in system that the fraction p of its jobs does not exceed: it falls from stall + service by
/// (1 − utilization) for each unit of the schedule until the backlog is gone.
double stalled_percentile(const Stall& stall, double p);

}  // namespace dp
