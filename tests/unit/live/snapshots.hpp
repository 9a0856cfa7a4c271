// Snapshots made by hand.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <fmt/format.h>

#include "wire/message.hpp"

namespace dp {

constexpr Duration ms(double n) { return from_seconds(n / 1000); }

/// Adds a process with 200 MB and half a core.
inline void add_process(Snapshot& s, Role role, const std::string& name, std::uint64_t samples = 0) {
  s.roles.push_back(static_cast<std::uint8_t>(role));
  s.names.push_back(name);
  s.hosts.push_back("node1");
  s.states.push_back(static_cast<std::uint8_t>(PeerPresence::connected));
  s.samples.push_back(samples);
  s.batches.push_back(samples / 10);
  s.retried.push_back(0);
  s.recent_samples.push_back(samples / 2);
  s.busy.push_back(ms(2) * static_cast<std::int64_t>(samples));
  s.recent_busy.push_back({});
  s.cpu.push_back(std::chrono::seconds(3));
  s.recent_cpu.push_back(ms(250));
  s.recent_span.push_back(ms(500));
  s.rss_bytes.push_back(200'000'000);
  s.unheard.push_back(ms(400));
}

/// A run of 10,000 samples after ten seconds, a tenth done, with dp-stream, dp-route and so many workers.
inline Snapshot running(std::size_t workers) {
  Snapshot s;
  s.run = RunId{0xABCD};
  s.state = RunState::running;
  s.strategy = std::string("dynamic");
  s.elapsed = std::chrono::seconds(10);
  s.requested = 100;
  s.planned = 10'000;
  s.announced = 1020;
  s.completed = 1000;
  s.waiting_batches = 2;
  s.waiting_samples = 20;
  s.recent_window = std::chrono::seconds(5);
  s.recent_offered = 500;
  s.recent_completed = 490;
  s.recent = {49, ms(20), ms(30), ms(40)};
  s.whole = {700, ms(21), ms(31), ms(41)};
  add_process(s, Role::stream, "stream");
  add_process(s, Role::route, "route");
  for (std::size_t i = 0; i < workers; ++i) add_process(s, Role::infer, fmt::format("w{}", i), 10 * (i + 1));
  return s;
}

}  // namespace dp
