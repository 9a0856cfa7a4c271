// Which distinct samples each worker was given: a bit a sample, within a bound on memory that no run exceeds.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace dp {

class HeldSamples {
 public:
  /// Room for the bits of all workers together, bytes: fifty workers that hold all of ImageNet each.
  static constexpr std::size_t most_bytes = std::size_t{8} << 20;

  void take(const std::string& worker, std::span<const SampleId> ids);
  /// Distinct samples the worker took; nothing, for every worker, once there were too many to remember.
  std::optional<std::uint64_t> of(const std::string& worker) const;

 private:
  struct Bits {
    std::vector<std::uint64_t> words;
    std::uint64_t count = 0;
  };
  bool reach(Bits& bits, SampleId last);

  std::map<std::string, Bits> workers_;
  std::size_t words_ = 0;
  bool given_up_ = false;
};

}  // namespace dp
