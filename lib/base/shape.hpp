// The shape of one sample: channels × height × width of uint8; and how people write a picture's size.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dp {

struct Shape {
  std::uint32_t channels = 0, height = 0, width = 0;
  /// Bytes of one sample.
  constexpr std::size_t bytes() const { return std::size_t{channels} * height * width; }
  bool operator==(const Shape&) const = default;
};

/// Longest side of an image, and largest sample in bytes, that is taken from a file or a flag.
inline constexpr std::uint32_t longest_side = 65'535;
inline constexpr std::size_t most_sample_bytes = std::size_t{16} << 20;

struct ImageSize {
  std::uint32_t height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

/// Reads `HxW`, such as 224x224. Throws UsageError that names `what` (a flag) and the value.
ImageSize parse_size(std::string_view what, std::string_view text);

}  // namespace dp
