// SPDX-License-Identifier: MIT
#include "report/steady_state.hpp"

#include <fmt/format.h>

#include <vector>

#include "stats/summary.hpp"
#include "stats/trend.hpp"

namespace dp {
namespace {

/// Of a figure that there is for every so many seconds.
Steadiness steadiness_of(const std::vector<double>& x, double seconds, Series series) {
  Steadiness s;
  if (x.empty()) return s;
  s.mean = mean_of(x);
  if (*s.mean == 0) return s;
  s.deviation = relative_deviation(x);
  const Trend trend = trend_of(x, series);
  if (x.size() > 1) s.slope = trend.slope / *s.mean / seconds;
  if (trend.half_width) s.half_width = *trend.half_width / *s.mean / seconds;
  return s;
}

/// Change over `seconds` that is beyond doubt, as a fraction of the mean.
double certain_change(const Steadiness& s, std::uint32_t seconds) {
  return Trend{s.slope.value_or(0), s.half_width}.certain() * seconds;
}

bool steady_under_schedule(const SteadyState& state) {
  const double per_rate =
      state.completed.mean.value_or(0) > 0 ? state.queue.mean.value_or(0) / *state.completed.mean : 0;
  const bool queue_grows =
      state.queue.slope.value_or(0) > 0 && certain_change(state.queue, 1) * per_rate > steady_queue;
  return !queue_grows && certain_change(state.latency_ms, state.seconds) <= steady_latency;
}

std::string change(const char* what, const Steadiness& s, std::uint32_t seconds) {
  if (!s.slope || !s.half_width) return fmt::format("{} none", what);
  return fmt::format("{} {:+.0f} % ± {:.0f} %", what, 100 * *s.slope * seconds,
                     100 * *s.half_width * seconds);
}

}  // namespace

SteadyState steady_state_of(std::span<const SecondOfRun> series, double from_s, double until_s,
                            bool scheduled) {
  SteadyState state;
  std::vector<double> completed, latency, queue;
  const double apart = series.empty() ? 1 : series.front().seconds;
  for (const SecondOfRun& row : series) {
    if (row.t_s < from_s || row.t_s + row.seconds > until_s) continue;
    state.seconds += row.seconds;
    completed.push_back(static_cast<double>(row.completed) / row.seconds);
    queue.push_back(static_cast<double>(row.queue));
    if (row.p50_ms) latency.push_back(*row.p50_ms);
  }
  state.completed = steadiness_of(completed, apart, Series::independent);
  state.latency_ms = steadiness_of(latency, apart, Series::wandering);
  state.queue = steadiness_of(queue, apart, Series::wandering);
  if (state.seconds >= steady_seconds) {
    state.steady = certain_change(state.completed, state.seconds) <= steady_completed &&
                   (!scheduled || steady_under_schedule(state));
  }
  return state;
}

Verdict steady_verdict(const SteadyState& state, bool scheduled) {
  std::string observed = change("completed rate", state.completed, state.seconds);
  std::string required = fmt::format("completed rate within {:.0f} %", 100 * steady_completed);
  if (scheduled) {
    const double queue = state.queue.mean.value_or(0);
    observed += fmt::format(
        ", {}, queue {:+.1f} ± {:.1f} samples/s", change("latency", state.latency_ms, state.seconds),
        queue * state.queue.slope.value_or(0), queue * state.queue.half_width.value_or(0));
    required += fmt::format(", latency within {:.0f} %, queue growing by at most {:.0f} % of the rate",
                            100 * steady_latency, 100 * steady_queue);
  }
  return {"the measured part is a steady state", fmt::format("change over {} s: {}", state.seconds, observed),
          required + ", as far as noise leaves no doubt (99 %)", state.steady.value_or(true),
          "raise --warmup if series[] settles late; else see what else the machine did, and run again"};
}

}  // namespace dp
