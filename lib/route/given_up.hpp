// Batches that were given up, until the ledger has them as failed: each is told at once, and again with every heartbeat.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "base/settled.hpp"
#include "wire/message.hpp"

namespace dp {

class GivenUp {
 public:
  void add(Failed failure) {
    untold_.push_back(failure.batch);
    failed_[failure.batch] = std::move(failure);
  }
  void settle(const Settled& settled) {
    std::erase_if(failed_, [&](const auto& failed) { return settled.contains(failed.first); });
  }
  /// Those that were not told yet.
  std::vector<Failed> take_untold() {
    std::vector<Failed> failures;
    for (const BatchId id : untold_) {
      if (const auto found = failed_.find(id); found != failed_.end()) failures.push_back(found->second);
    }
    untold_.clear();
    return failures;
  }
  const std::map<BatchId, Failed>& all() const { return failed_; }

 private:
  std::map<BatchId, Failed> failed_;
  std::vector<BatchId> untold_;
};

}  // namespace dp
