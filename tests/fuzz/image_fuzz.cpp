// PNG and JPEG files: refused with Error, or of the stated shape and, where it is grey, in colour too.
// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "data/image_file.hpp"
#include "parts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  try {
    const dp::Shape shape = dp::image_shape(file);
    dp::fuzz::claim(shape.channels == 1 || shape.channels == 3, "grey or colour");
    dp::fuzz::claim(shape.bytes() > 0 && shape.bytes() <= dp::most_sample_bytes,
                    "of a size that can be held");
    for (std::uint32_t channels = shape.channels; channels <= 3; channels += 2) {
      std::vector<std::byte> pixels(std::size_t{channels} * shape.height * shape.width);
      dp::decode_image(file, channels, pixels);
    }
  } catch (const dp::Error&) {
  }
  return 0;
}
