// The flags every networked tool has, declared and read in one place.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/options.hpp"
#include "wire/curve.hpp"
#include "wire/link.hpp"

namespace dp {

/// --insecure, --key and, for a tool that dials, --server-key, for one that binds, --allow.
void add_key_options(Options& options, Role role);
/// --heartbeat and --wait; the above.
void add_link_options(Options& options, Role role);
LinkTiming link_timing(const Options& options);

/// The keys to speak with; nothing when none were given. Throws UsageError when some are missing, Error when a file is
/// not as it should be.
std::optional<Security> security_option(const Options& options, Role role);

/// The endpoint given for `--name`, checked. Throws UsageError, and Error when its host does not resolve.
std::string endpoint_option(const Options& options, const std::string& name);

/// Name, value, name, value, … of these options, for the run's record; also `command_line` and `toml`, the tool's
/// section of a configuration file that repeats the run.
std::vector<std::string> record_of(const Options& options, const std::vector<std::string>& names);

}  // namespace dp
