// Whether the threads of the workers on one machine, in however many containers, have a core each.
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "base/usable_cores.hpp"

namespace dp {

/// Threads that compute at the same time, and where they may do so.
struct CoreClaim {
  std::uint64_t threads = 0;
  UsableCores cores;
};

/// More threads than cores among those that may compute on the same cores only, on cores that overlap, or in one control
/// group.
bool oversubscribed(const std::vector<CoreClaim>& of_one_machine);

}  // namespace dp
