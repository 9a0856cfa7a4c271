// NumPy's files: headers as numpy.save of NumPy 2.4 writes them, arrays in each layout, and what is said about bad ones.
// SPDX-License-Identifier: MIT
#include "data/npy.hpp"

#include <gmock/gmock.h>

#include <cstring>

#include "base/file.hpp"
#include "scratch_folder.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// An .npy file: this dict, padded as NumPy does (128 bytes before the data), and these elements.
template <class T>
std::string npy(std::string dict, const std::vector<T>& elements) {
  dict.resize(117, ' ');
  std::string text("\x93NUMPY\x01\x00v\x00", 10);
  text += dict + '\n';
  return text.append(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T));
}

std::string dict(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
}

std::vector<std::uint8_t> counting(std::size_t n) {
  std::vector<std::uint8_t> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(static_cast<std::uint8_t>(i));
  return values;
}

class Npy : public ScratchFolder {};

TEST_F(Npy, ChannelsFirstIsTakenAsItLies) {
  const auto path = write("a.npy", npy(dict("|u1", "(2, 3, 2, 2)"), counting(24)));
  const auto data = open_dataset("npy:" + path);
  EXPECT_EQ(data->size(), 2u);
  EXPECT_EQ(data->shape(), (Shape{3, 2, 2}));
  EXPECT_EQ(data->name(), "a.npy");
  EXPECT_EQ(data->digest(), digest(MappedFile(path).bytes()));
  EXPECT_THAT(pixels_of(*data, 1), ElementsAre(12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23));
}

TEST_F(Npy, ChannelsLastIsTurnedIntoPlanes) {
  const auto data = open_dataset("npy:" + write("a.npy", npy(dict("|u1", "(2, 5, 1, 3)"), counting(30))));
  EXPECT_EQ(data->shape(), (Shape{3, 5, 1}));
  EXPECT_THAT(pixels_of(*data, 1), ElementsAre(15, 18, 21, 24, 27, 16, 19, 22, 25, 28, 17, 20, 23, 26, 29));
}

TEST_F(Npy, ThreeDimensionsAreImagesOfOneChannel) {
  const auto data = open_dataset("npy:" + write("a.npy", npy(dict("|u1", "(2, 28, 28)"), counting(1568))));
  EXPECT_EQ(data->shape(), (Shape{1, 28, 28}));
  EXPECT_EQ(pixels_of(*data, 1)[0], 784 % 256);
}

TEST_F(Npy, ImagesAsLargeAsImageNetsAreTaken) {
  const auto data = open_dataset(
      "npy:" + write("a.npy", npy(dict("|u1", "(2, 224, 224, 3)"), counting(2 * 224 * 224 * 3))));
  EXPECT_EQ(data->shape(), (Shape{3, 224, 224}));
  EXPECT_EQ(pixels_of(*data, 0)[224 * 224], 1) << "the second channel begins with the second byte";
}

TEST_F(Npy, Float32FromZeroToOneIsRoundedTo255Steps) {
  const std::vector<float> values{0, 1, 0.5F, 100 / 255.0F, 0.0019F, 0.0020F};
  const auto path = write("a.npy", npy(dict("<f4", "(1, 3, 1, 2)"), values));
  const auto data = open_dataset("npy:" + path);
  EXPECT_THAT(pixels_of(*data, 0),
              ElementsAre(0, 255, 128, 100, 0, 1));  // 255 × 0.0019 = 0.48, × 0.0020 = 0.51
}

TEST_F(Npy, Float32KeepsItsChannelsApartToo) {
  std::vector<float> values;
  for (int i = 0; i < 18; ++i) values.push_back(static_cast<float>(i) / 255);
  const auto data = open_dataset("npy:" + write("a.npy", npy(dict("<f4", "(1, 6, 1, 3)"), values)));
  EXPECT_THAT(pixels_of(*data, 0), ElementsAre(0, 3, 6, 9, 12, 15, 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17));
}

