// Files made by hand after the format's description (github.com/huggingface/safetensors, "Format").
// SPDX-License-Identifier: MIT
#include "infer/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <ostream>
#include <string>

#include "base/error.hpp"

namespace dp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string length_prefix(std::uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xFF);
  return bytes;
}

std::string make_file(const std::string& header, std::size_t data_bytes) {
  std::string file = length_prefix(header.size()) + header;
  for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i);
  return file;
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string complaint_about(const std::string& file) {
  try {
    parse_safetensors(bytes_of(file));
    return "accepted";
  } catch (const Error& problem) {
    return problem.what();
  }
}

TEST(Safetensors, GivesEachTensorItsTypeShapeAndBytes) {
  const std::string file = make_file(
      R"({"b":{"dtype":"F16","shape":[2,1],"data_offsets":[8,12]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
      12);
  const SafetensorsIndex index = parse_safetensors(bytes_of(file));
  ASSERT_EQ(index.tensors.size(), 2u);
  const TensorView& a = index.tensors.at("a");
  EXPECT_EQ(a.dtype, DType::f32);
  EXPECT_THAT(a.shape, ElementsAre(2));
  EXPECT_EQ(a.bytes.size(), 8u);
  const TensorView& b = index.tensors.at("b");
  EXPECT_EQ(b.dtype, DType::f16);
  EXPECT_THAT(b.shape, ElementsAre(2, 1));
  EXPECT_THAT(b.bytes, ElementsAre(std::byte{8}, std::byte{9}, std::byte{10}, std::byte{11}));
}

TEST(Safetensors, GivesTheMetadata) {
  const std::string file = make_file(R"({"__metadata__":{"mean":"0.5,0.5,0.5","format":"pt"}})", 0);
  const SafetensorsIndex index = parse_safetensors(bytes_of(file));
  EXPECT_TRUE(index.tensors.empty());
  EXPECT_EQ(index.metadata.at("mean"), "0.5,0.5,0.5");
  EXPECT_EQ(index.metadata.at("format"), "pt");
}

TEST(Safetensors, KnowsTheSizeOfEachType) {
  for (const auto& [dtype, size] : {std::pair("F16", 2), {"BF16", 2}, {"F32", 4}, {"I64", 8}}) {
    const std::string header =
        fmt::format(R"({{"t":{{"dtype":"{}","shape":[3],"data_offsets":[0,{}]}}}})", dtype, 3 * size);
    EXPECT_EQ(complaint_about(make_file(header, static_cast<std::size_t>(3 * size))), "accepted") << dtype;
  }
}

TEST(Safetensors, TakesScalarsEmptyTensorsAndPaddedHeaders) {
  const std::string header =
      R"({"scalar":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"none":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]}}   )";
  const std::string file = make_file(header, 4);
  const SafetensorsIndex index = parse_safetensors(bytes_of(file));
  EXPECT_EQ(index.tensors.at("scalar").bytes.size(), 4u);
  EXPECT_TRUE(index.tensors.at("none").bytes.empty());
}

struct Hostile {
  const char* name;
  std::string file;
  const char* complaint;
};

void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.name; }

class HostileFile : public testing::TestWithParam<Hostile> {};

