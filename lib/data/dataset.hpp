// Data sets: images by number, as uint8 planes with a label. Read-only, opened once by a spec on the command
// line.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/shape.hpp"

namespace dp {

/// Images of one shape, labelled or not; safe to read from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;

  /// What people call it: the files' names, or the synthetic spec.
  const std::string& name() const { return name_; }
  /// XXH3 of the file's bytes (of the files' digests if several; of the spec if synthetic), 32 hex digits. Equal digests
  /// mean equal samples and labels.
  const std::string& digest() const { return digest_; }
  /// Number of samples, at least 1.
  SampleId size() const { return size_; }
  Shape shape() const { return shape_; }
  /// What was passed over or mended when it was opened: a line each, for the person who gave the spec.
  const std::vector<std::string>& remarks() const { return remarks_; }
  /// Class of sample `id` < size(), or no_label.
  virtual Label label(SampleId id) const = 0;
  /// Writes the planar uint8 pixels (C×H×W) of sample `id` < size() to `out`, which holds shape().bytes().
  virtual void copy(SampleId id, std::span<std::byte> out) const = 0;

 protected:
  Dataset(std::string name, std::string digest, SampleId size, Shape shape,
          std::vector<std::string> remarks = {});

 private:
  std::string name_, digest_;
  SampleId size_;
  Shape shape_;
  std::vector<std::string> remarks_;
};

/// Opens CIFAR-10 binary files (`PATH[,PATH…]`, concatenated), `npy:IMAGES[,LABELS]`, `folder:DIR[,HxW]` or
/// `synthetic:CxHxW[:N]`. Throws UsageError for a malformed spec and Error for what is missing or not as it should be.
std::unique_ptr<Dataset> open_dataset(std::string_view spec);

// The kinds, which open_dataset chooses between; without the prefix but for the synthetic one.
std::unique_ptr<Dataset> open_cifar10(std::string_view paths);
std::unique_ptr<Dataset> open_npy(std::string_view files);
std::unique_ptr<Dataset> open_folder(std::string_view spec);
std::unique_ptr<Dataset> make_synthetic(std::string_view spec);

}  // namespace dp
