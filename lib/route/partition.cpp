// SPDX-License-Identifier: MIT
#include "route/partition.hpp"

#include <algorithm>
#include <queue>

namespace dp {
namespace {

constexpr std::uint32_t none = UINT32_MAX;

/// Some weights shared out over all parts, the heaviest part first. Each part's weights are a list, by their first and last.
struct Partial {
  struct Part {
    std::uint64_t sum = 0;
    std::uint32_t first = none, last = none;
  };
  std::vector<Part> parts;
  std::uint32_t order = 0;  ///< decides between equal differences: the older one
  std::uint64_t difference() const { return parts.front().sum - parts.back().sum; }
};

struct SmallerDifference {
  bool operator()(const Partial& a, const Partial& b) const {
    return a.difference() != b.difference() ? a.difference() < b.difference() : a.order > b.order;
  }
};

/// The heaviest part of one with the lightest of the other, and so on.
Partial combine(Partial a, const Partial& b, std::vector<std::uint32_t>& next) {
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    Partial::Part& part = a.parts[i];
    const Partial::Part& other = b.parts[b.parts.size() - 1 - i];
    part.sum += other.sum;
    if (other.first == none) continue;
    (part.first == none ? part.first : next[part.last]) = other.first;
    part.last = other.last;
  }
  std::stable_sort(a.parts.begin(), a.parts.end(), [](const auto& x, const auto& y) { return x.sum > y.sum; });
  return a;
}

}  // namespace

std::vector<std::uint32_t> karmarkar_karp(const std::vector<std::uint64_t>& weights, std::uint32_t parts) {
  std::vector<std::uint32_t> part_of(weights.size(), 0), next(weights.size(), none);
  if (weights.empty()) return part_of;
  std::priority_queue<Partial, std::vector<Partial>, SmallerDifference> open;
  std::uint32_t order = 0;
  for (; order < weights.size(); ++order) {
    Partial one{std::vector<Partial::Part>(parts), order};
    one.parts.front() = {weights[order], order, order};
    open.push(std::move(one));
  }
  while (open.size() > 1) {
    const Partial a = open.top();
    open.pop();
    const Partial b = open.top();
    open.pop();
    Partial both = combine(a, b, next);
    both.order = order++;
    open.push(std::move(both));
  }
  for (std::uint32_t part = 0; part < parts; ++part) {
    for (std::uint32_t i = open.top().parts[part].first; i != none; i = next[i]) part_of[i] = part;
  }
  return part_of;
}

}  // namespace dp
