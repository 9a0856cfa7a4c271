// Whether so many independent observations can support a percentile at all, and an upper bound for it, at 99
// % confidence: MLPerf Inference's early-stopping criterion with tolerance 0.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

namespace dp {

/// The fewest observations with which `over` of them above the percentile p (0 < p < 1) are consistent with
/// it.
std::uint64_t samples_needed(double p, std::uint64_t over);

/// Enough observations to state percentile p: n ≥ samples_needed(p, 1).
bool supported(double p, std::uint64_t n);

/// k such that the k-th largest of n observations bounds percentile p from above; nothing when n is too
/// small.
std::optional<std::uint64_t> upper_bound_from_top(double p, std::uint64_t n);

}  // namespace dp
