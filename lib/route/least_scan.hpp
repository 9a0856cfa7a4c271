// The least of a figure over all slots, for rules that look at every worker. Written so that a compiler can use vector
// instructions, and compiled for wider ones too: some thousand workers take a microsecond or two.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "route/worker_view.hpp"

// For a function that scans: the widest vectors of the processor it runs on. The arithmetic is the same on all.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define DP_WIDE_VECTORS __attribute__((target_clones("default", "avx2")))
#else
#define DP_WIDE_VECTORS
#endif

namespace dp {

class LeastScan {
 public:
  /// The slot with the least of these figures by slot, each of several as likely; nothing if there is none but `exclude`.
  /// The figure of who must not be chosen is `WorkerView::nobody`.
  std::optional<Slot> operator()(std::span<const double> figures, std::optional<Slot> exclude, Rng& ties);

 private:
  std::vector<double> without_excluded_;
  std::vector<std::uint32_t> equals_;  ///< of the least, by block
};

}  // namespace dp
