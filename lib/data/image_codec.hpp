// The two kinds of image file, each behind three functions; image_file.cpp tells them apart. Both libraries leave a
// damaged file by longjmp, so what calls them holds no object with a destructor.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "data/image_file.hpp"

namespace dp {

bool is_png(std::span<const std::byte> file);
bool is_jpeg(std::span<const std::byte> file);

// What the header says; throws Error.
Shape png_shape(std::span<const std::byte> file);
Shape jpeg_shape(std::span<const std::byte> file);

// As decode_image, for a file of this kind whose size has been checked.
ImageRemark decode_png(std::span<const std::byte> file, std::uint32_t channels, std::span<std::byte> out);
ImageRemark decode_jpeg(std::span<const std::byte> file, std::uint32_t channels, std::span<std::byte> out);

/// Spreads interleaved pixels of `from` bytes each (1: repeated) over the planes of `out`.
void to_planes(std::span<const std::byte> pixels, std::size_t from, std::span<std::byte> out);

}  // namespace dp
