// Files that are written beside a run: what arrives, and what goes wrong without harm.
// SPDX-License-Identifier: MIT
#include "collect/output_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "collect/batch_outputs.hpp"
#include "settled_batch.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
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

// ---- both outputs ----------------------------------------------------------------------------------------

TEST_F(OutputFileTest, ATraceIsAtItsPlaceWhenWholeAndNotBefore) {
  {
    BatchOutputs outputs("", path("trace"));
    outputs.opened(some_run, false);
    outputs.started(t0);
    outputs.settled(settled_batch(0, us(0)));
    EXPECT_THAT(outputs.pump(), IsEmpty());
    EXPECT_FALSE(fs::exists(path("trace")));
    EXPECT_THAT(outputs.close(), IsEmpty());
    EXPECT_THAT(read_text(path("trace")), testing::EndsWith("\n]\n"));
  }
  EXPECT_TRUE(fs::exists(path("trace")));
  EXPECT_FALSE(fs::exists(path("trace.part")));
}

TEST_F(OutputFileTest, EventsAreGoneOnWithInTheSameRunOnly) {
  const auto write = [&](RunId run, bool resumed, std::uint64_t batches) {
    BatchOutputs outputs(path("events"), "");
    outputs.opened(run, resumed);
    outputs.started(t0);
    for (std::uint64_t id = 0; id < batches; ++id) outputs.settled(settled_batch(id, us(0)));
    EXPECT_THAT(outputs.close(), IsEmpty());
    return read_text(path("events"));
  };
  const std::string two = write(some_run, false, 2);
  fs::resize_file(path("events"), two.size() - 5);
  const std::string three = write(some_run, true, 3);
  EXPECT_THAT(three, StartsWith(two));
  EXPECT_EQ(std::ranges::count(three, '\n'), 4);
  EXPECT_EQ(write(some_run, false, 2), two) << "a new run of the same id begins anew";
  EXPECT_EQ(std::ranges::count(write(RunId{0xAC}, true, 1), '\n'), 2);
}

TEST_F(OutputFileTest, AProblemIsToldOnceAndTheOtherOutputGoesOn) {
  BatchOutputs outputs("/dev/full", path("trace"));
  outputs.opened(some_run, false);
  outputs.started(t0);
  outputs.settled(settled_batch(0, us(0)));
  EXPECT_THAT(outputs.close(), ElementsAre(HasSubstr("/dev/full: No space left")));
  EXPECT_THAT(outputs.pump(), IsEmpty());
  EXPECT_TRUE(fs::exists(path("trace")));
}

}  // namespace
}  // namespace dp
