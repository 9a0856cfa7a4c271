// The shape of one sample: channels × height × width of uint8.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace dp {

struct Shape {
  std::uint32_t channels = 0, height = 0, width = 0;
  /// Bytes of one sample.
  constexpr std::size_t bytes() const { return std::size_t{channels} * height * width; }
  bool operator==(const Shape&) const = default;
};

}  // namespace dp
