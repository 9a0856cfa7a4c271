// The flags every networked tool has, declared and read in one place.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/options.hpp"
#include "wire/link.hpp"

namespace dp {

/// --heartbeat, --wait and --insecure.
void add_link_options(Options& options);
LinkTiming link_timing(const Options& options);

/// The endpoint given for `--name`, checked.
std::string endpoint_option(const Options& options, const std::string& name);

/// Name, value, name, value, … of these options, and the command line, for the run's record.
std::vector<std::string> record_of(const Options& options, const std::vector<std::string>& names);

}  // namespace dp
