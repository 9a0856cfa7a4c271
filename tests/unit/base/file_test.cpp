// Files: replaced whole or not at all, and errors that name the path.
// SPDX-License-Identifier: MIT
#include "base/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/error.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class File : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "dp-file-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> listing() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      names.push_back(entry.path().filename());
    return names;
  }

  std::filesystem::path folder_;
};

template <class F>
std::string message_of(F&& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_F(File, WhatIsWrittenIsRead) {
  const std::string text("a\0b\n", 4);
  write_atomically(folder_ / "f", text);
  EXPECT_EQ(read_text(folder_ / "f"), text);
  EXPECT_EQ(as_text(MappedFile(folder_ / "f").bytes()), text);
}

TEST_F(File, AByteOrderMarkInFrontIsNoText) {
  write_atomically(folder_ / "f", "\xEF\xBB\xBFstrategy,p50\n");
  EXPECT_EQ(read_text(folder_ / "f"), "strategy,p50\n");
  write_atomically(folder_ / "f", "a\xEF\xBB\xBF");
  EXPECT_EQ(read_text(folder_ / "f"), "a\xEF\xBB\xBF") << "elsewhere it is";
}

TEST_F(File, AnEmptyFileIsEmptyText) {
  write_atomically(folder_ / "f", "");
  EXPECT_EQ(read_text(folder_ / "f"), "");
  EXPECT_TRUE(MappedFile(folder_ / "f").bytes().empty());
}

TEST_F(File, ReplacingLeavesOneFileOnly) {
  write_atomically(folder_ / "f", "long old text");
  write_atomically(folder_ / "f", "new");
  EXPECT_EQ(read_text(folder_ / "f"), "new");
  EXPECT_THAT(listing(), ElementsAre("f"));
}

TEST_F(File, MissingFoldersAreMade) {
  write_atomically(folder_ / "a" / "b" / "f", "x");
  EXPECT_EQ(read_text(folder_ / "a" / "b" / "f"), "x");
}

TEST_F(File, AReaderOfTheOldFileKeepsIt) {
  write_atomically(folder_ / "f", "old");
  const MappedFile old(folder_ / "f");
  write_atomically(folder_ / "f", "new");
  EXPECT_EQ(as_text(old.bytes()), "old");
}

TEST_F(File, AFailedReplacementLeavesNothingBehind) {
  std::filesystem::create_directory(folder_ / "taken");
  EXPECT_THAT(message_of([&] { write_atomically(folder_ / "taken", "x"); }),
              HasSubstr((folder_ / "taken").string()));
  EXPECT_THAT(listing(), ElementsAre("taken"));
}

TEST_F(File, AParentThatIsAFileIsNamed) {
  write_atomically(folder_ / "f", "x");
  EXPECT_THAT(message_of([&] { write_atomically(folder_ / "f" / "g", "x"); }),
              AllOf(HasSubstr((folder_ / "f").string()), HasSubstr("Not a directory")));
}

TEST_F(File, ErrorsNameThePathAndTheReason) {
  const std::string missing = folder_ / "missing";
  EXPECT_THAT(message_of([&] { MappedFile file(missing); }),
              AllOf(HasSubstr(missing), HasSubstr("No such file")));
  EXPECT_THAT(message_of([&] { read_text(missing); }), AllOf(HasSubstr(missing), HasSubstr("No such file")));
  EXPECT_THAT(message_of([&] { MappedFile file(folder_); }),
              AllOf(HasSubstr(folder_.string()), HasSubstr("not a regular file")));
  EXPECT_THAT(message_of([&] { read_text(folder_); }),
              AllOf(HasSubstr(folder_.string()), HasSubstr("directory")));
}

TEST_F(File, AMappingMoves) {
  write_atomically(folder_ / "a", "aa");
  write_atomically(folder_ / "b", "b");
  MappedFile a(folder_ / "a"), b(folder_ / "b");
  a = std::move(b);
  EXPECT_EQ(as_text(a.bytes()), "b");
  const MappedFile c(std::move(a));
  EXPECT_EQ(as_text(c.bytes()), "b");
  EXPECT_THAT(a.bytes(), IsEmpty());  // NOLINT: what is left of it is the point
}

TEST(Digest, IsXxh3) {
  // Vectors of the xxHash project for the empty input (xxhsum -H2, -H3).
  EXPECT_EQ(digest({}), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(checksum({}), 0x2D06800538D394C2U);
}

TEST(Digest, TellsBytesApart) {
  const std::byte a[] = {std::byte{1}, std::byte{2}}, b[] = {std::byte{2}, std::byte{1}};
  EXPECT_NE(digest(a), digest(b));
  EXPECT_NE(checksum(a), checksum(b));
}

}  // namespace
}  // namespace dp
