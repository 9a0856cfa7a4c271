// The one clock of the toolkit: CLOCK_MONOTONIC in nanoseconds. State machines are given `Time`; only the
// event loop reads it.
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace dp {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline constexpr Time never = Time::max();

inline Time now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }
/// later − earlier, or the farthest there is: a peer may claim any time.
constexpr Duration between(Time earlier, Time later) {
  std::int64_t apart = 0;
  if (!__builtin_sub_overflow(later.time_since_epoch().count(), earlier.time_since_epoch().count(), &apart))
    return Duration(apart);
  return later < earlier ? Duration::min() : Duration::max();
}
constexpr double to_ms(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }
constexpr double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
/// At most 1e9 s (31 years) either way, so that sums of a few cannot overflow; what is no number is the least.
constexpr Duration from_seconds(double s) {
  constexpr double most = 1e9;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s >= most    ? most
                                                                            : s >= -most ? s
                                                                                         : -most));
}

}  // namespace dp
