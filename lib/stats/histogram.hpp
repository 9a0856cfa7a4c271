// A log-linear histogram of 64-bit values with three significant digits, after HdrHistogram: fixed relative
// error, memory bounded by the magnitude of the largest value (about 8 KiB per doubling), mergeable.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace dp {

/// Counts values from 0; a negative value counts as 0. Values read back are within 0.05 % of those recorded.
class Histogram {
 public:
  void record(std::int64_t value, std::uint64_t times = 1);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::int64_t min() const { return count_ == 0 ? 0 : min_; }  ///< exact; 0 when empty
  std::int64_t max() const { return max_; }                    ///< exact; 0 when empty
  double mean() const;                                         ///< from the exact sum; 0 when empty

  /// The rank-th smallest value, rank from 1 to count() (clamped); 0 when empty.
  std::int64_t at_rank(std::uint64_t rank) const;
  /// Nearest rank: the smallest value that at least `p` of all values do not exceed, 0 ≤ p ≤ 1; 0 when empty.
  std::int64_t percentile(double p) const;
  /// Calls visit(lowest value of the bin, count) for each bin that is not empty, ascending.
  void for_each_bin(const std::function<void(std::int64_t lower, std::uint64_t count)>& visit) const;

 private:
  std::vector<std::uint64_t> bins_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
  std::int64_t min_ = INT64_MAX, max_ = 0;
};

/// Nearest rank of percentile `p` among `n` values: the smallest r ≥ 1 with r/n ≥ p.
std::uint64_t nearest_rank(double p, std::uint64_t n);

}  // namespace dp
