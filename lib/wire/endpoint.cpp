// SPDX-License-Identifier: MIT
#include "wire/endpoint.hpp"

#include "base/options.hpp"

namespace dp {

bool stays_on_this_host(std::string_view endpoint) {
  if (endpoint.starts_with("ipc://")) return true;
  endpoint.remove_prefix(std::string_view("tcp://").size());
  const std::string_view host = endpoint.substr(0, endpoint.rfind(':'));
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string checked_endpoint(std::string_view flag, std::string endpoint, bool may_leave) {
  const bool ipc = endpoint.starts_with("ipc://") && endpoint.size() > 6;
  if (!ipc) {
    const auto colon = endpoint.rfind(':');
    if (!endpoint.starts_with("tcp://") || colon <= 6 || colon == std::string::npos) {
      throw UsageError("{} '{}': give tcp://HOST:PORT or ipc://PATH", flag, endpoint);
    }
    parse_count(std::string(flag) + " port", endpoint.substr(colon + 1), 0, 65535);
  }
  if (!may_leave && !stays_on_this_host(endpoint)) {
    throw UsageError(
        "{} '{}' leaves this host: give keys (dp-keygen makes them, and its --help says which goes where), "
        "or "
        "--insecure to let anybody read, and speak",
        flag, endpoint);
  }
  return endpoint;
}

}  // namespace dp
