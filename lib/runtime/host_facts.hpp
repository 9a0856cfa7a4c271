// What machine this is, for the record of a run.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace dp {

struct HostDescription {
  std::string cpu, isa, kernel, governor;  ///< governor "": not told
  unsigned cores = 0;
  double memory_mb = 0;
  double load = 0;  ///< one-minute load average
};

HostDescription describe_host();

/// Now, as 2026-01-31T12:00:00Z.
std::string utc_now();

}  // namespace dp
