// A snapshot as Prometheus reads it: text exposition format 0.0.4.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "wire/snapshot.hpp"

namespace dp {

/// Every metric with its HELP and TYPE; base units, seconds and bytes. `version`: of the toolkit.
std::string metrics_text(const Snapshot& snapshot, const std::string& version);

inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace dp
