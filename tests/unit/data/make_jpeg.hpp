// JPEG files for tests, by libjpeg.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>  // before jpeglib.h, which needs it
// clang-format off
#include <jpeglib.h>
// clang-format on

#include <cstdlib>
#include <string>
#include <vector>

namespace dp {

struct JpegKind {
  bool colour = true, progressive = false;
  int chroma = 1;  ///< 2: at half the resolution
  int quality = 95;
  unsigned restart_every = 0;  ///< blocks between restart markers; 0: none
};

/// Of interleaved pixels: RGB, or grey alone. Any error of libjpeg ends the program.
inline std::string make_jpeg(unsigned height, unsigned width, std::vector<unsigned char> pixels,
                             JpegKind kind) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = kind.colour ? 3 : 1;
  jpeg.in_color_space = kind.colour ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, kind.quality, TRUE);
  jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = kind.chroma;
  jpeg.restart_interval = kind.restart_every;
  if (kind.progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < height) {
    JSAMPROW row = pixels.data() + std::size_t{jpeg.next_scanline} * width * (kind.colour ? 3 : 1);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string bytes(reinterpret_cast<char*>(out), size);
  std::free(out);
  return bytes;
}

}  // namespace dp
