// Number partitioning: weights shared out over parts so that the heaviest part is light.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

namespace dp {

/// Largest differencing method (Karmarkar and Karp 1982) for `parts` parts: the part of each weight, part 0 the heaviest.
/// Takes time and memory in proportion to weights × parts.
std::vector<std::uint32_t> karmarkar_karp(const std::vector<std::uint64_t>& weights, std::uint32_t parts);

}  // namespace dp
