// --events and --trace on their way into files: what is gone on with, what is replaced, what is told.
// SPDX-License-Identifier: MIT
#include "collect/batch_outputs.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "settled_batch.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct BatchOutputsTest : testing::Test {
  BatchOutputsTest() {
    std::string pattern = (fs::temp_directory_path() / "dp-outputs-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~BatchOutputsTest() override { fs::remove_all(folder); }
  std::string path(const char* name) const { return (folder / name).string(); }
  fs::path folder;
};

TEST_F(BatchOutputsTest, ATraceIsAtItsPlaceWhenWholeAndNotBefore) {
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

TEST_F(BatchOutputsTest, EventsAreGoneOnWithInTheSameRunOnly) {
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

TEST_F(BatchOutputsTest, AProblemIsToldOnceAndTheOtherOutputGoesOn) {
  BatchOutputs outputs("/dev/full", path("trace"));
  outputs.opened(some_run, false);
  outputs.started(t0);
  outputs.settled(settled_batch(0, us(0)));
  EXPECT_THAT(outputs.close(), ElementsAre(HasSubstr("/dev/full: No space left")));
  EXPECT_THAT(outputs.pump(), IsEmpty());
  EXPECT_TRUE(fs::exists(path("trace")));
}

TEST_F(BatchOutputsTest, ATraceThatIsALinkIsReplacedWhereItLeads) {
  fs::create_symlink("real", path("trace"));
  BatchOutputs outputs("", path("trace"));
  outputs.opened(some_run, false);
  EXPECT_THAT(outputs.close(), IsEmpty());
  EXPECT_TRUE(fs::is_symlink(path("trace")));
  EXPECT_THAT(read_text(path("real")), testing::EndsWith("\n]\n"));
}

TEST_F(BatchOutputsTest, ATraceIntoADeviceIsWrittenThere) {
  fs::create_symlink("/dev/full", path("trace"));
  BatchOutputs outputs("", path("trace"));
  outputs.opened(some_run, false);
  EXPECT_THAT(outputs.close(), ElementsAre(HasSubstr("/dev/full: No space left")));
  EXPECT_TRUE(fs::is_character_file(path("trace")));
}

TEST_F(BatchOutputsTest, APipeThatNobodyReadsIsToldOfOnceAndNobodyWaits) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  BatchOutputs outputs(path("pipe"), "");
  outputs.opened(some_run, false);
  std::vector<std::string> told;
  while (told.empty()) told = outputs.pump();
  EXPECT_THAT(told, ElementsAre(HasSubstr("pipe: nobody reads it")));
  EXPECT_THAT(outputs.pump(), IsEmpty());
}

}  // namespace
}  // namespace dp
