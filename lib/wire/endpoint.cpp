// SPDX-License-Identifier: MIT
#include "wire/endpoint.hpp"

#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>

#include <memory>

#include "base/options.hpp"

namespace dp {
namespace {

/// As a number, an IPv6 one in brackets. Throws Error.
std::string number_of(const std::string& host) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (const int problem = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); problem != 0)
    throw Error("the host '{}' does not resolve ({}): give its address, or a name that this host knows", host,
                ::gai_strerror(problem));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
  const addrinfo* chosen = found;
  while (chosen && chosen->ai_family != AF_INET) chosen = chosen->ai_next;
  if (!chosen) chosen = found;
  char text[NI_MAXHOST] = {};
  if (::getnameinfo(chosen->ai_addr, chosen->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0)
    throw Error("the host '{}' has an address that cannot be written", host);
  return chosen->ai_family == AF_INET6 ? fmt::format("[{}]", text) : text;
}

}  // namespace

std::string resolved(const std::string& endpoint) {
  if (!endpoint.starts_with("tcp://")) return endpoint;
  const auto colon = endpoint.rfind(':');
  const std::string host = endpoint.substr(6, colon - 6);
  // ZeroMQ's own: any address, an interface, SOURCE;DESTINATION.
  if (host == "*" || host.find(';') != std::string::npos || ::if_nametoindex(host.c_str()) != 0) return endpoint;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  return fmt::format("tcp://{}{}", number_of(bracketed ? host.substr(1, host.size() - 2) : host),
                     endpoint.substr(colon));
}

void require_resolved(std::string_view flag, const std::string& endpoint) {
  try {
    resolved(endpoint);
  } catch (const Error& problem) {
    throw Error("{} '{}': {}", flag, endpoint, problem.what());
  }
}

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
