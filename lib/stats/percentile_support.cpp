// The criterion: n = h + t with I(p; h, t+1) ≤ 0.01, I the regularised incomplete beta function.
// SPDX-License-Identifier: MIT
#include "stats/percentile_support.hpp"

#include <boost/math/special_functions/beta.hpp>

namespace dp {
namespace {

constexpr double risk = 0.01;

bool enough(double p, std::uint64_t under, std::uint64_t over) {
  return boost::math::ibeta(static_cast<double>(under), static_cast<double>(over) + 1, p) <= risk;
}

/// Smallest x in (low, high] with holds(x), given that holds(high) and that it is monotone.
template <class Predicate>
std::uint64_t bisect(std::uint64_t low, std::uint64_t high, Predicate holds) {
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (holds(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

std::uint64_t samples_needed(double p, std::uint64_t over) {
  const auto holds = [&](std::uint64_t under) { return enough(p, under, over); };
  std::uint64_t high = 1;
  while (!holds(high)) high *= 2;
  return over + bisect(0, high, holds);
}

bool supported(double p, std::uint64_t n) { return n > 1 && enough(p, n - 1, 1); }

std::optional<std::uint64_t> upper_bound_from_top(double p, std::uint64_t n) {
  if (n == 0 || !enough(p, n, 0)) return std::nullopt;
  return bisect(0, n, [&](std::uint64_t over) { return !enough(p, n - over, over); });
}

}  // namespace dp
