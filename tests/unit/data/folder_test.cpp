// Image folders: files written by libpng and libjpeg are read back; scaling gives Pillow's figures.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <png.h>

#include <array>

#include "data/image_file.hpp"
#include "make_jpeg.hpp"
#include "scratch_folder.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

std::string png(std::uint32_t format, std::uint32_t height, std::uint32_t width,
                const std::vector<std::uint8_t>& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.format = format;
  image.height = height;
  image.width = width;
  png_alloc_size_t size = 0;
  EXPECT_TRUE(png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr))
      << image.message;
  std::string bytes(size, '\0');
  EXPECT_TRUE(png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr));
  bytes.resize(size);
  return bytes;
}

/// Of one colour, in the JPEG's own terms exact.
std::string jpeg(unsigned height, unsigned width, std::uint8_t grey, bool colour) {
  return make_jpeg(height, width, std::vector<unsigned char>(std::size_t{height} * width * 3, grey),
                   {.colour = colour});
}

const std::vector<std::uint8_t> two_by_two{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

class Folder : public ScratchFolder {
 protected:
  std::string spec(const std::string& more = "") const { return "folder:" + folder_.string() + more; }
};

TEST_F(Folder, SubFoldersAreClassesInTheOrderOfTheirNames) {
  write("zebra/1.png", png(PNG_FORMAT_RGB, 2, 2, two_by_two));
  write("ant/b.PNG", png(PNG_FORMAT_RGB, 2, 2, std::vector<std::uint8_t>(12, 50)));
  write("ant/a.png", png(PNG_FORMAT_RGB, 2, 2, std::vector<std::uint8_t>(12, 40)));
  write("ant/notes.txt", "not an image");
  write(".cache/x.png", "hidden");
  const auto data = open_dataset(spec());
  ASSERT_EQ(data->size(), 3u);
  EXPECT_EQ(data->shape(), (Shape{3, 2, 2}));
  EXPECT_EQ(data->label(0), 0);
  EXPECT_EQ(data->label(1), 0);
  EXPECT_EQ(data->label(2), 1);
  EXPECT_THAT(pixels_of(*data, 0), Each(40));
  EXPECT_THAT(pixels_of(*data, 1), Each(50));
  EXPECT_THAT(pixels_of(*data, 2), ElementsAre(1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12));
}

TEST_F(Folder, ImagesAloneAreUnlabelled) {
  write("b.jpg", jpeg(4, 6, 90, false));
  write("a.jpeg", jpeg(4, 6, 200, false));
  const auto data = open_dataset(spec());
  ASSERT_EQ(data->size(), 2u);
  EXPECT_EQ(data->shape(), (Shape{1, 4, 6})) << "all grey: one channel";
  EXPECT_EQ(data->label(0), no_label);
  EXPECT_THAT(pixels_of(*data, 0), Each(200));
  EXPECT_THAT(pixels_of(*data, 1), Each(90));
}

TEST_F(Folder, GreyAmongColourIsRepeated) {
  write("a.jpg", jpeg(8, 8, 77, true));
  write("b.png", png(PNG_FORMAT_GRAY, 8, 8, std::vector<std::uint8_t>(64, 5)));
  const auto data = open_dataset(spec());
  EXPECT_EQ(data->shape(), (Shape{3, 8, 8}));
  EXPECT_THAT(pixels_of(*data, 0), Each(testing::AllOf(testing::Ge(76), testing::Le(78))));
  EXPECT_THAT(pixels_of(*data, 1), Each(5));
}

TEST_F(Folder, TransparencyIsDropped) {
  write("a.png", png(PNG_FORMAT_RGBA, 1, 2, {10, 20, 30, 0, 40, 50, 60, 128}));
  EXPECT_THAT(pixels_of(*open_dataset(spec()), 0), ElementsAre(10, 40, 20, 50, 30, 60));
}

TEST_F(Folder, ImagesBelowAClassBelongToItInTheOrderOfSortedOsWalk) {
  // Of torchvision 0.20's ImageFolder: folders by their paths as text ("a-b" before "a/c"), then files by name.
  const std::string in_order[] = {"x/z.png", "x/a/d.png", "x/a-b/c.png", "x/a/c/b.png", "y/deep/er/a.png"};
  for (std::size_t i = 0; i < std::size(in_order); ++i)
    write(in_order[i], png(PNG_FORMAT_GRAY, 1, 1, {static_cast<std::uint8_t>(10 * i)}));
  const auto data = open_dataset(spec());
  ASSERT_EQ(data->size(), 5u);
  for (SampleId id = 0; id < 5; ++id) EXPECT_EQ(data->label(id), id < 4 ? 0 : 1) << id;
  EXPECT_THAT(data->remarks(), testing::IsEmpty());
  std::vector<int> levels;
  for (SampleId id = 0; id < 5; ++id) levels.push_back(pixels_of(*data, id)[0]);
  // "x" < "x/a" < "x/a-b" < "x/a/c"
  EXPECT_THAT(levels, ElementsAre(0, 10, 20, 30, 40));
}

TEST_F(Folder, WhatIsPassedOverIsToldOf) {
  namespace fs = std::filesystem;
  const std::string one = png(PNG_FORMAT_GRAY, 1, 1, {7});
  write("cat/a.png", one);
  write("cat/notes.txt", "of no interest");
  write("cat/.hidden.webp", "of none either");
  write("dog/deep/a.png", one);
  write("dog/b.webp", "a picture");
  write("dog/c.TIFF", "a picture");
  fs::create_symlink("gone.png", folder_ / "cat" / "b.png");
  fs::create_symlink("nowhere", folder_ / "pig");
  fs::create_symlink("..", folder_ / "dog" / "deep" / "up");
  fs::create_symlink("itself", folder_ / "dog" / "itself");
  fs::create_symlink(folder_ / "cat", folder_ / "dog" / "linked");  // is followed, as by ImageFolder
  const auto data = open_dataset(spec());
  EXPECT_EQ(data->size(), 3u);
  ASSERT_EQ(data->remarks().size(), 1u);
  EXPECT_THAT(data->remarks()[0],
              AllOf(HasSubstr("links to nothing (4, such as pig)"),
                    HasSubstr("images that are neither PNG nor JPEG (2, such as dog/b.webp)"),
                    HasSubstr("links back to a folder they are in (1, such as dog/deep/up)")));
  fs::remove_all(folder_ / "cat");
  fs::create_directories(folder_ / "cat");
  fs::create_symlink("gone.png", folder_ / "cat" / "b.png");
  EXPECT_THAT(refusal_of(spec()), HasSubstr("cat: no .png, .jpg or .jpeg in it (passed over: links to nothing"));
}

TEST_F(Folder, DecodersComplaintsAndGreyThatIsCutOffAreToldOfOnceEach) {
  std::string stray = jpeg(8, 8, 100, true);
  write("a.jpg", stray.insert(stray.size() - 2, 16, 'x'));
  write("b.jpg", stray);
  write("c.jpg", jpeg(8, 8, 100, true));
  png_image deep{};
  deep.version = PNG_IMAGE_VERSION;
  deep.format = PNG_FORMAT_LINEAR_Y;
  deep.height = deep.width = 8;
  const std::vector<std::uint16_t> levels(64, 0x4C4C);
  std::array<char, 4096> file{};
  png_alloc_size_t size = file.size();
  ASSERT_TRUE(png_image_write_to_memory(&deep, file.data(), &size, 0, levels.data(), 0, nullptr));
  write("d.png", std::string(file.data(), size));
  const auto data = open_dataset(spec());
  ASSERT_EQ(data->size(), 4u);
  EXPECT_EQ(pixels_of(*data, 0), pixels_of(*data, 2));
  EXPECT_THAT(pixels_of(*data, 3), Each(255));
  ASSERT_EQ(data->remarks().size(), 2u);
  EXPECT_THAT(data->remarks()[0], AllOf(HasSubstr("2 images"), HasSubstr("a.jpg"), HasSubstr("extraneous bytes")));
  EXPECT_THAT(data->remarks()[1], AllOf(HasSubstr("1 images"), HasSubstr("d.png"), HasSubstr("16-bit grey")));
}

TEST_F(Folder, ItsNameIsTheFoldersHoweverItIsGiven) {
  const std::string one = png(PNG_FORMAT_GRAY, 1, 1, {7});
  write("imgs/a.png", one);
  write("imgs/sub/a.png", one);
  const std::string imgs = "folder:" + (folder_ / "imgs" / "sub").string();
  for (const std::string more : {"", "/", "//", "/.", "/./", "/../sub"})
    EXPECT_EQ(open_dataset(imgs + more)->name(), "sub") << more;
  EXPECT_EQ(open_dataset(imgs + "/,2x2")->name(), "sub");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_ / "imgs" / "sub");
  EXPECT_EQ(open_dataset("folder:.")->name(), "sub");
  std::filesystem::current_path(before);
}

