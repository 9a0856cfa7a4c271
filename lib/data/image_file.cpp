// SPDX-License-Identifier: MIT
#include "data/image_file.hpp"

#include "base/error.hpp"
#include "data/image_codec.hpp"

namespace dp {
namespace {

Shape header_shape(std::span<const std::byte> file) {
  if (is_png(file)) return png_shape(file);
  if (is_jpeg(file)) return jpeg_shape(file);
  throw Error("neither PNG nor JPEG: convert it, or take it out");
}

}  // namespace

Shape image_shape(std::span<const std::byte> file) {
  const Shape shape = header_shape(file);
  if (shape.height > longest_side || shape.width > longest_side || shape.bytes() > most_sample_bytes) {
    throw Error("{}x{} pixels: an image may take {} bytes (such as 2364x2364 in colour): make it smaller",
                shape.height, shape.width, most_sample_bytes);
  }
  return shape;
}

ImageRemark decode_image(std::span<const std::byte> file, std::uint32_t channels, std::span<std::byte> out) {
  const Shape shape = image_shape(file);
  if (channels < shape.channels || out.size() != Shape{channels, shape.height, shape.width}.bytes())
    throw Error("it has changed meanwhile");
  return is_png(file) ? decode_png(file, channels, out) : decode_jpeg(file, channels, out);
}

void to_planes(std::span<const std::byte> pixels, std::size_t from, std::span<std::byte> out) {
  const std::size_t count = pixels.size() / from, planes = out.size() / count;
  for (std::size_t c = 0; c < planes; ++c) {
    const std::size_t first = from == 1 ? 0 : c;
    for (std::size_t i = 0; i < count; ++i) out[c * count + i] = pixels[i * from + first];
  }
}

}  // namespace dp
