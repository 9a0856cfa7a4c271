// The choice between the kinds of data.
// SPDX-License-Identifier: MIT
#include "data/dataset.hpp"

#include <filesystem>
#include <utility>

#include "base/error.hpp"

namespace dp {
namespace {

constexpr std::string_view npy = "npy:", folder = "folder:", synthetic = "synthetic:";

/// The rest of `spec` after `prefix`, if it begins so.
bool after(std::string_view prefix, std::string_view spec, std::string_view& rest) {
  if (!spec.starts_with(prefix)) return false;
  rest = spec.substr(prefix.size());
  return true;
}

}  // namespace

Dataset::Dataset(std::string name, std::string digest, SampleId size, Shape shape,
                 std::vector<std::string> remarks)
    : name_(std::move(name)),
      digest_(std::move(digest)),
      size_(size),
      shape_(shape),
      remarks_(std::move(remarks)) {}

std::unique_ptr<Dataset> open_dataset(std::string_view spec) {
  std::string_view rest;
  if (spec.starts_with(synthetic)) return make_synthetic(spec);
  if (after(npy, spec, rest)) return open_npy(rest);
  if (after(folder, spec, rest)) return open_folder(rest);
  if (spec.ends_with(".npy")) throw UsageError("data '{}': give npy:{}", spec, spec);
  if (std::filesystem::is_directory(spec)) throw UsageError("data '{}': give folder:{}", spec, spec);
  return open_cifar10(spec);
}

}  // namespace dp
