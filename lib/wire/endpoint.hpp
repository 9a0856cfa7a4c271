// ZeroMQ endpoints as given on the command line.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace dp {

/// Refuses what is not `tcp://HOST:PORT` or `ipc://PATH`, and, unless it `may_leave` (with keys, or because the person
/// insists), what is not on this host. `flag` names the option in the message. Throws UsageError.
std::string checked_endpoint(std::string_view flag, std::string endpoint, bool may_leave);

/// True for ipc and for tcp on the loopback range.
bool stays_on_this_host(std::string_view endpoint);

}  // namespace dp
