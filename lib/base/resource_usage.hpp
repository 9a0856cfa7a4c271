// What one process has used so far.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace dp {

/// Between two readings.
inline constexpr Duration usage_interval = std::chrono::milliseconds(500);

struct ResourceUsage {
  Time at{};                          ///< when it was read
  Duration cpu{};                     ///< user + system time since the process started
  std::uint64_t rss_bytes = 0;        ///< resident set
  std::uint64_t anonymous_bytes = 0;  ///< its anonymous part
  std::uint64_t peak_rss_bytes = 0;   ///< highest resident set so far
  bool operator==(const ResourceUsage&) const = default;
};

}  // namespace dp
