// SPDX-License-Identifier: MIT
#include "collect/core_claims.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

namespace dp {
namespace {

constexpr std::size_t most_compared = 64;  ///< sets of cores; beyond, what overlaps is looked at as a whole only

using Claimed = std::map<CpuList, std::uint64_t>;  ///< threads by where they may compute

bool overlap(const CpuList& a, const CpuList& b) {
  CpuList both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return !both.empty();
}

/// Sets that share cores become one.
Claimed merged(const Claimed& claimed) {
  std::vector<std::pair<CpuList, std::uint64_t>> parts;
  for (const auto& [own, its_threads] : claimed) {
    CpuList cpus = own;
    std::uint64_t threads = its_threads;
    std::erase_if(parts, [&](const auto& part) {
      if (!overlap(part.first, cpus)) return false;
      CpuList all;
      std::ranges::set_union(part.first, cpus, std::back_inserter(all));
      cpus = std::move(all);
      threads += part.second;
      return true;
    });
    parts.emplace_back(std::move(cpus), threads);
  }
  return {parts.begin(), parts.end()};
}

/// Threads that may compute on these cores only.
std::uint64_t threads_within(const Claimed& claimed, const CpuList& cpus) {
  std::uint64_t threads = 0;
  for (const auto& [own, its_threads] : claimed) {
    if (std::ranges::includes(cpus, own)) threads += its_threads;
  }
  return threads;
}

bool too_many_for_cores(const Claimed& claimed) {
  if (claimed.size() <= most_compared) {
    for (const auto& [cpus, threads] : claimed) {
      if (threads_within(claimed, cpus) > cpus.size()) return true;
    }
  }
  return std::ranges::any_of(merged(claimed),
                             [](const auto& part) { return part.second > part.first.size(); });
}

}  // namespace

bool oversubscribed(const std::vector<CoreClaim>& claims) {
  Claimed claimed;
  std::map<std::string, std::pair<std::uint64_t, double>> groups;  // threads, cores
  for (const CoreClaim& claim : claims) {
    claimed[claim.cores.cpus] += claim.threads;
    for (const CpuQuota& quota : claim.cores.quotas) {
      auto& [threads, cpus] = groups[quota.group];
      threads += claim.threads;
      cpus = quota.cpus;
    }
  }
  return too_many_for_cores(claimed) || std::ranges::any_of(groups, [](const auto& group) {
           return static_cast<double>(group.second.first) > group.second.second;
         });
}

}  // namespace dp
