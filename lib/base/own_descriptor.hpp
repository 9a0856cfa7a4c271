// Paths that stand for what is open in this process already.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

namespace dp {

/// The descriptor that a link in /proc/self/fd, such as where /dev/stdout leads, stands for; -1: none.
int own_descriptor(const std::filesystem::path& link);

}  // namespace dp
