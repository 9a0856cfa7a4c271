// Layouts: which samples belong together. A layout splits a run's samples into groups (the whole, ranks or
// shards); the plan takes batches from the groups. Identical for every strategy.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace dp {

/// The groups of one run. The quotas of all groups sum to the run's samples; beyond the data's end samples
/// recur. Not for use by several threads at once: an epoch's permutation is kept.
class Layout {
 public:
  virtual ~Layout() = default;
  /// The spec in full, every default named.
  virtual std::string spec() const = 0;
  virtual std::uint32_t groups() const = 0;
  /// Number of samples that the group contributes to the run.
  virtual std::uint64_t quota(std::uint32_t group) const = 0;
  /// The j-th sample of the group, j < quota(group).
  virtual SampleId sample(std::uint32_t group, std::uint64_t j) const = 0;
  /// True when groups are shards (taken from in proportion to their quotas); otherwise they take turns.
  virtual bool sharded() const { return false; }
  /// True when the seed matters.
  virtual bool seeded() const { return false; }
};

/// Most groups that a layout may have.
inline constexpr std::uint32_t most_groups = 65'536;

/// Makes `sequential`, `distributed:W[,shuffle]` (DistributedSampler's ranks, unpadded, cycle k being epoch
/// k) or `shards:S[,contiguous|hash][,even|zipf:A]` for `samples` drawn from the ids 0 … dataset_size-1, both
/// at least 1. Throws UsageError that says what is allowed.
std::unique_ptr<Layout> make_layout(std::string_view spec, SampleId dataset_size, std::uint64_t samples,
                                    std::uint64_t seed);

}  // namespace dp
