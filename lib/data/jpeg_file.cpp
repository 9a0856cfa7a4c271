// JPEG as Pillow reads it: what libjpeg only warns of (stray bytes between segments) is read and told of, a file that ends
// before its last row is damaged.
// SPDX-License-Identifier: MIT
#include <cstdio>  // before jpeglib.h, which needs it
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <algorithm>
#include <csetjmp>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/image_codec.hpp"

namespace dp {
namespace {

struct Said {
  jpeg_error_mgr manager{};  // first: libjpeg knows no more of it
  std::jmp_buf back;
  char error[JMSG_LENGTH_MAX] = "", warning[JMSG_LENGTH_MAX] = "";
};

Said& said_by(j_common_ptr jpeg) { return *reinterpret_cast<Said*>(jpeg->err); }

[[noreturn]] void on_error(j_common_ptr jpeg) {
  jpeg->err->format_message(jpeg, said_by(jpeg).error);
  std::longjmp(said_by(jpeg).back, 1);
}

void on_message(j_common_ptr jpeg, int level) {
  char(&warning)[JMSG_LENGTH_MAX] = said_by(jpeg).warning;
  if (level < 0 && warning[0] == '\0') jpeg->err->format_message(jpeg, warning);
}

boolean no_more(j_decompress_ptr jpeg) {
  ERREXIT(jpeg, JERR_INPUT_EOF);
  return FALSE;
}

void skip(j_decompress_ptr jpeg, long bytes) {
  jpeg_source_mgr& source = *jpeg->src;
  const std::size_t skipped = std::min(static_cast<std::size_t>(std::max(bytes, 0L)), source.bytes_in_buffer);
  source.next_input_byte += skipped;
  source.bytes_in_buffer -= skipped;
}

void nothing(j_decompress_ptr) {}

/// A JPEG whose header is read.
class Jpeg {
 public:
  explicit Jpeg(std::span<const std::byte> file) {
    jpeg_.err = jpeg_std_error(&said_.manager);
    said_.manager.error_exit = on_error;
    said_.manager.emit_message = on_message;
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(file.data());
    source_.bytes_in_buffer = file.size();
    source_.init_source = source_.term_source = nothing;
    source_.fill_input_buffer = no_more;
    source_.skip_input_data = skip;
    source_.resync_to_restart = jpeg_resync_to_restart;
    if (!read_header()) fail();
    if (jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK) {
      jpeg_destroy_decompress(&jpeg_);
      throw Error("a JPEG in CMYK, made for printing: convert it to RGB");
    }
  }
  ~Jpeg() { jpeg_destroy_decompress(&jpeg_); }
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;

  Shape shape() const {
    return {jpeg_.jpeg_color_space == JCS_GRAYSCALE ? 1U : 3U, jpeg_.image_height, jpeg_.image_width};
  }
  /// Interleaved pixels of that many channels.
  void read(std::uint32_t channels, std::byte* to) {
    if (!read_rows(channels == 1 ? JCS_GRAYSCALE : JCS_RGB, reinterpret_cast<JSAMPROW>(to))) fail();
    if (!finish() && said_.warning[0] == '\0') std::swap(said_.warning, said_.error);
  }
  /// The first warning so far; "": none.
  const char* warning() const { return said_.warning; }

 private:
  [[noreturn]] void fail() {
    jpeg_destroy_decompress(&jpeg_);
    throw Error("a damaged JPEG ({}): replace it or take it out", said_.error);
  }

  // Each of these is left by longjmp.
  bool read_header() {
    if (setjmp(said_.back)) return false;
    jpeg_create_decompress(&jpeg_);
    jpeg_.src = &source_;
    jpeg_read_header(&jpeg_, TRUE);
    return true;
  }

  bool read_rows(J_COLOR_SPACE colours, JSAMPROW to) {
    if (setjmp(said_.back)) return false;
    jpeg_.out_color_space = colours;
    jpeg_start_decompress(&jpeg_);
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW row = to + std::size_t{jpeg_.output_scanline} * jpeg_.output_width * jpeg_.output_components;
      jpeg_read_scanlines(&jpeg_, &row, 1);
    }
    return true;
  }

  /// Reads what follows the last row, which may be anything.
  bool finish() {
    if (setjmp(said_.back)) return false;
    jpeg_finish_decompress(&jpeg_);
    return true;
  }

  Said said_;
  jpeg_source_mgr source_{};
  jpeg_decompress_struct jpeg_{};
};

}  // namespace

bool is_jpeg(std::span<const std::byte> file) {
  constexpr std::string_view start = "\xFF\xD8\xFF";
  return std::string_view(reinterpret_cast<const char*>(file.data()), file.size()).starts_with(start);
}

Shape jpeg_shape(std::span<const std::byte> file) { return Jpeg(file).shape(); }

ImageRemark decode_jpeg(std::span<const std::byte> file, std::uint32_t channels, std::span<std::byte> out) {
  Jpeg jpeg(file);
  std::vector<std::byte> pixels(out.size());
  jpeg.read(channels, pixels.data());
  to_planes(pixels, channels, out);
  return {jpeg.warning(), false};
}

}  // namespace dp
