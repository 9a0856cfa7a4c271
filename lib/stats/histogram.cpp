// Bins: values below 2048 have one each; above, every doubling is cut into 1024 equal bins.
// SPDX-License-Identifier: MIT
#include "stats/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dp {
namespace {

constexpr int half_bits = 10;  // 1024 bins a doubling: half a bin is below 0.05 % of its value
constexpr std::uint64_t half = 1ULL << half_bits;

std::size_t bin_of(std::uint64_t value) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - half_bits - 1);
  return static_cast<std::size_t>(shift) * half + (value >> shift);
}

int shift_of(std::size_t bin) { return bin < 2 * half ? 0 : static_cast<int>(bin / half) - 1; }

std::int64_t lowest_in(std::size_t bin) {
  const int shift = shift_of(bin);
  return static_cast<std::int64_t>((bin - static_cast<std::size_t>(shift) * half) << shift);
}

std::int64_t middle_of(std::size_t bin) { return lowest_in(bin) + ((std::int64_t{1} << shift_of(bin)) >> 1); }

}  // namespace

void Histogram::record(std::int64_t value, std::uint64_t times) {
  if (times == 0) return;
  value = std::max<std::int64_t>(value, 0);
  const std::size_t bin = bin_of(static_cast<std::uint64_t>(value));
  if (bin >= bins_.size()) {
    const std::size_t bins = (bin / half + 1) * half;
    bins_.reserve(bins);  // not twice as many
    bins_.resize(bins);
  }
  bins_[bin] += times;
  count_ += times;
  sum_ += static_cast<double>(value) * static_cast<double>(times);
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  if (other.bins_.size() > bins_.size()) bins_.resize(other.bins_.size());
  std::transform(other.bins_.begin(), other.bins_.end(), bins_.begin(), bins_.begin(), std::plus<>());
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::int64_t Histogram::at_rank(std::uint64_t rank) const {
  rank = std::clamp<std::uint64_t>(rank, 1, std::max<std::uint64_t>(count_, 1));
  std::uint64_t seen = 0;
  for (std::size_t bin = 0; bin < bins_.size(); ++bin) {
    seen += bins_[bin];
    if (seen >= rank) return std::clamp(middle_of(bin), min_, max_);
  }
  return 0;
}

std::int64_t Histogram::percentile(double p) const { return at_rank(nearest_rank(p, count_)); }

void Histogram::for_each_bin(const std::function<void(std::int64_t, std::uint64_t)>& visit) const {
  for (std::size_t bin = 0; bin < bins_.size(); ++bin) {
    if (bins_[bin] != 0) visit(lowest_in(bin), bins_[bin]);
  }
}

std::uint64_t nearest_rank(double p, std::uint64_t n) {
  // The slack keeps 0.99 × 100 at rank 99 although the product in binary lies a little above it.
  const double exact = p * static_cast<double>(n);
  const double rank = std::ceil(exact - 1e-12 * static_cast<double>(n));
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::max(rank, 1.0)), 1,
                                   std::max<std::uint64_t>(n, 1));
}

}  // namespace dp
