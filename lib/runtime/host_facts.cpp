// SPDX-License-Identifier: MIT
#include "runtime/host_facts.hpp"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string_view>

#include "runtime/host_cores.hpp"

namespace dp {
namespace {

std::string first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// The value of the first `key : value` line of /proc/cpuinfo.
std::string cpuinfo(std::string_view key) {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const auto colon = line.find(": ");
    return colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return "";
}

std::string vector_extension() {
  std::istringstream flags(cpuinfo("flags"));
  const std::set<std::string> all(std::istream_iterator<std::string>(flags), {});
  for (const char* isa : {"amx_bf16", "avx512f", "avx2", "avx", "sse4_2"}) {
    if (all.contains(isa)) return isa;
  }
  return "";
}

}  // namespace

HostDescription describe_host() {
  HostDescription host;
  host.cpu = cpuinfo("model name");
  host.isa = vector_extension();
  utsname names{};
  if (::uname(&names) == 0) host.kernel = std::string(names.sysname) + " " + names.release;
  host.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  host.cores = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  host.usable = usable_cores();
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) host.memory_mb = static_cast<double>(info.totalram) * info.mem_unit / 1e6;
  double load = 0;
  if (::getloadavg(&load, 1) == 1) host.load = load;
  return host;
}

std::string utc_now() {
  const time_t now = ::time(nullptr);
  tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace dp
