// Whether the measured part of a run was one state of the system: deviation and slope of completed rate,
// latency and queue over its seconds. Wide tolerances, and only what noise cannot explain counts: a shared
// machine must not make a run INVALID by chance.
// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "report/run_report.hpp"

namespace dp {

/// Fewer whole seconds than this are not judged.
constexpr std::uint32_t steady_seconds = 10;
/// What the fitted lines may change over the measured part, as fractions: of the mean completed rate,
constexpr double steady_completed = 0.25;
/// of the mean latency,
constexpr double steady_latency = 1.0;
/// and, of the queue, of the samples completed meanwhile.
constexpr double steady_queue = 0.05;

/// Of the rows that lie within [from_s, until_s), all of one length. Without a schedule latency and queue follow from credit and
/// buffers, and the completed rate alone is judged.
SteadyState steady_state_of(std::span<const SecondOfRun> series, double from_s, double until_s,
                            bool scheduled);

/// `state.steady` as a verdict; only where that is known.
Verdict steady_verdict(const SteadyState& state, bool scheduled);

}  // namespace dp
