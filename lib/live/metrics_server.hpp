// Prometheus' way in: answers GET /metrics over plain HTTP, by libmicrohttpd, on a thread of its own with few
// connections in bounded memory, so that no client, slow or hostile, reaches the run.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "wire/snapshot.hpp"

namespace dp {

/// Refuses what is not HOST:PORT and, unless the person insists, what is not on this host. Throws UsageError.
std::string checked_metrics_address(const std::string& address, bool insecure);

class MetricsServer {
 public:
  /// Binds HOST:PORT, port 0 any free one. Throws Error.
  explicit MetricsServer(const std::string& address);
  ~MetricsServer();

  /// http://HOST:PORT/metrics, as bound.
  const std::string& url() const;
  /// What is told from here on.
  void update(Snapshot snapshot);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dp
