// Files that are written while a run lasts: what arrives, and what goes wrong without harm.
// SPDX-License-Identifier: MIT
#include "base/output_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

struct OutputFileTest : testing::Test {
  OutputFileTest() {
    std::string pattern = (fs::temp_directory_path() / "dp-output-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~OutputFileTest() override { fs::remove_all(folder); }
  std::string path(const char* name) const { return (folder / name).string(); }
  fs::path folder;
};

TEST_F(OutputFileTest, TextArrivesInOrderInAFolderThatWasMissing) {
  OutputFile file(path("a/b/events"));
  for (int i = 0; i < 1000; ++i) file.append(std::to_string(i) + "\n");
  file.drain();
  std::string wanted;
  for (int i = 0; i < 1000; ++i) wanted += std::to_string(i) + "\n";
  EXPECT_EQ(read_text(path("a/b/events")), wanted);
  EXPECT_EQ(file.problem(), "");
}

TEST_F(OutputFileTest, WhatIsCutOffIsReplacedByWhatFollows) {
  OutputFile file(path("f"));
  file.append("0123456789");
  file.drain();
  file.cut(4);
  file.append("ab");
  file.drain();
  EXPECT_EQ(read_text(path("f")), "0123ab");
}

TEST_F(OutputFileTest, WhatWasHandedOverOpenIsGoneOnWithAndNeverCut) {
  const Fd given(::open(path("f").c_str(), O_RDWR | O_CREAT, 0600));
  ASSERT_TRUE(write_all(given.fd, "before\n"));
  OutputFile file("/proc/self/fd/" + std::to_string(given.fd));
  EXPECT_FALSE(file.regular()) << "whoever may cut it does";
  file.append("events\n");
  file.drain();
  ASSERT_TRUE(write_all(given.fd, "after\n"));
  EXPECT_EQ(read_text(path("f")), "before\nevents\nafter\n");
}

TEST_F(OutputFileTest, AFullDiskIsAProblemNotAFailure) {
  OutputFile file("/dev/full");
  file.append("x");
  file.drain();
  EXPECT_THAT(file.problem(), HasSubstr("/dev/full: No space left"));
  file.append("y");  // nobody waits for it
  file.drain();
}

TEST_F(OutputFileTest, AReaderThatLeftIsAProblemNotASignal) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  OutputFile file(path("pipe"));
  file.append("read");
  file.drain();
  char text[4];
  ASSERT_EQ(::read(reader, text, sizeof text), 4);
  ::close(reader);
  file.append("not read");
  file.drain();
  EXPECT_THAT(file.problem(), HasSubstr("Broken pipe"));
}

TEST_F(OutputFileTest, AReaderThatTakesNothingHoldsNobodyUp) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const Fd reader(::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK));
  OutputFile file(path("pipe"));
  const std::string much(std::size_t{33} << 20, 'x');  // more than a pipe holds
  while (file.problem().empty()) file.append(much);
  EXPECT_THAT(file.problem(), HasSubstr("faster than they are taken"));
}

TEST_F(OutputFileTest, WhatCannotBeOpenedIsRefusedByName) {
  try {
    OutputFile file("/proc/none");
    ADD_FAILURE() << "opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), StartsWith("/proc/none: "));
  }
}

/// Everything that can be read of a pipe until its writer has closed it.
std::string read_to_the_end(int pipe) {
  std::string all;
  char some[4096];
  for (ssize_t n; (n = ::read(pipe, some, sizeof some)) > 0;) all.append(some, static_cast<std::size_t>(n));
  return all;
}

TEST_F(OutputFileTest, APipeWithoutAReaderIsToldOfAndItsReaderGetsAll) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  auto file = std::make_unique<OutputFile>(path("pipe"));  // an open that waited would never return
  EXPECT_FALSE(file->unread()) << "a reader may be about to come";
  file->append("first\n");
  while (!file->unread()) std::this_thread::yield();
  file->append("second\n");
  const Fd reader(::open(path("pipe").c_str(), O_RDONLY));  // waits for the writer
  EXPECT_FALSE(file->regular());
  file->drain();
  EXPECT_FALSE(file->unread());
  EXPECT_EQ(file->problem(), "");
  file.reset();
  EXPECT_EQ(read_to_the_end(reader.fd), "first\nsecond\n");
}

TEST_F(OutputFileTest, APipeThatNobodyEverReadsIsAProblemInTheEnd) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  OutputFile file(path("pipe"));
  file.append("lost");
  file.drain();
  EXPECT_THAT(file.problem(), HasSubstr("nobody reads it"));
}

}  // namespace
}  // namespace dp
