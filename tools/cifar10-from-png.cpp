// cifar10-from-png: turns a PNG sheet of CIFAR-10 images (one 32×32 image a row, pixels in raster order) and
// a list of labels into the data set's binary format: label byte, then 1024 bytes each of red, green and
// blue.
// SPDX-License-Identifier: MIT
#include <png.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/options.hpp"

namespace {

constexpr std::size_t pixels = 32 * 32;
constexpr std::size_t channels = 3;
constexpr std::uint64_t most_images = 1'000'000;

constexpr const char* example =
    "  base64 -di >sheet.png <<<'iVBORw0KGgoAAAANSUhEUgAABAAAAAACAQAAAADu4ZM2AAAAD0lEQVR4\n"
    "    2mNgGGjwf4ABACKif4GOCScwAAAAAElFTkSuQmCC'    # a black image and a white one\n"
    "  echo '[3, 8]' >labels.json    # a cat, a ship\n"
    "  cifar10-from-png sheet.png labels.json 0 2 two.bin && od -An -tu1 two.bin";

/// An RGB sheet, one image a row.
struct Sheet {
  std::size_t images = 0;
  std::vector<std::uint8_t> rgb;
};

Sheet read_sheet(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&image, path.c_str())) throw dp::Error("{}: {}", path, image.message);
  if (image.width != pixels || image.height == 0 || image.height > most_images) {
    png_image_free(&image);
    throw dp::Error("{}: {}x{} pixels: expected {} columns and 1 to {} rows", path, image.width, image.height,
                    pixels, most_images);
  }
  image.format = PNG_FORMAT_RGB;
  Sheet sheet{image.height, std::vector<std::uint8_t>(PNG_IMAGE_SIZE(image))};
  if (!png_image_finish_read(&image, nullptr, sheet.rgb.data(), 0, nullptr)) {
    throw dp::Error("{}: {}", path, image.message);
  }
  return sheet;
}

/// Reads `[3,8,…]`: digits below 10, nothing else.
std::vector<std::uint8_t> read_labels(const std::string& path) {
  const std::string text = dp::read_text(path);
  const auto first = text.find('['), last = text.rfind(']');
  if (first == std::string::npos || last == std::string::npos || last < first) {
    throw dp::Error("{}: no JSON list of labels such as [3,8,0]", path);
  }
  std::vector<std::uint8_t> labels;
  for (std::string part : dp::split(std::string_view(text).substr(first + 1, last - first - 1), ',')) {
    std::erase_if(part, [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; });
    if (part.size() != 1 || part[0] < '0' || part[0] > '9') {
      throw dp::Error("{}: label {} is '{}': expected 0 to 9", path, labels.size(), part.substr(0, 20));
    }
    labels.push_back(static_cast<std::uint8_t>(part[0] - '0'));
  }
  return labels;
}

/// One record: the label, then the image's red, green and blue planes.
void append_record(std::string& out, std::uint8_t label, const std::uint8_t* rgb) {
  out.push_back(static_cast<char>(label));
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      out.push_back(static_cast<char>(rgb[pixel * channels + channel]));
    }
  }
}

dp::Exit convert(int argc, char** argv) {
  dp::Options options("cifar10-from-png", "turn a PNG sheet and a list of labels into a CIFAR-10 binary file",
                      example);
  options.positional("SHEET.png LABELS.json FIRST COUNT OUT.bin",
                     "labels FIRST to FIRST+COUNT-1 belong to the COUNT rows of the sheet");
  if (const auto done = options.parse(argc, argv)) return *done;
  const auto& arguments = options.arguments();
  if (arguments.size() != 5) {
    throw dp::UsageError("give five arguments, not {} (see: cifar10-from-png --help)", arguments.size());
  }
  const auto first = dp::parse_count("FIRST", arguments[2], 0, most_images);
  const auto count = dp::parse_count("COUNT", arguments[3], 1, most_images);
  dp::require_writable(arguments[4]);

  const Sheet sheet = read_sheet(arguments[0]);
  if (sheet.images != count) throw dp::Error("{}: {} images: expected {}", arguments[0], sheet.images, count);
  const auto labels = read_labels(arguments[1]);
  if (labels.size() < first + count) {
    throw dp::Error("{}: {} labels: expected at least {}", arguments[1], labels.size(), first + count);
  }
  std::string out;
  out.reserve(count * (1 + channels * pixels));
  for (std::size_t i = 0; i < count; ++i) {
    append_record(out, labels[first + i], sheet.rgb.data() + i * channels * pixels);
  }
  dp::write_atomically(arguments[4], out);
  return dp::Exit::done;
}

}  // namespace

int main(int argc, char** argv) {
  return dp::run_main("cifar10-from-png", [&] { return convert(argc, argv); });
}
