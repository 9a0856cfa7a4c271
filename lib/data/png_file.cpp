// PNG as Pillow's convert("RGB") gives it: levels as stored, whatever the file says of gamma and colour. (libpng's simple
// interface would apply a gamma.)
// SPDX-License-Identifier: MIT
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "data/image_codec.hpp"

namespace dp {
namespace {

struct Said {
  char error[128] = "", warning[128] = "";
};

void keep(char (&to)[128], png_const_charp text) { std::snprintf(to, sizeof to, "%s", text); }

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  keep(static_cast<Said*>(png_get_error_ptr(png))->error, text);
  png_longjmp(png, 1);
}

void on_warning(png_structp png, png_const_charp text) {
  Said& said = *static_cast<Said*>(png_get_error_ptr(png));
  if (said.warning[0] == '\0') keep(said.warning, text);
}

void take(png_structp png, png_bytep out, std::size_t size) {
  auto& left = *static_cast<std::span<const std::byte>*>(png_get_io_ptr(png));
  if (size > left.size()) png_error(png, "it ends too soon");
  std::memcpy(out, left.data(), size);
  left = left.subspan(size);
}

/// A PNG whose header is read.
class Png {
 public:
  explicit Png(std::span<const std::byte> file)
      : left_(file), png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &said_, on_error, on_warning)) {
    if (png_) info_ = png_create_info_struct(png_);
    if (!info_ || !read_header()) fail();
  }
  ~Png() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;

  Shape shape() const {
    const bool colour = (png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR) != 0;
    return {colour ? 3U : 1U, png_get_image_height(png_, info_), png_get_image_width(png_, info_)};
  }
  /// Of 16 bits and without alpha: Pillow has a kind of image of its own for it.
  bool deep_grey() const {
    return png_get_color_type(png_, info_) == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png_, info_) == 16;
  }
  /// The first warning so far; "": none.
  const char* warning() const { return said_.warning; }

  /// Interleaved pixels without alpha: one byte a channel, two (the higher first) of deep grey.
  std::vector<std::byte> pixels() {
    if (!set_up()) fail();
    const std::size_t row = png_get_rowbytes(png_, info_);
    std::vector<std::byte> all(row * shape().height);
    if (!read(reinterpret_cast<png_bytep>(all.data()), row, shape().height)) fail();
    return all;
  }

 private:
  [[noreturn]] void fail() {
    png_destroy_read_struct(&png_, &info_, nullptr);
    throw Error("a damaged PNG ({}): replace it or take it out", said_.error);
  }

  // Each of these is left by longjmp.
  bool read_header() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_benign_errors(png_, 1);
    png_set_read_fn(png_, &left_, take);
    png_read_info(png_, info_);
    return true;
  }

  bool set_up() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_crc_action(png_, PNG_CRC_WARN_USE, PNG_CRC_DEFAULT);  // the pixels have another sum
    if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
    if (!deep_grey()) png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool read(png_bytep to, std::size_t row, std::size_t rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    for (int pass = 0; pass < passes_; ++pass) {
      for (std::size_t y = 0; y < rows; ++y) png_read_row(png_, to + y * row, nullptr);
    }
    return true;
  }

  Said said_;
  std::span<const std::byte> left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
};

/// Two bytes a pixel to one; says whether anything was above it.
bool cut_off(std::vector<std::byte>& pixels) {
  bool any = false;
  for (std::size_t i = 0; i < pixels.size() / 2; ++i) {
    const bool above = pixels[2 * i] != std::byte{0};
    pixels[i] = above ? std::byte{255} : pixels[2 * i + 1];
    any = any || above;
  }
  pixels.resize(pixels.size() / 2);
  return any;
}

}  // namespace

bool is_png(std::span<const std::byte> file) {
  return file.size() >= 8 && png_sig_cmp(reinterpret_cast<png_const_bytep>(file.data()), 0, 8) == 0;
}

Shape png_shape(std::span<const std::byte> file) { return Png(file).shape(); }

ImageRemark decode_png(std::span<const std::byte> file, std::uint32_t, std::span<std::byte> out) {
  Png png(file);
  const bool deep_grey = png.deep_grey();
  std::vector<std::byte> pixels = png.pixels();
  ImageRemark remark{png.warning(), deep_grey && cut_off(pixels)};
  to_planes(pixels, png.shape().channels, out);
  return remark;
}

}  // namespace dp
