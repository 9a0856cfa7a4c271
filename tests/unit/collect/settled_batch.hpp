// A settled batch made by hand, for the tests of --events and --trace.
// SPDX-License-Identifier: MIT
#pragma once

#include "collect/observer.hpp"

namespace dp {

inline constexpr RunId some_run{0xAB};
inline constexpr Time t0{std::chrono::hours(1)};
constexpr Duration us(std::int64_t n) { return std::chrono::microseconds(n); }

/// Scheduled `at` after t0; from there 1, 2, 3, … ms to each station: 28 ms in all, 6 of them computing.
inline SettledBatch settled_batch(std::uint64_t id, Duration at, std::string worker = "w0") {
  SettledBatch b;
  b.id = BatchId{id};
  b.samples = 2;
  b.attempt = 1;
  b.worker = std::move(worker);
  const Time due = t0 + at;
  b.outbound = {due, due + us(1000), due + us(3000), due + us(6000)};
  b.at_worker = {due + us(10'000), due + us(15'000), due + us(21'000)};
  b.collected = due + us(28'000);
  return b;
}

inline SettledBatch failed_batch(std::uint64_t id, Duration at, std::string why) {
  SettledBatch b = settled_batch(id, at, "");
  b.failed = true;
  b.attempt = 3;
  b.why = std::move(why);
  b.outbound.sent = b.outbound.routed = {};
  b.at_worker = {};
  return b;
}

}  // namespace dp