TEST_P(HostileFile, IsRefusedWithAReason) {
  EXPECT_THAT(complaint_about(GetParam().file), HasSubstr(GetParam().complaint));
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets,
                std::size_t data) {
  return make_file(
      fmt::format(R"({{"t":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype, shape, offsets), data);
}

std::string two(const std::string& first, const std::string& second, std::size_t data) {
  return make_file(fmt::format(R"({{"a":{{"dtype":"F32","shape":[2],"data_offsets":{}}},)"
                               R"("b":{{"dtype":"F32","shape":[2],"data_offsets":{}}}}})",
                               first, second),
                   data);
}

INSTANTIATE_TEST_SUITE_P(
    Safetensors, HostileFile,
    testing::Values(
        Hostile{"Empty", "", "too short"}, Hostile{"SevenBytes", "1234567", "too short"},
        Hostile{"LengthPastTheEnd", length_prefix(3) + "{}", "truncated"},
        Hostile{"LengthOverTheLimit", length_prefix(100'000'001) + "{}", "limit"},
        Hostile{"LengthOf64Ones", length_prefix(UINT64_MAX) + "{}", "limit"},
        Hostile{"NoHeader", length_prefix(0), "not JSON"},
        Hostile{"HeaderNotJson", make_file("{\"a\":", 0), "not JSON"},
        Hostile{"HeaderNotUtf8", make_file("{\"\xff\":{}}", 0), "not JSON"},
        Hostile{"HeaderAList", make_file("[]", 0), "not an object"},
        Hostile{"HeaderNestedDeep", make_file(std::string(100'000, '['), 0), "nested deeper"},
        Hostile{"EntryNotAnObject", make_file(R"({"t":3})", 0), "not described by an object"},
        Hostile{"NamedTwice",
                make_file(R"({"t":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},)"
                          R"("t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                          4),
                "named twice"},
        Hostile{"NoShape", make_file(R"({"t":{"dtype":"F32","data_offsets":[0,4]}})", 4), "no shape"},
        Hostile{"UnknownType", one(R"("F8_E4M3")", "[1]", "[0,1]", 1), "'F8_E4M3'"},
        Hostile{"TypeNotText", one("32", "[1]", "[0,4]", 4), "must be text"},
        Hostile{"ShapeNotAList", one(R"("F32")", "1", "[0,4]", 4), "must be a list"},
        Hostile{"NegativeSize", one(R"("F32")", "[-1,-1]", "[0,4]", 4), "whole numbers"},
        Hostile{"FractionalSize", one(R"("F32")", "[1.0]", "[0,4]", 4), "whole numbers"},
        Hostile{"ProductOverflowsToNothing", one(R"("F32")", "[4294967296,4294967296]", "[0,0]", 0),
                "overflows"},
        Hostile{"ProductOverflowsToTheSize", one(R"("F32")", "[9223372036854775807,3]", "[0,4]", 4),
                "overflows"},
        Hostile{"SizeOver63Bits", one(R"("F16")", "[9223372036854775808,0]", "[0,0]", 0), "overflows"},
        Hostile{"ShapeSmallerThanBytes", one(R"("F32")", "[1]", "[0,8]", 8), "takes 4 bytes"},
        Hostile{"ShapeLargerThanBytes", one(R"("F32")", "[3]", "[0,8]", 8), "takes 12 bytes"},
        Hostile{"OneOffset", one(R"("F32")", "[1]", "[0]", 4), "[begin, end]"},
        Hostile{"NegativeOffset", one(R"("F32")", "[1]", "[-4,0]", 4), "whole numbers"},
        Hostile{"OffsetsBackwards", one(R"("F32")", "[1]", "[4,0]", 4), "not inside"},
        Hostile{"OffsetPastTheData", one(R"("F32")", "[2]", "[0,8]", 7), "not inside"},
        Hostile{"OffsetOf64Bits", one(R"("F32")", "[1]", "[18446744073709551612,18446744073709551615]", 4),
                "not inside"},
        Hostile{"SameBytesTwice", two("[0,8]", "[0,8]", 8), "overlaps"},
        Hostile{"Overlap", two("[0,8]", "[4,12]", 12), "overlaps"},
        Hostile{"Hole", two("[0,8]", "[12,20]", 20), "belong to none"},
        Hostile{"BytesLeftOver", two("[0,8]", "[8,16]", 17), "belong to none"},
        Hostile{"MetadataNotAnObject", make_file(R"({"__metadata__":[]})", 0), "__metadata__"},
        Hostile{"MetadataNotText", make_file(R"({"__metadata__":{"mean":0.5}})", 0), "must be text"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Safetensors, EveryTruncationOfAGoodFileIsRefused) {
  const std::string file = make_file(R"({"t":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", 12);
  ASSERT_EQ(complaint_about(file), "accepted");
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_NE(complaint_about(file.substr(0, size)), "accepted") << size << " bytes";
  }
}

TEST(Safetensors, NamesTheFileInItsErrors) {
  const auto path = std::filesystem::path(testing::TempDir()) / "short.safetensors";
  write_atomically(path, "123");
  try {
    Safetensors file(path);
    FAIL() << "accepted";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr(path.string() + ": 3 bytes is too short"));
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace dp