TEST_F(Folder, ImagesOfDifferentSizesNeedASize) {
  write("a.png", png(PNG_FORMAT_RGB, 2, 2, two_by_two));
  write("b.png", png(PNG_FORMAT_RGB, 4, 1, two_by_two));
  EXPECT_THAT(refusal_of(spec()), AllOf(HasSubstr("b.png: 4x1 pixels, a.png has 2x2"),
                                        HasSubstr("give --data folder:"), HasSubstr(",2x2")));
  const auto data = open_dataset(spec(",2x2"));
  EXPECT_EQ(data->size(), 2u);
  EXPECT_THAT(pixels_of(*data, 0), ElementsAre(1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12));
  EXPECT_NE(data->digest(), open_dataset(spec(",3x2"))->digest());
}

TEST_F(Folder, TheDigestTellsOfPixelsNamesAndClasses) {
  const std::string one = png(PNG_FORMAT_RGB, 2, 2, two_by_two);
  const std::string other = png(PNG_FORMAT_RGB, 2, 2, std::vector<std::uint8_t>(12, 9));
  write("x/a.png", one);
  write("y/b.png", other);
  const std::string before = open_dataset(spec())->digest();
  EXPECT_EQ(before, open_dataset(spec("/"))->digest());
  write("y/b.png", one);
  EXPECT_NE(before, open_dataset(spec())->digest());
  write("y/b.png", other);
  EXPECT_EQ(before, open_dataset(spec())->digest());
  std::filesystem::rename(folder_ / "y" / "b.png", folder_ / "x" / "b.png");
  std::filesystem::remove(folder_ / "y");
  EXPECT_NE(before, open_dataset(spec())->digest());
}

