// Where a tool finds what comes with it.
// SPDX-License-Identifier: MIT
#include "base/shared_files.hpp"

#include <gmock/gmock.h>

#include "base/file.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

class SharedFiles : public testing::Test {
 protected:
  SharedFiles() {
    std::string name = (fs::temp_directory_path() / "shared-XXXXXX").string();
    prefix_ = mkdtemp(name.data());
    write_atomically(prefix_ / "share/dataparallel/data/cifar10.sha256", "");
    fs::create_directories(prefix_ / "bin");
  }
  ~SharedFiles() override { fs::remove_all(prefix_); }
  fs::path prefix_;
};

TEST_F(SharedFiles, AreInTheShareFolderBesideBin) {
  EXPECT_EQ(shared_folder_of(prefix_ / "bin/dp-infer"), prefix_ / "share/dataparallel");
}

TEST_F(SharedFiles, MoveWithTheirTool) {
  const fs::path moved = prefix_.string() + "-moved";
  fs::rename(prefix_, moved);
  EXPECT_EQ(shared_folder_of(moved / "bin/dp-infer"), moved / "share/dataparallel");
  fs::rename(moved, prefix_);
}

TEST_F(SharedFiles, AreNotThereForAToolWithoutThem) {
  fs::remove(prefix_ / "share/dataparallel/data/cifar10.sha256");
  EXPECT_EQ(shared_folder_of(prefix_ / "bin/dp-infer"), "");
}

TEST(FindShared, TakesWhatComesWithTheToolsWhenTheFileIsNotThere) {
  const fs::path before = fs::current_path();
  fs::current_path("/");
  EXPECT_EQ(read_text(find_shared("data/cifar10.sha256")), read_text(DP_SOURCE_DIR "/data/cifar10.sha256"));
  EXPECT_EQ(find_shared("data/of/nobody.bin"), "data/of/nobody.bin");
  EXPECT_EQ(find_shared("/data/cifar10.sha256"), "/data/cifar10.sha256");
  fs::current_path(before);
}

TEST(FindShared, PrefersTheFileThatIsThere) {
  const fs::path before = fs::current_path();
  fs::current_path(DP_SOURCE_DIR);
  EXPECT_EQ(find_shared("data/cifar10.sha256"), "data/cifar10.sha256");
  fs::current_path(before);
}

}  // namespace
}  // namespace dp
