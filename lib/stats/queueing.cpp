// SPDX-License-Identifier: MIT
#include "stats/queueing.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace dp {
namespace {

constexpr int most_steps = 10'000;
constexpr double precision = 1e-13;  ///< relative

void need_stable(const QueueLoad& load) {
  if (load.servers < 1 || !(load.utilization() > 0 && load.utilization() < 1)) {
    throw Error("utilization {:.3f} with {} servers has no steady state: give a load above 0 and below 1",
                load.servers < 1 ? 0 : load.utilization(), load.servers);
  }
}

/// Probability that a job of M/M/c waits, by the recursion of Erlang's B formula.
double erlang_c(const QueueLoad& load) {
  const double offered = load.arrival_rate * load.mean_service;
  double blocked = 1;
  for (std::uint32_t c = 1; c <= load.servers; ++c) blocked = offered * blocked / (c + offered * blocked);
  return blocked / (1 - load.utilization() * (1 - blocked));
}

/// P(time in system > t) of M/M/c: an exponential wait with probability erlang_c, then the service.
double shared_queue_tail(const QueueLoad& load, double t) {
  const double waits = erlang_c(load), mu = 1 / load.mean_service;
  const double drain = load.servers * mu - load.arrival_rate;
  const double served = std::exp(-mu * t);
  // Wait and service of equal rates add up to an Erlang time: the limit of the other case.
  if (std::abs(drain - mu) < 1e-9 * mu) return (1 - waits) * served + waits * (1 + mu * t) * served;
  return (1 - waits) * served + waits * (drain * served - mu * std::exp(-drain * t)) / (drain - mu);
}

/// s = (Nρ / (Nρ + 1 − s))^N below 1: the probability that a job finds its server busy.
double round_robin_root(const QueueLoad& load) {
  const double n = load.servers, rate = n * load.utilization();
  double s = 0;
  for (int i = 0; i < most_steps; ++i) {
    const double next = std::pow(rate / (rate + 1 - s), n);
    if (std::abs(next - s) < precision) return next;
    s = next;
  }
  return s;
}

}  // namespace

double shared_queue_mean(const QueueLoad& load) {
  need_stable(load);
  return load.mean_service * (1 + erlang_c(load) / (load.servers * (1 - load.utilization())));
}

double shared_queue_percentile(const QueueLoad& load, double p) {
  need_stable(load);
  double low = 0, high = load.mean_service;
  while (shared_queue_tail(load, high) > 1 - p) high *= 2;
  while (high - low > precision * high) {
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    (shared_queue_tail(load, middle) > 1 - p ? low : high) = middle;
  }
  return high;
}

double round_robin_mean(const QueueLoad& load) {
  need_stable(load);
  return load.mean_service / (1 - round_robin_root(load));
}

double round_robin_percentile(const QueueLoad& load, double p) {
  return -round_robin_mean(load) * std::log1p(-p);
}

double stalled_percentile(const Stall& stall, double p) {
  const double falls = 1 - stall.arrival_rate * stall.service;
  return stall.service + std::max(0.0, stall.stall - (1 - p) * stall.run * falls);
}

}  // namespace dp
