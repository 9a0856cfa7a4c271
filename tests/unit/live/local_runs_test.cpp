// Where dp-top finds a run that it was not told of, and whose runs it does not take for that.
// SPDX-License-Identifier: MIT
#include "live/local_runs.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <zmq.hpp>

#include "base/error.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// In a folder for temporary files of its own.
struct LocalRuns : testing::Test {
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "dp-XXXXXX";
    folder = ::mkdtemp(pattern.data());
    ::setenv("TMPDIR", folder.c_str(), 1);
  }
  void TearDown() override {
    before ? ::setenv("TMPDIR", before, 1) : ::unsetenv("TMPDIR");
    fs::remove_all(folder);
  }
  /// Somebody who publishes there.
  zmq::socket_t serve(const std::string& endpoint) {
    zmq::socket_t socket(context, zmq::socket_type::pub);
    socket.bind(endpoint);
    return socket;
  }

  const char* before = std::getenv("TMPDIR");
  fs::path folder;
  zmq::context_t context;
};

TEST_F(LocalRuns, AreLookedForInTmpdirOrTmp) {
  ::setenv("TMP", "/nowhere", 1);
  EXPECT_EQ(local_runs_folder().parent_path(), folder);
  ::unsetenv("TMPDIR");
  EXPECT_EQ(local_runs_folder().parent_path(), "/tmp");
  ::unsetenv("TMP");
}

TEST_F(LocalRuns, CannotBeWhereThereIsNoFolder) {
  ::setenv("TMPDIR", (folder / "none").c_str(), 1);
  EXPECT_THROW(LocalRun(), Error);
  EXPECT_EQ(latest_local_run(), "");
}

TEST_F(LocalRuns, AreNoneAtFirst) { EXPECT_EQ(latest_local_run(), ""); }

TEST_F(LocalRuns, AreFoundWhileTheyAreServed) {
  const LocalRun place;
  EXPECT_THAT(place.endpoint(), testing::StartsWith("ipc://" + local_runs_folder().string() + "/"));
  EXPECT_EQ(latest_local_run(), "");
  zmq::socket_t run = serve(place.endpoint());
  EXPECT_EQ(latest_local_run(), place.endpoint());
  run.close();
  context.close();
  EXPECT_EQ(latest_local_run(), "");
}

TEST_F(LocalRuns, AreFoundLatestFirst) {
  const LocalRun place;
  const fs::path runs = local_runs_folder();
  const zmq::socket_t older = serve("ipc://" + (runs / "2.live").string());
  const zmq::socket_t newer = serve("ipc://" + (runs / "1.live").string());
  fs::last_write_time(runs / "2.live", fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_EQ(latest_local_run(), "ipc://" + (runs / "1.live").string());
  fs::last_write_time(runs / "1.live", fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_EQ(latest_local_run(), "ipc://" + (runs / "2.live").string());
}

TEST_F(LocalRuns, SweepUpWhatEndedAndKilledRunsLeft) {
  const fs::path runs = local_runs_folder();
  std::string own;
  {
    const LocalRun place;
    own = place.endpoint().substr(6);
    const zmq::socket_t ended = serve(place.endpoint());
    const zmq::socket_t killed = serve("ipc://" + (runs / "1.live").string());
  }
  EXPECT_FALSE(fs::exists(own));
  context.close();
  zmq::context_t others;
  zmq::socket_t run(others, zmq::socket_type::pub);
  run.bind("ipc://" + (runs / "2.live").string());
  std::ofstream(runs / "notes.live") << "no socket";
  ASSERT_TRUE(fs::is_socket(runs / "1.live"));  // ZeroMQ leaves it, as a kill does
  const LocalRun next;
  EXPECT_FALSE(fs::exists(runs / "1.live"));
  EXPECT_TRUE(fs::exists(runs / "2.live"));
  EXPECT_TRUE(fs::exists(runs / "notes.live"));
}

TEST_F(LocalRuns, NeedAFolderThatNobodyElseMayEnter) {
  fs::create_directory(local_runs_folder());
  ::chmod(local_runs_folder().c_str(), 0755);
  const zmq::socket_t run = serve("ipc://" + (local_runs_folder() / "1.live").string());
  EXPECT_EQ(latest_local_run(), "");
  try {
    LocalRun{};
    FAIL() << "taken";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(),
                HasSubstr(local_runs_folder().string() + ": not a folder that only you may enter"));
  }
  ::chmod(local_runs_folder().c_str(), 0700);
  EXPECT_NE(latest_local_run(), "");
}

TEST_F(LocalRuns, FollowNoLinkToAFolder) {
  fs::create_directory(folder / "elsewhere");
  ::chmod((folder / "elsewhere").c_str(), 0700);
  fs::create_directory_symlink(folder / "elsewhere", local_runs_folder());
  EXPECT_THROW(LocalRun{}, Error);
}

TEST_F(LocalRuns, SayWhenTheFolderIsTooDeepForASocket) {
  const fs::path deep = folder / std::string(100, 'd');
  fs::create_directory(deep);
  ::setenv("TMPDIR", deep.c_str(), 1);
  EXPECT_THROW(LocalRun{}, Error);
}

}  // namespace
}  // namespace dp
