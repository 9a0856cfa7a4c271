// SPDX-License-Identifier: MIT
#include "base/usable_cores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/options.hpp"

namespace dp {
namespace {

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string cpu_list_text(const CpuList& cpus) {
  std::string text;
  for (std::size_t first = 0, last = 0; first < cpus.size(); first = ++last) {
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", cpus[first]);
    if (last > first) text += fmt::format("-{}", cpus[last]);
  }
  return text;
}

std::optional<CpuList> parse_cpu_list(std::string_view text) {
  CpuList cpus;
  for (const std::string& part : split(std::string(text), ',')) {
    const auto dash = std::min(part.find('-'), part.size());
    const auto first = number<std::uint32_t>(std::string_view(part).substr(0, dash));
    const auto last =
        dash == part.size() ? first : number<std::uint32_t>(std::string_view(part).substr(dash + 1));
    if (!first || !last || *last < *first || *last - *first >= most_cpus) return std::nullopt;
    if (cpus.size() + (*last - *first) + 1 > most_cpus || (!cpus.empty() && *first <= cpus.back()))
      return std::nullopt;
    for (std::uint32_t cpu = *first; cpu < *last; ++cpu) cpus.push_back(cpu);
    cpus.push_back(*last);
  }
  return cpus;
}

std::string quotas_text(const std::vector<CpuQuota>& quotas) {
  std::string text;
  for (const CpuQuota& q : quotas) text += fmt::format("{}{}:{}", text.empty() ? "" : ",", q.group, q.cpus);
  return text;
}

std::vector<CpuQuota> parse_quotas(std::string_view text) {
  std::vector<CpuQuota> quotas;
  for (const std::string& part : split(std::string(text), ',')) {
    const auto colon = part.rfind(':');
    if (colon == std::string::npos) continue;
    const auto cpus = number<double>(std::string_view(part).substr(colon + 1));
    if (cpus && std::isfinite(*cpus) && *cpus > 0) quotas.push_back({part.substr(0, colon), *cpus});
  }
  return quotas;
}

double UsableCores::count() const {
  auto count = static_cast<double>(cpus.size());
  for (const CpuQuota& q : quotas) count = std::min(count, q.cpus);
  return count;
}

}  // namespace dp
