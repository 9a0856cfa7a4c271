// The cores that a process may really use: those it may be put on, and how much of them its control groups grant. As
// figures and as texts for peers; runtime/host_cores.hpp finds out.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dp {

/// Numbers of logical cores, ascending.
using CpuList = std::vector<std::uint32_t>;
inline constexpr std::size_t most_cpus = 8192;

/// As the kernel writes it: 0-3,8.
std::string cpu_list_text(const CpuList& cpus);

/// nullopt: no such list, or one of more than `most_cpus`.
std::optional<CpuList> parse_cpu_list(std::string_view text);

/// A control group that may use so many cores' time, and the same for all in it.
struct CpuQuota {
  std::string group;  ///< names it on its host
  double cpus = 0;
  bool operator==(const CpuQuota&) const = default;
};

/// "17:1.5,4:2"; "" for none.
std::string quotas_text(const std::vector<CpuQuota>& quotas);

/// What is no quota is left out.
std::vector<CpuQuota> parse_quotas(std::string_view text);

struct UsableCores {
  CpuList cpus;
  std::vector<CpuQuota> quotas;
  /// How many: a quota may make it a fraction.
  double count() const;
};

}  // namespace dp