TEST_F(Npy, WithoutLabelsThereIsNone) {
  const auto data = open_dataset("npy:" + write("a.npy", npy(dict("|u1", "(2, 1, 2, 2)"), counting(8))));
  EXPECT_EQ(data->label(0), no_label);
  EXPECT_EQ(data->label(1), no_label);
}

TEST_F(Npy, LabelsOfAnyIntegerTypeAreTaken) {
  const auto images = write("a.npy", npy(dict("|u1", "(2, 1, 2, 2)"), counting(8)));
  const std::string files[] = {write("i8.npy", npy(dict("<i8", "(2,)"), std::vector<std::int64_t>{3, 200})),
                               write("i4.npy", npy(dict("<i4", "(2,)"), std::vector<std::int32_t>{3, 200})),
                               write("u2.npy", npy(dict("<u2", "(2,)"), std::vector<std::uint16_t>{3, 200})),
                               write("u1.npy", npy(dict("|u1", "(2,)"), std::vector<std::uint8_t>{3, 200}))};
  for (const auto& labels : files) {
    const auto data = open_dataset("npy:" + images + "," + labels);
    EXPECT_EQ(data->label(0), 3) << labels;
    EXPECT_EQ(data->label(1), 200) << labels;
    EXPECT_NE(data->digest(), open_dataset("npy:" + images)->digest()) << labels;
  }
}

TEST_F(Npy, BadLabelsAreRefused) {
  const auto images = write("a.npy", npy(dict("|u1", "(2, 1, 2, 2)"), counting(8)));
  const auto with = [&](const std::string& descr, const std::string& shape, const auto& values) {
    return refusal_of("npy:" + images + "," + write("l.npy", npy(dict(descr, shape), values)));
  };
  using Longs = std::vector<std::int64_t>;
  EXPECT_THAT(with("<i8", "(3,)", Longs{1, 2, 3}), AllOf(HasSubstr("l.npy: shape 3"), HasSubstr("2 images")));
  EXPECT_THAT(with("<i8", "(2, 1)", Longs{1, 2}), HasSubstr("shape 2x1"));
  EXPECT_THAT(with("<i8", "(2,)", Longs{1, -1}), HasSubstr("label -1 of sample 1"));
  EXPECT_THAT(with("<i8", "(2,)", Longs{65535, 1}), HasSubstr("label 65535 of sample 0"));
  EXPECT_THAT(with("<f4", "(2,)", std::vector<float>{1, 2}), HasSubstr("astype('int64')"));
}

