// Over how long the samples of a snapshot came: what its counts are divided by.
// SPDX-License-Identifier: MIT
#pragma once

#include "wire/snapshot.hpp"

namespace dp {

/// `window` is recent_window or elapsed. The first sample of a schedule is due at t0 and stands for an interval of its
/// own; without that, a window that begins there would show a higher rate than was offered.
inline Duration rate_span(const Snapshot& s, Duration window) {
  constexpr double lowest_rate = 1e-3;
  const bool from_t0 = window >= s.elapsed;
  if (window <= Duration{} || !from_t0 || s.requested < lowest_rate) return window;
  return window + from_seconds(1 / s.requested);
}

}  // namespace dp
