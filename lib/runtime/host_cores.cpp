// SPDX-License-Identifier: MIT
#include "runtime/host_cores.hpp"

#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "base/options.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

std::string whole_text(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream words(line);
  return {std::istream_iterator<std::string>(words), {}};
}

bool names_cpu(const std::string& list) {
  const std::vector<std::string> all = split(list, ',');
  return std::ranges::find(all, "cpu") != all.end();
}

/// Where a hierarchy of control groups that knows quotas can be seen, from which of its groups on.
struct Mount {
  std::string top, at;
  bool v2 = false;
};

/// A line of mountinfo: id, parent, device, top, at, options…, -, type, source, options of the hierarchy.
std::optional<Mount> mount_of(const std::string& line) {
  const std::vector<std::string> words = words_of(line);
  const auto dash = std::ranges::find(words, "-");
  if (words.size() < 6 || words.end() - dash < 4) return std::nullopt;
  if (dash[1] == "cgroup2") return Mount{words[3], words[4], true};
  if (dash[1] == "cgroup" && names_cpu(dash[3])) return Mount{words[3], words[4], false};
  return std::nullopt;
}

/// The process's group in the hierarchy; a line is number:controllers:path, without controllers for v2.
std::optional<std::string> group_in(const Mount& mount, std::string_view groups) {
  for (const std::string& line : split(std::string(groups), '\n')) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (mount.v2 ? controllers.empty() : names_cpu(controllers)) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// Below the mount; "" where the group is its top, or not to be seen there.
fs::path below(const Mount& mount, const std::string& group) {
  const fs::path path = fs::path(group).lexically_relative(mount.top);
  return path.empty() || path == "." || *path.begin() == ".." ? fs::path() : path;
}

/// cpu.max is QUOTA PERIOD with "max" for no quota; v1 has a file for each, with -1 for none.
std::optional<double> quota_at(const fs::path& folder, bool v2) {
  std::istringstream text(v2 ? whole_text(folder / "cpu.max")
                             : whole_text(folder / "cpu.cfs_quota_us") + " " +
                                   whole_text(folder / "cpu.cfs_period_us"));
  double quota = 0, period = 0;
  if (!(text >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

/// The same in every container of the host.
std::string name_of(const fs::path& folder) {
  struct stat facts {};
  return ::stat(folder.c_str(), &facts) == 0 ? std::to_string(facts.st_ino) : folder.string();
}

CpuList affinity() {
  CpuList cpus;
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(most_cpus),
                                                             [](cpu_set_t* s) { CPU_FREE(s); });
  const std::size_t size = CPU_ALLOC_SIZE(most_cpus);
  if (!set || ::sched_getaffinity(0, size, set.get()) != 0) return cpus;
  for (std::uint32_t cpu = 0; cpu < most_cpus; ++cpu) {
    if (CPU_ISSET_S(cpu, size, set.get())) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace

std::vector<CpuQuota> cpu_quotas(std::string_view groups, std::string_view mounts, const fs::path& root) {
  std::vector<CpuQuota> quotas;
  for (const std::string& line : split(std::string(mounts), '\n')) {
    const auto mount = mount_of(line);
    const auto group = mount ? group_in(*mount, groups) : std::nullopt;
    if (!group) continue;
    for (fs::path path = below(*mount, *group);; path = path.parent_path()) {
      const fs::path folder = root / fs::path(mount->at).relative_path() / path;
      if (const auto quota = quota_at(folder, mount->v2)) quotas.push_back({name_of(folder), *quota});
      if (path.empty()) break;
    }
  }
  return quotas;
}

UsableCores usable_cores() {
  return {affinity(), cpu_quotas(whole_text("/proc/self/cgroup"), whole_text("/proc/self/mountinfo"), "/")};
}

}  // namespace dp