TEST_F(Npy, BadPixelsAreRefused) {
  const auto with = [&](const std::string& descr, const std::string& shape, const auto& values) {
    return refusal_of("npy:" + write("a.npy", npy(dict(descr, shape), values)));
  };
  const std::vector<float> floats{0, 0.5F, 1, 1.5F};
  EXPECT_THAT(with("<f4", "(2, 1, 1, 2)", floats),
              AllOf(HasSubstr("a.npy: 1.5 in sample 1"), HasSubstr("255")));
  EXPECT_THAT(with("<f4", "(1, 1, 1, 1)", std::vector<float>{NAN}), HasSubstr("nan in sample 0"));
  EXPECT_THAT(with("<i8", "(1, 1, 1, 1)", std::vector<std::int64_t>{1}), HasSubstr("pixels of int64"));
  EXPECT_THAT(with("|u1", "(8,)", counting(8)), HasSubstr("1 dimensions (8): give images as NxCxHxW"));
  EXPECT_THAT(with("|u1", "(0, 3, 2, 2)", counting(0)), HasSubstr("0 samples"));
  EXPECT_THAT(with("|u1", "(1, 3, 0, 2)", counting(0)), HasSubstr("samples of 3x0x2"));
  EXPECT_THAT(with("|u1", "(1, 70000, 1, 5)", counting(350'000)), HasSubstr("samples of 70000x1x5"));
}

TEST_F(Npy, SpecsAreChecked) {
  EXPECT_THROW(open_dataset("npy:"), UsageError);
  EXPECT_THROW(open_dataset("npy:a,b,c"), UsageError);
  EXPECT_THAT(refusal_of("images.npy"), HasSubstr("give npy:images.npy"));
  EXPECT_THAT(refusal_of("npy:no/such.npy"), HasSubstr("no/such.npy: no such file"));
}

struct Malformed {
  std::string name, bytes, said;
};

class MalformedNpy : public testing::TestWithParam<Malformed> {};

std::vector<Malformed> malformed() {
  const std::string good = npy(dict("|u1", "(2, 2)"), counting(4));
  const auto with = [&](std::size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    return bytes;
  };
  return {
      {"Empty", "", "not an .npy file"},
      {"Magic", with(0, 'x'), "not an .npy file"},
      {"Zip", "PK\x03\x04 and so on", ".npz archive"},
      {"Version", with(6, 9), "version 9"},
      {"HeaderLongerThanTheFile", with(9, 0x7F), "in a file of 132: cut off"},
      {"HeaderTooLong", std::string("\x93NUMPY\x02\x00\xFF\xFF\xFF\x7F", 12) + good,
       "header of 2147483647 bytes"},
      {"CutOffInTheHeader", good.substr(0, 50), "cut off"},
      {"CutOffInTheData", good.substr(0, good.size() - 1),
       "says 2x2 of uint8, 4 bytes, and 3 bytes follow: cut off"},
      {"MoreThanItSays", good + "x", "4 bytes, and 5 bytes follow"},
      {"FortranOrder", npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2)}", counting(4)),
       "Fortran order"},
      {"BigEndian", npy(dict(">f4", "(1,)"), counting(4)), "'>f4' is big-endian"},
      {"Float64", npy(dict("<f8", "(1,)"), counting(8)), "dtype '<f8'"},
      {"Objects", npy(dict("|O", "(1,)"), counting(8)), "dtype '|O'"},
      {"NoType", npy(dict("", "(1,)"), counting(8)), "dtype ''"},
      {"Records", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", counting(4)),
       "records"},
      {"NoShape", npy("{'descr': '|u1', 'fortran_order': False}", counting(4)), "shape is missing"},
      {"Twice", npy("{'descr': '|u1', 'descr': '|u1'}", counting(4)), "'descr' is unknown or named twice"},
      {"NotClosed", npy("{'descr': '|u1", counting(4)), "without an end"},
      {"Negative", npy(dict("|u1", "(-2, 2)"), counting(4)), "whole number"},
      {"Overflow", npy(dict("|u1", "(4294967296, 4294967296, 2)"), counting(4)), "overflows 64 bits"},
      {"Beyond64Bits", npy(dict("|u1", "(99999999999999999999999,)"), counting(4)), "64 bits"},
      {"NotADict", npy("[1, 2]", counting(4)), "expected '{'"},
  };
}

INSTANTIATE_TEST_SUITE_P(Npy, MalformedNpy, testing::ValuesIn(malformed()),
                         [](const auto& info) { return info.param.name; });

TEST_P(MalformedNpy, IsRefusedWithWhatIsWrong) {
  try {
    parse_npy(std::as_bytes(std::span(GetParam().bytes)));
    FAIL() << "nothing was refused";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr(GetParam().said));
  }
}

TEST(NpyHeader, ScalarsAndVersion2AreRead) {
  const std::string text("{'descr': \"|u1\", 'shape': (), 'fortran_order': False}");
  std::string bytes("\x93NUMPY\x02\x00", 8);
  bytes += static_cast<char>(text.size());
  bytes += std::string(3, '\0') + text + "A";
  const NpyArray array = parse_npy(std::as_bytes(std::span(bytes)));
  EXPECT_TRUE(array.shape.empty());
  EXPECT_EQ(array.bytes.size(), 1u);
}

}  // namespace
}  // namespace dp
