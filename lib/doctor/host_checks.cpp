// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "doctor/checks.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

constexpr double little_memory_mb = 1000;  // two workers with LibTorch and the rest
constexpr double little_disk_mb = 1000;    // CIFAR-10, twice while it is fetched, and a sweep

/// Whether somebody listens there: bound as libzmq binds.
bool taken(std::uint16_t port) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(socket.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
}

}  // namespace

Finding check_ports(const std::vector<std::uint16_t>& ports) {
  std::vector<std::uint16_t> busy;
  for (const std::uint16_t port : ports) {
    if (taken(port)) busy.push_back(port);
  }
  if (busy.empty()) return {Health::ok, "ports", fmt::format("{} are free", fmt::join(ports, ", "))};
  return {Health::warn, "ports", fmt::format("{}: somebody listens there", fmt::join(busy, ", ")),
          "end that run, or give other ports with --bind, --stream-bind, --worker-bind"};
}

Finding check_cores(const HostDescription& host) {
  const std::string found = fmt::format("{:g} of {} usable", host.usable.count(), host.cores);
  if (host.usable.count() >= host.cores) return {Health::ok, "cores", found};
  std::string why = fmt::format("affinity {}", cpu_list_text(host.usable.cpus));
  for (const CpuQuota& quota : host.usable.quotas) why += fmt::format(", a quota of {:g}", quota.cpus);
  return {Health::warn, "cores", fmt::format("{} ({})", found, why),
          fmt::format("give workers no more threads than {:g} in all, or lift what bounds them",
                      std::max(1.0, std::floor(host.usable.count())))};
}

double available_memory_mb() {
  std::ifstream in("/proc/meminfo");
  for (std::string key, unit; in >> key;) {
    double kb = 0;
    if (in >> kb && key == "MemAvailable:") return kb / 1000;
    std::getline(in, unit);
  }
  return 0;
}

Finding check_memory(double available_mb) {
  const std::string found = fmt::format("{:.1f} GB available", available_mb / 1000);
  if (available_mb >= little_memory_mb) return {Health::ok, "memory", found};
  return {Health::warn, "memory", found, "a worker with LibTorch takes about 0.3 GB: use few"};
}

Finding check_disk(const fs::path& folder) {
  std::error_code problem;
  const double mb = static_cast<double>(fs::space(folder, problem).available) / 1e6;
  if (problem) return {Health::fail, "disk", fmt::format("{}: {}", folder.string(), problem.message())};
  const std::string found = fmt::format("{:.1f} GB free in {}", mb / 1000, folder.string());
  if (::access(folder.c_str(), W_OK) != 0)
    return {Health::warn, "disk", fmt::format("{} cannot be written to", folder.string()),
            "work in another folder"};
  if (mb >= little_disk_mb) return {Health::ok, "disk", found};
  return {Health::warn, "disk", found, "reports and data need room"};
}

Finding check_clock(const HostDescription& host, const std::string& clock_source) {
  const std::string found = fmt::format("clock {}, governor {}, load {:.1f} on {} core{}", clock_source,
                                        host.governor.empty() ? "not told" : host.governor, host.load,
                                        host.cores, host.cores == 1 ? "" : "s");
  if (clock_source == "hpet" || clock_source == "acpi_pm" || clock_source == "jiffies")
    return {Health::warn, "host", found,
            "reading this clock is slow: latencies below 0.1 ms are not to be trusted"};
  if (host.governor == "powersave")
    return {Health::warn, "host", found, "the CPU saves power: cpupower frequency-set -g performance"};
  if (host.load > host.cores / 2.0)
    return {Health::warn, "host", found, "others are at work here: figures will suffer"};
  return {Health::ok, "host", found};
}

}  // namespace dp
