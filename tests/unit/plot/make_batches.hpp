// Batches of a run whose times can be reckoned in the head.
// SPDX-License-Identifier: MIT
#pragma once

#include "plot/batch_times.hpp"

namespace dp {

/// 80 batches of 10 samples, one every 100 ms, to workers w2 and w10 in turn: 10 ms of queue, 30 ms of compute, 10 ms
/// of return.
inline BatchTimes make_batches() {
  BatchTimes times{"1", {}};
  for (int i = 0; i < 80; ++i) {
    const double at = 100.0 * i;
    times.batches.push_back({static_cast<std::uint64_t>(i), 10, i % 2 == 0 ? "w10" : "w2", at, at, at + 10,
                             at + 40, at + 50, 50});
  }
  return times;
}

}  // namespace dp
