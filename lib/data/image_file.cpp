// SPDX-License-Identifier: MIT
#include "data/image_file.hpp"

#include <png.h>
#include <turbojpeg.h>

#include <memory>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace dp {
namespace {

bool is_png(std::span<const std::byte> file) {
  return file.size() >= 8 && png_sig_cmp(reinterpret_cast<png_const_bytep>(file.data()), 0, 8) == 0;
}

bool is_jpeg(std::span<const std::byte> file) {
  constexpr std::string_view start = "\xFF\xD8\xFF";
  return std::string_view(reinterpret_cast<const char*>(file.data()), file.size()).starts_with(start);
}

/// A PNG whose header is read.
struct Png {
  explicit Png(std::span<const std::byte> file) {
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, file.data(), file.size())) fail();
  }
  ~Png() { png_image_free(&image); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;
  [[noreturn]] void fail() const {
    throw Error("a damaged PNG ({}): replace it or take it out", image.message);
  }

  png_image image{};
};

class Jpeg {
 public:
  explicit Jpeg(std::span<const std::byte> file)
      : decoder_(tjInitDecompress(), &tjDestroy),
        data_(reinterpret_cast<const unsigned char*>(file.data())),
        size_(file.size()) {
    if (!decoder_) throw Error("libjpeg-turbo: {}", tjGetErrorStr());
    if (tjDecompressHeader3(decoder_.get(), data_, size_, &width, &height, &sampling_, &colours) != 0) fail();
    if (width < 1 || height < 1) throw Error("a JPEG without an image in it: replace it or take it out");
    if (colours == TJCS_CMYK || colours == TJCS_YCCK)
      throw Error("a JPEG in CMYK, made for printing: convert it to RGB");
  }
  void decode(int format, std::byte* out) const {
    if (tjDecompress2(decoder_.get(), data_, size_, reinterpret_cast<unsigned char*>(out), width, 0, height,
                      format, TJFLAG_ACCURATEDCT) != 0)
      fail();
  }

  int width = 0, height = 0, colours = 0;

 private:
  [[noreturn]] void fail() const {
    throw Error("a damaged JPEG ({}): replace it or take it out", tjGetErrorStr2(decoder_.get()));
  }

  std::unique_ptr<void, int (*)(tjhandle)> decoder_;
  const unsigned char* data_;
  unsigned long size_;
  int sampling_ = 0;
};

/// Spreads interleaved pixels of `from` bytes each over planes, the first bytes of each.
void to_planes(std::span<const std::byte> pixels, std::size_t from, std::span<std::byte> out) {
  const std::size_t count = pixels.size() / from, planes = out.size() / count;
  for (std::size_t c = 0; c < planes; ++c) {
    for (std::size_t i = 0; i < count; ++i) out[c * count + i] = pixels[i * from + c];
  }
}

void decode_png(std::span<const std::byte> file, std::uint32_t channels, std::span<std::byte> out) {
  Png png(file);
  png.image.format = channels == 1 ? PNG_FORMAT_GA : PNG_FORMAT_RGBA;
  std::vector<std::byte> pixels(PNG_IMAGE_SIZE(png.image));
  if (!png_image_finish_read(&png.image, nullptr, pixels.data(), 0, nullptr)) png.fail();
  to_planes(pixels, PNG_IMAGE_PIXEL_SIZE(png.image.format), out);
}

void decode_jpeg(std::span<const std::byte> file, std::uint32_t channels, std::span<std::byte> out) {
  const Jpeg jpeg(file);
  if (channels == 1) return jpeg.decode(TJPF_GRAY, out.data());
  std::vector<std::byte> pixels(out.size());
  jpeg.decode(TJPF_RGB, pixels.data());
  to_planes(pixels, 3, out);
}

Shape header_shape(std::span<const std::byte> file) {
  if (is_png(file)) {
    const Png png(file);
    return {(png.image.format & PNG_FORMAT_FLAG_COLOR) != 0 ? 3U : 1U, png.image.height, png.image.width};
  }
  if (!is_jpeg(file)) throw Error("neither PNG nor JPEG: convert it, or take it out");
  const Jpeg jpeg(file);
  return {jpeg.colours == TJCS_GRAY ? 1U : 3U, static_cast<std::uint32_t>(jpeg.height),
          static_cast<std::uint32_t>(jpeg.width)};
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

void decode_image(std::span<const std::byte> file, std::uint32_t channels, std::span<std::byte> out) {
  const Shape shape = image_shape(file);
  if (out.size() != Shape{channels, shape.height, shape.width}.bytes())
    throw Error("it has changed meanwhile");
  is_png(file) ? decode_png(file, channels, out) : decode_jpeg(file, channels, out);
}

}  // namespace dp
