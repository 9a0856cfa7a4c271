// SPDX-License-Identifier: MIT
#include "live/metrics_server.hpp"

#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>

#include <mutex>
#include <string_view>

#include "base/error.hpp"
#include "base/options.hpp"
#include "base/version.hpp"
#include "base/without_signals.hpp"
#include "live/metrics_text.hpp"
#include "wire/endpoint.hpp"

namespace dp {
namespace {

constexpr unsigned most_connections = 16;
constexpr std::size_t most_memory = 32 << 10;  ///< of a connection; the answer comes on top
constexpr unsigned idle_s = 5;

/// HOST and PORT; an IPv6 host in brackets.
std::pair<std::string, std::string> parts_of(const std::string& address) {
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1)};
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses resolve(const std::string& address) {
  const auto [host, port] = parts_of(address);
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  const int problem = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (problem != 0) throw Error("--metrics {}: {}", address, ::gai_strerror(problem));
  return {found, &::freeaddrinfo};
}

MHD_Result answer(MHD_Connection* to, unsigned status, std::string text, const char* type) {
  MHD_Response* response = ::MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY);
  if (!response) return MHD_NO;
  ::MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
    ::MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  const MHD_Result result = ::MHD_queue_response(to, status, response);
  ::MHD_destroy_response(response);
  return result;
}

}  // namespace

struct MetricsServer::Impl {
  std::mutex mutex;
  std::shared_ptr<const Snapshot> latest = std::make_shared<Snapshot>();
  MHD_Daemon* daemon = nullptr;
  std::string url;

  std::string text() {
    std::shared_ptr<const Snapshot> snapshot;
    {
      const std::scoped_lock lock(mutex);
      snapshot = latest;
    }
    return metrics_text(*snapshot, version);
  }

  /// Answers before a request's body, so that none is ever read.
  static MHD_Result serve(void* self, MHD_Connection* from, const char* path, const char* method, const char*,
                          const char*, std::size_t*, void**) {
    try {
      const std::string_view wanted(path), how(method);
      if (how != "GET" && how != "HEAD")
        return answer(from, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n", "text/plain");
      if (wanted == "/metrics")
        return answer(from, MHD_HTTP_OK, static_cast<Impl*>(self)->text(), metrics_content_type);
      return answer(from, wanted == "/" ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, "dp-collect: see /metrics\n",
                    "text/plain");
    } catch (const std::exception&) {  // out of memory: the connection is closed
      return MHD_NO;
    }
  }
};

std::string checked_metrics_address(const std::string& address, bool insecure) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || address.find('/') != std::string::npos)
    throw UsageError("--metrics '{}': give HOST:PORT, such as 127.0.0.1:9464", address);
  parse_count("--metrics port", address.substr(colon + 1), 0, 65535);
  if (!insecure && !stays_on_this_host("tcp://" + address))
    throw UsageError(
        "--metrics '{}' leaves this host, and HTTP here knows no keys: give 127.0.0.1, or --insecure to let "
        "anybody read",
        address);
  return address;
}

MetricsServer::MetricsServer(const std::string& address) : impl_(std::make_unique<Impl>()) {
  const Addresses at = resolve(address);
  const WithoutSignals quiet;
  const unsigned flags =
      MHD_USE_AUTO_INTERNAL_THREAD | (at->ai_family == AF_INET6 ? unsigned{MHD_USE_IPv6} : 0U);
  impl_->daemon = ::MHD_start_daemon(flags, 0, nullptr, nullptr, &Impl::serve, impl_.get(),
                                     MHD_OPTION_SOCK_ADDR, at->ai_addr, MHD_OPTION_CONNECTION_LIMIT,
                                     most_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, most_memory,
                                     MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_END);
  if (!impl_->daemon)
    throw Error("--metrics {}: cannot be bound (another run may be using it; port 0 picks a free one)",
                address);
  const MHD_DaemonInfo* info = ::MHD_get_daemon_info(impl_->daemon, MHD_DAEMON_INFO_BIND_PORT);
  impl_->url =
      fmt::format("http://{}:{}/metrics", address.substr(0, address.rfind(':')), info ? info->port : 0);
}

MetricsServer::~MetricsServer() {
  if (impl_->daemon) ::MHD_stop_daemon(impl_->daemon);
}

const std::string& MetricsServer::url() const { return impl_->url; }

void MetricsServer::update(Snapshot snapshot) {
  auto next = std::make_shared<const Snapshot>(std::move(snapshot));
  const std::scoped_lock lock(impl_->mutex);
  impl_->latest = std::move(next);
}

}  // namespace dp
