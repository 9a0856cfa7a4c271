// What this process has used so far, by libproc2.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "base/resource_usage.hpp"

namespace dp {

/// Reads the own process's figures; used from one thread. A read takes some tens of microseconds.
class ProcessUsage {
 public:
  /// Throws Error if libproc2 cannot read /proc.
  ProcessUsage();
  ~ProcessUsage();
  /// CPU time comes in clock ticks (10 ms on Linux). Throws Error.
  ResourceUsage read();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dp
