// Files: replaced whole or not at all, and errors that name the path.
// SPDX-License-Identifier: MIT
#include "base/file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <thread>

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

// ---- where outputs go ------------------------------------------------------------------------------------

TEST_F(File, ALinkIsFollowedAndWhatItLeadsToReplaced) {
  std::filesystem::create_directory(folder_ / "d");
  write_atomically(folder_ / "d" / "real", "old");
  std::filesystem::create_symlink("real", folder_ / "d" / "near");
  std::filesystem::create_symlink("d/near", folder_ / "far");
  const MappedFile old(folder_ / "d" / "real");
  write_atomically(folder_ / "far", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "far"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "d" / "near"));
  EXPECT_EQ(read_text(folder_ / "d" / "real"), "new");
  EXPECT_EQ(as_text(old.bytes()), "old") << "a reader of the old file keeps it";
}

TEST_F(File, ALinkToNothingMakesWhatItLeadsTo) {
  std::filesystem::create_symlink("later", folder_ / "link");
  write_atomically(folder_ / "link", "x");
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_text(folder_ / "later"), "x");
}

TEST_F(File, ALinkToItselfIsRefused) {
  std::filesystem::create_symlink("b", folder_ / "a");
  std::filesystem::create_symlink("a", folder_ / "b");
  EXPECT_THAT(message_of([&] { write_atomically(folder_ / "a", "x"); }), HasSubstr("symbolic links"));
}

TEST_F(File, ADeviceIsWrittenToAndItsErrorsAreTold) {
  std::filesystem::create_symlink("/dev/full", folder_ / "full");  // by a link: a mistake here spares the machine
  std::filesystem::create_symlink("/dev/null", folder_ / "null");
  EXPECT_THAT(message_of([&] { write_atomically(folder_ / "full", "x"); }), HasSubstr((folder_ / "full").string() + ": No space left"));
  EXPECT_EQ(message_of([&] { write_atomically(folder_ / "null", "x"); }), "");
  EXPECT_TRUE(std::filesystem::is_character_file(folder_ / "full"));
  EXPECT_TRUE(std::filesystem::is_character_file(folder_ / "null"));
}

TEST_F(File, APipeIsWrittenToAndStaysOne) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Fd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK));
  write_atomically(pipe, "text");
  char read[8];
  EXPECT_EQ(::read(reader.fd, read, sizeof read), 4);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST_F(File, APipeIsWaitedForUntilItsReaderComes) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { write_atomically(pipe, "text"); });
  EXPECT_EQ(read_text(pipe), "text");
  writer.join();
}

TEST_F(File, APipeThatNobodyReadsIsAnErrorAfterAWhile) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(message_of([&] { write_atomically(pipe, "x"); }), HasSubstr("pipe: nobody reads it"));
}

TEST_F(File, WhatIsOpenElsewhereIsWrittenInPlace) {
  const Fd file(::open((folder_ / "f").c_str(), O_RDWR | O_CREAT, 0600));
  write_atomically(fmt::format("/proc/self/fd/{}", file.fd), "x");
  char read[8];
  EXPECT_EQ(::pread(file.fd, read, sizeof read, 0), 1) << "the open file was replaced";
}

TEST_F(File, WhatWeHaveOpenIsGoneOnWithWhereItStands) {
  const Fd file(::open((folder_ / "f").c_str(), O_RDWR | O_CREAT, 0600));
  const auto link = fmt::format("/proc/self/fd/{}", file.fd);
  ASSERT_TRUE(write_all(file.fd, "before\n"));
  write_atomically(link, "page\n");
  ASSERT_TRUE(write_all(file.fd, "after\n"));
  EXPECT_EQ(read_text(folder_ / "f"), "before\npage\nafter\n");
  require_writable(link);
  const Fd unwritable(::open((folder_ / "f").c_str(), O_RDONLY));
  EXPECT_THAT(message_of([&] { require_writable(fmt::format("/proc/self/fd/{}", unwritable.fd)); }),
              HasSubstr("Bad file descriptor"));
}

TEST_F(File, AReaderThatTakesNothingIsAnErrorAfterAWhile) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Fd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK));
  const std::string much(std::size_t{2} << 20, 'x');  // more than a pipe holds
  EXPECT_THAT(message_of([&] { write_atomically(pipe, much); }), HasSubstr("pipe: its reader takes nothing"));
}

TEST_F(File, AReaderGetsMoreThanAPipeHolds) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string much(std::size_t{2} << 20, 'x');
  std::thread writer([&] { write_atomically(pipe, much); });
  EXPECT_EQ(read_text(pipe), much);
  writer.join();
}

/// What is said to somebody who is not root; "": nothing.
std::string said_to_nobody(const std::function<void()>& act) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string said = ::setuid(65534) == 0 ? message_of(act) : "setuid failed";
    ::_exit(write_all(ends[1], said) ? 0 : 1);
  }
  ::close(ends[1]);
  char text[1024];
  const ssize_t size = ::read(ends[0], text, sizeof text);
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

TEST_F(File, AnotherUsersFileInAStickyFolderIsFoundOutBefore) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs another user's files";
  ASSERT_EQ(::chmod(folder_.c_str(), 01777), 0);
  write_atomically(folder_ / "root's", "x");
  const auto refusal = [&](const char* name) {
    return said_to_nobody([&] { require_writable(folder_ / name); });
  };
  EXPECT_THAT(refusal("root's"), HasSubstr("root's: another user's"));
  EXPECT_EQ(refusal("new"), "");
  ASSERT_EQ(::chown((folder_ / "root's").c_str(), 65534, 65534), 0);
  EXPECT_EQ(refusal("root's"), "") << "their own";
  write_atomically(folder_ / "root's", "x");
  ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
  EXPECT_EQ(refusal("root's"), "") << "not sticky";
}

TEST_F(File, AProofThatAFileCanBeWrittenChangesAndLeavesNothing) {
  write_atomically(folder_ / "f", "old");
  require_writable(folder_ / "f");
  require_writable(folder_ / "new");
  require_writable(folder_ / "a" / "b" / "new");
  EXPECT_EQ(read_text(folder_ / "f"), "old");
  EXPECT_THAT(listing(), ElementsAre("f"));
}

TEST_F(File, WhatCannotBeWrittenIsFoundOutBefore) {
  write_atomically(folder_ / "f", "");
  const auto refusal = [](const std::filesystem::path& path) { return message_of([&] { require_writable(path); }); };
  EXPECT_THAT(refusal(folder_), HasSubstr("is a directory"));
  EXPECT_THAT(refusal(folder_ / ""), HasSubstr("is a directory"));
  EXPECT_THAT(refusal(folder_ / "f" / "g"), HasSubstr("Not a directory"));
  EXPECT_THAT(refusal(folder_ / std::string(300, 'x')), HasSubstr("too long"));
  EXPECT_THAT(refusal("/proc/none"), HasSubstr("/proc/none"));
}

TEST_F(File, AProofDoesNotOpenAPipe) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const Fd reader(::open((folder_ / "pipe").c_str(), O_RDONLY | O_NONBLOCK));
  require_writable(folder_ / "pipe");
  pollfd heard{reader.fd, POLLIN, 0};
  EXPECT_EQ(::poll(&heard, 1, 0), 0) << "the reader was told of an end";
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
