// Tells whoever connects how a run goes: a PUB socket with a thread and a ZeroMQ context of its own, so that no reader,
// slow, stopped or hostile, reaches the run. A reader that does not keep up misses snapshots.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "wire/curve.hpp"

namespace dp {

/// Of a published frame; what is larger is not sent, and not taken.
inline constexpr std::size_t max_snapshot_bytes = std::size_t{4} << 20;

class Publisher {
 public:
  /// Binds (port 0: any free one). With keys only their owners in the role `top` are let in, and it has been shown that
  /// unauthenticated peers are refused. Throws Error.
  Publisher(const std::string& endpoint, std::optional<Security> security);
  /// The last snapshot has a tenth of a second to leave.
  ~Publisher();

  /// As bound.
  const std::string& endpoint() const;
  /// Takes the place of a snapshot that was not sent yet; returns at once.
  void publish(Session from, Snapshot snapshot);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dp
