// Data sets: CIFAR-10's binary format, the synthetic one, and what is said about bad ones.
// SPDX-License-Identifier: MIT
#include "data/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr std::size_t record_bytes = 3073;
const std::string fixture = DP_SOURCE_DIR "/data/fixture/test_512.bin";

std::vector<std::byte> pixels(const Dataset& data, SampleId id) {
  std::vector<std::byte> out(data.shape().bytes());
  data.copy(id, out);
  return out;
}

template <class Exception>
std::string refusal(const std::string& spec) {
  try {
    open_dataset(spec);
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing was refused";
}

/// A file in a folder of its own, gone after the test.
class DatasetFile : public testing::Test {
 protected:
  DatasetFile() { std::filesystem::create_directories(folder_); }
  ~DatasetFile() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return (folder_ / name).string();
  }
  /// `n` records that all have this label and are filled with this pixel.
  static std::string records(std::size_t n, char label, char pixel) {
    std::string bytes;
    for (std::size_t i = 0; i < n; ++i) bytes += label + std::string(record_bytes - 1, pixel);
    return bytes;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("dp-dataset-") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST(Cifar10, FixtureHas512ImagesOf3x32x32) {
  const auto data = open_dataset(fixture);
  EXPECT_EQ(data->size(), 512u);
  EXPECT_EQ(data->shape(), (Shape{3, 32, 32}));
  EXPECT_EQ(data->name(), "test_512.bin");
}

TEST(Cifar10, RecordIsLabelThenPixels) {
  const auto data = open_dataset(fixture);
  const MappedFile file(fixture);
  for (const SampleId id : {0u, 1u, 511u}) {
    const auto record = file.bytes().subspan(id * record_bytes, record_bytes);
    EXPECT_EQ(data->label(id), std::to_integer<Label>(record[0]));
    EXPECT_THAT(pixels(*data, id), ElementsAreArray(record.subspan(1)));
  }
}

// The classes of CIFAR-10's first ten test images, as published: cat ship ship airplane frog frog automobile
// frog cat automobile.
TEST(Cifar10, FixtureBeginsWithThePublishedClasses) {
  const auto data = open_dataset(fixture);
  std::vector<Label> labels;
  for (SampleId id = 0; id < 10; ++id) labels.push_back(data->label(id));
  EXPECT_THAT(labels, ElementsAreArray<Label>({3, 8, 8, 0, 6, 6, 1, 6, 3, 1}));
}

TEST(Cifar10, DigestIsThatOfTheFilesBytes) {
  EXPECT_EQ(open_dataset(fixture)->digest(), digest(MappedFile(fixture).bytes()));
}

TEST_F(DatasetFile, SeveralFilesAreConcatenated) {
  const auto a = write("a.bin", records(2, 1, 'a')), b = write("b.bin", records(3, 2, 'b'));
  const auto data = open_dataset(a + "," + b);
  EXPECT_EQ(data->size(), 5u);
  EXPECT_EQ(data->name(), "a.bin,b.bin");
  for (SampleId id = 0; id < 5; ++id) {
    EXPECT_EQ(data->label(id), id < 2 ? 1 : 2);
    EXPECT_EQ(pixels(*data, id), std::vector<std::byte>(record_bytes - 1, std::byte(id < 2 ? 'a' : 'b')));
  }
  EXPECT_NE(data->digest(), open_dataset(b + "," + a)->digest());
}

TEST_F(DatasetFile, MissingFileIsNamedWithWhatToDo) {
  const std::string path = (folder_ / "no.bin").string();
  EXPECT_EQ(refusal<Error>(path), path + ": no such file (run: make -f Makefile.bench data, or dp-fetch-cifar10 of an installation)");
}

TEST_F(DatasetFile, CutOffFileIsRefusedWithItsOffset) {
  const auto path = write("cut.bin", records(2, 1, 'x').substr(0, record_bytes + 1));
  EXPECT_THAT(refusal<Error>(path),
              AllOf(HasSubstr(path), HasSubstr("3074 bytes"), HasSubstr("offset 3073")));
}

TEST_F(DatasetFile, EmptyFileIsRefused) {
  EXPECT_THAT(refusal<Error>(write("empty.bin", "")), HasSubstr("empty.bin: 0 bytes"));
}

TEST_F(DatasetFile, LabelAboveNineIsRefusedWithItsOffset) {
  const auto path = write("label.bin", records(1, 9, 'x') + records(1, 10, 'x'));
  EXPECT_THAT(refusal<Error>(path), AllOf(HasSubstr(path), HasSubstr("label 10 at offset 3073")));
}

TEST_F(DatasetFile, FolderIsRefused) {
  EXPECT_THAT(refusal<Error>(folder_.string()), HasSubstr("give folder:"));
}

TEST(Cifar10, EmptyPathIsAUsageError) {
  EXPECT_THAT(refusal<UsageError>(""), HasSubstr("empty path"));
  EXPECT_THAT(refusal<UsageError>(fixture + ","), HasSubstr("empty path"));
}

TEST(Synthetic, HasTheShapeAndSizeAskedFor) {
  const auto data = open_dataset("synthetic:1x2x5:7");
  EXPECT_EQ(data->shape(), (Shape{1, 2, 5}));
  EXPECT_EQ(data->size(), 7u);
  EXPECT_EQ(open_dataset("synthetic:3x32x32")->size(), 10'000u);
}

TEST(Synthetic, LabelsAreIdModuloTen) {
  const auto data = open_dataset("synthetic:3x32x32");
  for (const SampleId id : {0u, 9u, 10u, 9999u}) EXPECT_EQ(data->label(id), id % 10);
}

TEST(Synthetic, SameSpecMeansSamePixelsAndDigest) {
  const auto a = open_dataset("synthetic:3x64x64"), b = open_dataset("synthetic:3x64x64:10000");
  EXPECT_EQ(pixels(*a, 4711), pixels(*b, 4711));
  EXPECT_EQ(a->digest(), b->digest());
  EXPECT_NE(a->digest(), open_dataset("synthetic:3x64x64:9999")->digest());
}

TEST(Synthetic, SamplesDifferEvenAWholePageApart) {
  const auto data = open_dataset("synthetic:3x32x32");
  const auto one = pixels(*data, 1), two = pixels(*data, 2);
  EXPECT_FALSE(
      std::equal(one.begin() + 4, one.end(), two.begin() + 4));  // beyond the id in the first four bytes
  EXPECT_NE(pixels(*data, 1), pixels(*data, 4097));
}

TEST(Synthetic, CopyFillsTheWholeSampleAndNoMore) {
  for (const std::string spec :
       {"synthetic:1x1x1", "synthetic:1x1x4096", "synthetic:1x2x4096", "synthetic:3x41x100"}) {
    const auto data = open_dataset(spec);
    const std::size_t size = data->shape().bytes();
    std::vector<std::byte> zeros(size + 1, std::byte{0}), ones(size + 1, std::byte{0xFF});
    data->copy(4095, std::span(zeros).first(size));
    data->copy(4095, std::span(ones).first(size));
    EXPECT_TRUE(std::equal(zeros.begin(), zeros.end() - 1, ones.begin())) << spec;
    EXPECT_EQ(zeros.back(), std::byte{0}) << spec;
    EXPECT_EQ(ones.back(), std::byte{0xFF}) << spec;
  }
}

TEST(Synthetic, BadSpecsAreUsageErrorsThatNameWhatIsAllowed) {
  const std::pair<std::string, std::string> cases[] = {
      {"synthetic:", "give synthetic:CxHxW or synthetic:CxHxW:N"},
      {"synthetic:3x32", "give synthetic:CxHxW"},
      {"synthetic:3x32x32x2", "give synthetic:CxHxW"},
      {"synthetic:3x32x32:5:6", "give synthetic:CxHxW"},
      {"synthetic:0x32x32", "channels '0': give a whole number from 1 to 4096"},
      {"synthetic:3x-1x32", "height '-1': give a whole number"},
      {"synthetic:3x32x5000", "width '5000': give a whole number from 1 to 4096"},
      {"synthetic:3x32x99999999999999999999", "width '99999999999999999999'"},
      {"synthetic:3x32x32:0", "samples '0': give a whole number from 1 to"},
      {"synthetic:3x32x32:", "samples ''"},
      {"synthetic:3x32x32:99999999999", "samples '99999999999'"},
      {"synthetic:4096x4096x4096", "68719476736 bytes a sample: at most 16777216"},
  };
  for (const auto& [spec, said] : cases) {
    EXPECT_THAT(refusal<UsageError>(spec), AllOf(HasSubstr(spec), HasSubstr(said)));
  }
}

}  // namespace
}  // namespace dp
