// Which cores this process may really use: its affinity, and the quotas of its control groups (v2 and v1).
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/usable_cores.hpp"

namespace dp {

UsableCores usable_cores();

/// Quotas from a process's own group up to the topmost it can see. `groups` and `mounts` are the text of its
/// /proc/PID/cgroup and /proc/PID/mountinfo; files are looked up below `root`.
std::vector<CpuQuota> cpu_quotas(std::string_view groups, std::string_view mounts,
                                 const std::filesystem::path& root);

}  // namespace dp
