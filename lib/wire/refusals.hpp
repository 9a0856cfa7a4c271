// What was refused, and from where: counted always, said once per address and kind, in bounded memory however much is
// thrown at a socket. Used by more than one thread.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/log.hpp"

namespace dp {

class Refusals {
 public:
  static constexpr std::size_t most_remembered = 1000;

  /// Kinds that differ in their numbers only are one.
  void note(const std::string& address, const std::string& what) {
    const std::scoped_lock lock(mutex_);
    ++count_;
    if (said_.size() >= most_remembered) return;
    std::string kind = what.substr(0, 200);
    std::erase_if(kind, [](unsigned char c) { return c >= '0' && c <= '9'; });
    if (!said_.emplace(address, std::move(kind)).second) return;
    log_warn("{}: {}", address, what);
    if (said_.size() == most_remembered) log_warn("so much was refused that more of it is only counted");
  }
  std::uint64_t count() const {
    const std::scoped_lock lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;
  std::set<std::pair<std::string, std::string>> said_;
};

}  // namespace dp
