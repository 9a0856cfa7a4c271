// Distinct uniform draws from the live workers, for rules that look at a few of them.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "route/worker_view.hpp"

namespace dp {

class DistinctDraws {
 public:
  /// `n` distinct members of `set` without `exclude`, in the order drawn; all of them if there are not more.
  const std::vector<Slot>& operator()(const SlotSet& set, std::size_t n, std::optional<Slot> exclude, Rng& rng) {
    drawn_.clear();
    if (set.size_without(exclude) <= n) {
      for (const Slot slot : set.members()) {
        if (slot != exclude) drawn_.push_back(slot);
      }
      for (std::size_t i = drawn_.size(); i > 1; --i) std::swap(drawn_[i - 1], drawn_[rng.below(i)]);
      return drawn_;
    }
    while (drawn_.size() < n) {
      const Slot slot = *set.draw(rng, exclude);
      if (std::find(drawn_.begin(), drawn_.end(), slot) == drawn_.end()) drawn_.push_back(slot);
    }
    return drawn_;
  }

 private:
  std::vector<Slot> drawn_;
};

}  // namespace dp
