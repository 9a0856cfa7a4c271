// What machine this is, for the record of a run.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/usable_cores.hpp"

namespace dp {

struct HostDescription {
  std::string cpu, isa, kernel, governor;  ///< governor "": not told
  unsigned cores = 0;
  UsableCores usable;  ///< by this process
  double memory_mb = 0;
  double load = 0;  ///< one-minute load average
};

HostDescription describe_host();

/// Now, as 2026-01-31T12:00:00Z.
std::string utc_now();

}  // namespace dp
