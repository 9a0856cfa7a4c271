// Which files of a folder are its images, and of which class.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace dp {

struct ImageEntry {
  std::filesystem::path path;
  std::string name;  ///< below its class's folder
  Label label = no_label;
};

struct ImageTree {
  std::vector<ImageEntry> images;  ///< at least one
  std::string passed_over;         ///< what was left out and is no matter of course, in words; "": nothing
};

/// A sub-folder for each class, numbered by the order of their names, with whatever images lie in it at any depth, in the
/// order of torchvision's ImageFolder; or images in the folder itself, unlabelled. Hidden files are left out. Throws Error.
ImageTree find_images(const std::filesystem::path& folder);

}  // namespace dp
