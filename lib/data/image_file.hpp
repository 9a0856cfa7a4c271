// PNG and JPEG files, told apart by their first bytes and read as Pillow reads them. Not trusted: sizes are checked before
// memory is asked for.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/shape.hpp"

namespace dp {

/// What there is to say of an image that could be read nonetheless.
struct ImageRemark {
  std::string complaint = {};  ///< the decoder's first; "": none
  bool cut_off = false;        ///< grey of 16 bits, of which some is above 255 and became 255
};

/// What the header of an image says: 1 channel for grey, 3 for anything with colour. Throws Error (without the path)
/// for what is neither PNG nor JPEG, is damaged, or is larger than most_sample_bytes.
Shape image_shape(std::span<const std::byte> file);

/// Writes the planes of the image as uint8, with the values of Pillow's convert("RGB"): no colour chunk is applied, 16 bits
/// lose the lower eight, grey of 16 bits is cut off at 255, transparency is dropped. `channels` is at least the image's
/// own (grey is repeated) and `out` holds channels × the image's height × width. Throws Error (without the path) for a
/// damaged image.
ImageRemark decode_image(std::span<const std::byte> file, std::uint32_t channels, std::span<std::byte> out);

/// Scales planes of uint8, as Pillow's BILINEAR does: a triangle filter, wider when the image shrinks.
/// `to` has the channels of `from`.
void resize_image(std::span<const std::byte> pixels, Shape from, std::span<std::byte> out, Shape to);

}  // namespace dp
