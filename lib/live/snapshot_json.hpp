// A snapshot as one line of JSON, for scripts.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "wire/snapshot.hpp"

namespace dp {

/// One line (schema "dp.live/1"), newline included; what is not known is null. FORMAT.md lists the keys.
std::string snapshot_json(const Snapshot& snapshot);

}  // namespace dp