TEST_F(Folder, DamagedFilesAreNamed) {
  const std::string good_png = png(PNG_FORMAT_RGB, 2, 2, two_by_two), good_jpeg = jpeg(64, 64, 9, true);
  const std::pair<std::string, std::string> cases[] = {
      {good_png.substr(0, 20), "a damaged PNG"},
      {good_png.substr(0, good_png.size() - 30), "a damaged PNG"},
      {good_jpeg.substr(0, 15), "a damaged JPEG"},
      {"\xFF\xD8\xFF\xD9", "a damaged JPEG"},
      {good_jpeg.substr(0, good_jpeg.size() / 2), "a damaged JPEG"},
      {"GIF89a", "neither PNG nor JPEG"},
      {"", "neither PNG nor JPEG"},
  };
  for (const auto& [bytes, said] : cases) {
    const std::string path = write("x.png", bytes);
    EXPECT_THAT(refusal_of(spec()), AllOf(HasSubstr(path), HasSubstr(said)));
  }
}

TEST_F(Folder, AHugeImageIsRefusedByItsHeader) {
  std::string bytes = png(PNG_FORMAT_RGB, 2, 2, two_by_two).substr(0, 8);
  bytes += std::string("\0\0\0\rIHDR\0\0\xC3\x50\0\0\xC3\x50\x08\x02\0\0\0\xC4\xCD\xAA\x9D",
                       25);  // 50000 x 50000, RGB
  write("x.png", bytes + std::string("\0\0\0\0IDAT", 8));
  EXPECT_THAT(refusal_of(spec()), HasSubstr("50000x50000 pixels"));
}

TEST_F(Folder, WhatHoldsNoImagesIsRefused) {
  EXPECT_THAT(refusal_of(spec()), HasSubstr("no .png, .jpg or .jpeg in it"));
  EXPECT_THAT(refusal_of("folder:" + (folder_ / "none").string()), HasSubstr("no such folder"));
  write("cat/a.png", png(PNG_FORMAT_RGB, 2, 2, two_by_two));
  std::filesystem::create_directories(folder_ / "dog");
  EXPECT_THAT(refusal_of(spec()), AllOf(HasSubstr("dog: no .png"), HasSubstr("sub-folders are classes")));
  write("dog/a.png", png(PNG_FORMAT_RGB, 2, 2, two_by_two));
  write("a.png", png(PNG_FORMAT_RGB, 2, 2, two_by_two));
  EXPECT_THAT(refusal_of(spec()), HasSubstr("1 images beside 2 sub-folders"));
  EXPECT_THROW(open_dataset("folder:"), UsageError);
  EXPECT_THROW(open_dataset(spec(",0x5")), UsageError);
  EXPECT_THAT(refusal_of(folder_.string()), HasSubstr("give folder:"));
}

/// A 4 × 5 image scaled by Pillow 13.0, Image.resize(size, Image.BILINEAR): it rounds after each direction, we once.
TEST(Resize, GivesPillowsFiguresWithinOne) {
  const std::vector<std::uint8_t> image{0,   10, 200, 255, 30, 40, 90, 120, 60, 70,
                                        255, 0,  128, 1,   2,  9,  8,  7,   6,  5};
  const std::pair<Shape, std::vector<int>> cases[] = {
      {{1, 2, 2}, {76, 106, 62, 27}},
      {{1, 2, 3}, {49, 126, 83, 75, 48, 12}},
      {{1, 1, 1}, {70}},
      {{1, 6, 7},
       {0,   6,   64, 200, 239, 159, 30, 20,  38, 82, 160, 158, 112, 50, 76, 76, 89, 121, 70, 53, 59,
        219, 102, 47, 127, 44,  12,  13, 132, 59, 23, 68,  22,  4,   4,  9,  8,  8,  7,   6,  6,  5}}};
  for (const auto& [to, wanted] : cases) {
    std::vector<std::byte> out(to.bytes());
    resize_image(std::as_bytes(std::span(image)), {1, 4, 5}, out, to);
    for (std::size_t i = 0; i < out.size(); ++i)
      EXPECT_NEAR(std::to_integer<int>(out[i]), wanted[i], 1) << to.height << "x" << to.width << " at " << i;
  }
}

TEST(Resize, TreatsEachChannelAlone) {
  std::vector<std::byte> in(3 * 16), out(3 * 4);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = std::byte(i / 16 * 50);
  resize_image(in, {3, 4, 4}, out, {3, 2, 2});
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], std::byte(i / 4 * 50));
}

}  // namespace
}  // namespace dp
