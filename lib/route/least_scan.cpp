// SPDX-License-Identifier: MIT
#include "route/least_scan.hpp"

#include <algorithm>
#include <numeric>

namespace dp {
namespace {

constexpr std::size_t block = 128;  ///< figures whose equals are counted together

/// In lanes, since a compiler must not reorder a single chain of comparisons.
DP_WIDE_VECTORS double minimum(const double* figures, std::size_t number) {
  constexpr std::size_t lanes = 16;
  double least[lanes];
  std::fill(least, least + lanes, WorkerView::nobody);
  std::size_t i = 0;
  for (; i + lanes <= number; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane)
      least[lane] = figures[i + lane] < least[lane] ? figures[i + lane] : least[lane];
  }
  for (; i < number; ++i) least[0] = figures[i] < least[0] ? figures[i] : least[0];
  return *std::min_element(least, least + lanes);
}

/// How many of each block are equal to `figure`.
DP_WIDE_VECTORS void count(const double* figures, std::size_t number, double figure, std::uint32_t* equals) {
  for (std::size_t first = 0; first < number; first += block, ++equals) {
    const std::size_t end = std::min(number, first + block);
    std::uint64_t found = 0;
    for (std::size_t i = first; i < end; ++i) found += figures[i] == figure;
    *equals = static_cast<std::uint32_t>(found);
  }
}

}  // namespace

std::optional<Slot> LeastScan::operator()(std::span<const double> figures, std::optional<Slot> exclude, Rng& ties) {
  if (exclude && *exclude < figures.size()) {
    without_excluded_.assign(figures.begin(), figures.end());
    without_excluded_[*exclude] = WorkerView::nobody;
    figures = without_excluded_;
  }
  const double least = minimum(figures.data(), figures.size());
  if (least == WorkerView::nobody) return std::nullopt;
  equals_.resize((figures.size() + block - 1) / block);
  count(figures.data(), figures.size(), least, equals_.data());
  const std::uint64_t all = std::accumulate(equals_.begin(), equals_.end(), std::uint64_t{0});
  std::uint64_t skip = all > 1 ? ties.below(all) : 0;
  std::size_t at = 0;
  for (; skip >= equals_[at]; ++at) skip -= equals_[at];
  auto found = std::find(figures.begin() + static_cast<std::ptrdiff_t>(at * block), figures.end(), least);
  for (; skip > 0; --skip) found = std::find(found + 1, figures.end(), least);
  return static_cast<Slot>(found - figures.begin());
}

}  // namespace dp
