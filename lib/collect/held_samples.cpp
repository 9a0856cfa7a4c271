// SPDX-License-Identifier: MIT
#include "collect/held_samples.hpp"

#include <algorithm>

namespace dp {

void HeldSamples::take(const std::string& worker, std::span<const SampleId> ids) {
  if (given_up_ || ids.empty()) return;
  Bits& bits = workers_[worker];
  if (!reach(bits, *std::ranges::max_element(ids))) {
    given_up_ = true;
    workers_.clear();
    return;
  }
  for (const SampleId id : ids) {
    std::uint64_t& word = bits.words[id / 64];
    const std::uint64_t bit = std::uint64_t{1} << (id % 64);
    if (!(word & bit)) ++bits.count;
    word |= bit;
  }
}

std::optional<std::uint64_t> HeldSamples::of(const std::string& worker) const {
  if (given_up_) return std::nullopt;
  const auto found = workers_.find(worker);
  return found == workers_.end() ? 0 : found->second.count;
}

/// Makes room for the bit of `last`; false when all workers' bits would outgrow the bound.
bool HeldSamples::reach(Bits& bits, SampleId last) {
  const std::size_t wanted = last / 64 + 1;
  if (wanted <= bits.words.size()) return true;
  words_ += wanted - bits.words.size();
  if (words_ > most_bytes / sizeof(std::uint64_t)) return false;
  bits.words.resize(wanted);
  return true;
}

}  // namespace dp
