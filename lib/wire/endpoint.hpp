// ZeroMQ endpoints as given on the command line.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace dp {

/// Refuses what is not `tcp://HOST:PORT` or `ipc://PATH`, and, unless it `may_leave` (with keys, or because the person
/// insists), what is not on this host. `flag` names the option in the message. Throws UsageError.
std::string checked_endpoint(std::string_view flag, std::string endpoint, bool may_leave);

/// `endpoint` with its host as a number, IPv4 where it has one. What has no name to look up (ipc, numbers, `*`, network
/// interfaces) stays as it is. Throws Error when the name does not resolve.
std::string resolved(const std::string& endpoint);
/// Throws Error that names `flag` when the host of its endpoint does not resolve.
void require_resolved(std::string_view flag, const std::string& endpoint);

/// True for ipc and for tcp on the loopback range.
bool stays_on_this_host(std::string_view endpoint);

}  // namespace dp
