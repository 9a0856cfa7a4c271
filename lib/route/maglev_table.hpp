// Maglev's lookup table (Eisenbud et al., NSDI 2016, section 3.4, pseudocode 1).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

namespace dp {

/// One worker's preferences: (offset + j · skip) mod table size, for j = 0, 1, …
struct MaglevPermutation {
  std::uint32_t offset = 0, skip = 1;
};

/// Of a prime number of entries, each the index of a permutation: the workers take turns in claiming the entry they like
/// best of those left. There must be a permutation, and not more than entries.
inline std::vector<std::uint32_t> maglev_table(const std::vector<MaglevPermutation>& workers, std::uint32_t entries) {
  constexpr std::uint32_t unclaimed = UINT32_MAX;
  std::vector<std::uint32_t> table(entries, unclaimed), wants(workers.size());
  for (std::size_t i = 0; i < workers.size(); ++i) wants[i] = workers[i].offset;
  for (std::uint32_t claimed = 0;;) {
    for (std::uint32_t i = 0; i < workers.size(); ++i) {
      while (table[wants[i]] != unclaimed) wants[i] = (wants[i] + workers[i].skip) % entries;
      table[wants[i]] = i;
      if (++claimed == entries) return table;
    }
  }
}

}  // namespace dp
