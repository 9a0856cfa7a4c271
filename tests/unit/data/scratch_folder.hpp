// A folder of a test's own, gone after it; and what a bad data set is refused with.
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/dataset.hpp"

namespace dp {

class ScratchFolder : public testing::Test {
 protected:
  ScratchFolder() { std::filesystem::create_directories(folder_); }
  ~ScratchFolder() override { std::filesystem::remove_all(folder_); }

  /// Writes a file, making the folders on the way, and returns its path.
  std::string write(const std::string& name, const std::string& bytes) {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("dp-data-") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

inline std::string refusal_of(const std::string& spec) {
  try {
    open_dataset(spec);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

inline std::vector<int> pixels_of(const Dataset& data, SampleId id) {
  std::vector<std::byte> bytes(data.shape().bytes());
  data.copy(id, bytes);
  std::vector<int> pixels;
  for (const std::byte byte : bytes) pixels.push_back(std::to_integer<int>(byte));
  return pixels;
}

}  // namespace dp
