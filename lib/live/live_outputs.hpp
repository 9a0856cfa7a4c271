// What dp-collect tells while a run lasts: published snapshots and metrics, both, either or neither.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "live/local_runs.hpp"
#include "live/metrics_server.hpp"
#include "wire/publisher.hpp"

namespace dp {

/// What --live says for a place where dp-top finds the run by itself.
inline constexpr const char* local_run = "auto";

/// Where they go, as given; "" is nowhere.
struct LiveOptions {
  std::string live;     ///< tcp:// or ipc:// endpoint, or `local_run`
  std::string metrics;  ///< HOST:PORT
};

class LiveOutputs {
 public:
  /// `local_run` is done without, with a warning, if it cannot be; it needs no keys. Throws Error.
  LiveOutputs(const LiveOptions& wanted, const std::optional<Security>& security);

  /// Somebody may look on; otherwise nothing was opened.
  bool any() const { return publisher_ || metrics_; }
  void publish(Session from, Snapshot snapshot);
  /// For the READY line: " live=… metrics=…", as bound.
  std::string ready() const;

 private:
  std::optional<LocalRun> place_;
  std::optional<Publisher> publisher_;
  std::optional<MetricsServer> metrics_;
  std::uint64_t number_ = 0;
};

}  // namespace dp
