// SPDX-License-Identifier: MIT
#include "base/shared_files.hpp"

#include "base/error.hpp"
#include "base/version.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

constexpr const char* in_a_build = "../share/dataparallel";
constexpr const char* sign = "data/cifar10.sha256";  // of the right folder

fs::path this_executable() { return fs::read_symlink("/proc/self/exe"); }

}  // namespace

fs::path shared_folder_of(const fs::path& executable) {
  for (const char* there : {share_from_bin, in_a_build}) {
    const fs::path folder = (executable.parent_path() / there).lexically_normal();
    if (fs::exists(folder / sign)) return folder;
  }
  return {};
}

fs::path shared_folder() {
  const fs::path tool = this_executable(), folder = shared_folder_of(tool);
  if (!folder.empty()) return folder;
  throw Error("{}: not there, and the tool's data and templates with it (move bin and share together)",
              (tool.parent_path() / share_from_bin).lexically_normal().string());
}

fs::path find_shared(const fs::path& path) {
  if (path.is_absolute() || fs::exists(path)) return path;
  const fs::path folder = shared_folder_of(this_executable());
  return !folder.empty() && fs::exists(folder / path) ? folder / path : path;
}

}  // namespace dp
