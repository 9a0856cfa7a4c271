// The run files of tests/cli/data/runs/: one of each shape that dp.run/1 ever had, oldest first. They are history: none
// is ever changed or taken away. Whoever adds a key to run.json adds a file with it.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "support/source_dir.hpp"

namespace dp {

struct KeptRun {
  std::string name, text;
};

inline std::vector<KeptRun> kept_runs() {
  std::vector<KeptRun> runs;
  for (const auto& entry : std::filesystem::directory_iterator(DP_SOURCE_DIR "/tests/cli/data/runs"))
    runs.push_back({entry.path().filename().string(), read_text(entry.path())});
  std::ranges::sort(runs, {}, &KeptRun::name);
  return runs;
}

}  // namespace dp
