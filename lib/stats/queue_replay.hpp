// A queue fed with given arrivals and service times: what first come, first served makes of the very draws of
// a run. Beside a closed form it says how far those draws stray from their expectation.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dp {

/// Each job's time in system when it is served by whichever of `servers` is free first (Kiefer and
/// Wolfowitz's recursion); arrivals ascend and `services` has as many entries.
std::vector<double> replay_shared_queue(std::span<const double> arrivals, std::span<const double> services,
                                        std::uint32_t servers);

/// The same when job i is served by server i mod `servers` (Lindley's recursion for each).
std::vector<double> replay_round_robin(std::span<const double> arrivals, std::span<const double> services,
                                       std::uint32_t servers);

}  // namespace dp
