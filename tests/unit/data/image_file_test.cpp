// Images of every kind have the values that Pillow gives: pillow_images.py writes them, Pillow reads them, and so do we.
// SPDX-License-Identifier: MIT
#include "data/image_file.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/file.hpp"
#include "make_jpeg.hpp"
#include "scratch_folder.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

struct Decoded {
  std::string interleaved, refusal;
  ImageRemark remark;
};

Decoded decode(const std::string& file) {
  try {
    const Shape shape = image_shape(bytes_of(file));
    std::vector<std::byte> planes(std::size_t{3} * shape.height * shape.width);
    Decoded result;
    result.remark = decode_image(bytes_of(file), 3, planes);
    for (std::size_t i = 0; i < planes.size(); ++i)
      result.interleaved += static_cast<char>(planes[i % 3 * planes.size() / 3 + i / 3]);
    return result;
  } catch (const Error& problem) {
    return {{}, problem.what(), {}};
  }
}

class ImageFile : public ScratchFolder {};

/// 32 × 16, with a restart marker behind every second block.
std::string with_restarts() {
  std::vector<unsigned char> pixels(std::size_t{3} * 32 * 16);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<unsigned char>(i * i / 7);
  return make_jpeg(16, 32, pixels, {.restart_every = 2});
}

TEST_F(ImageFile, EveryKindIsReadOrRefusedAsByPillow) {
  const std::string restarts = write("restarts.jpeg", with_restarts());
  const std::string script = std::string(DP_SOURCE_DIR) + "/tests/unit/data/pillow_images.py";
  ASSERT_EQ(std::system(fmt::format("'{}' '{}' '{}'", script, folder_.string(), restarts).c_str()), 0)
      << "python3-pil is needed (pipelines/install-deps.sh test)";
  std::size_t read = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string path = entry.path().string();
    if (path.ends_with(".rgb")) {
      const Decoded ours = decode(read_text(path.substr(0, path.size() - 4)));
      EXPECT_EQ(ours.refusal, "") << path;
      EXPECT_TRUE(ours.interleaved == read_text(path)) << path << " differs";
      ++read;
    } else if (path.ends_with(".refused")) {
      EXPECT_NE(decode(read_text(path.substr(0, path.size() - 8))).refusal, "") << path << ": Pillow refuses it";
      ++refused;
    }
  }
  EXPECT_GT(read, 200U);
  EXPECT_GT(refused, 5U);
}

std::string complaint_of(const std::string& file) {
  const Decoded result = decode(file);
  EXPECT_EQ(result.refusal, "");
  return result.remark.complaint;
}

TEST_F(ImageFile, StrayBytesInAJpegAreReadOverAndToldOf) {
  std::string whole = with_restarts();
  EXPECT_EQ(complaint_of(whole), "");
  EXPECT_THAT(complaint_of(std::string(whole).insert(whole.size() - 2, "\x11\x22\x33")), HasSubstr("extraneous"));
  const auto restart = whole.find("\xFF\xD1");
  ASSERT_NE(restart, std::string::npos);
  EXPECT_THAT(complaint_of(std::string(whole).insert(restart, "\x11\x22\x33")), HasSubstr("extraneous"));
  whole.resize(whole.size() - 2);
  EXPECT_THAT(decode(whole).refusal + decode(whole).remark.complaint, testing::Not(testing::IsEmpty())) << "no end";
}

}  // namespace
}  // namespace dp
