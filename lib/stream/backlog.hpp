// How late the batches were that are released and not yet sent, in bounded memory however far a run falls behind.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>

#include "base/time.hpp"

namespace dp {

/// First in, first out. Of each batch its own lateness, until there are many; then so many in a row share that of the
/// first of them, so that all together are spread as they were.
class Backlog {
 public:
  static constexpr std::size_t most = 1 << 14;

  bool empty() const { return entries_.empty(); }
  void push(Duration lateness) {
    if (entries_.empty()) sharing_ = 1;
    if (!entries_.empty() && entries_.back().taken < sharing_) {
      ++entries_.back().taken;
      ++entries_.back().waiting;
      return;
    }
    if (entries_.size() == most) join_pairs();
    entries_.push_back({1, 1, lateness});
  }
  /// Of the oldest; there must be one.
  Duration pop() {
    const Duration lateness = entries_.front().lateness;
    if (--entries_.front().waiting == 0) entries_.pop_front();
    return lateness;
  }

 private:
  struct Entry {
    std::uint64_t taken, waiting;  ///< batches that came, and of these are there
    Duration lateness;
  };
  void join_pairs() {
    for (std::size_t i = 1; i < entries_.size(); ++i) {
      Entry& pair = entries_[i / 2];
      if (i % 2 == 0) {
        pair = entries_[i];
      } else {
        pair.taken += entries_[i].taken;
        pair.waiting += entries_[i].waiting;
      }
    }
    entries_.resize((entries_.size() + 1) / 2);
    sharing_ *= 2;
  }

  std::deque<Entry> entries_;
  std::uint64_t sharing_ = 1;
};

}  // namespace dp
