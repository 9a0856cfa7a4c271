// Reads a safetensors file: an 8-byte little-endian header length, a JSON header naming each tensor's dtype,
// shape and byte range, then the bytes. The file is not trusted: every figure is checked before it is used.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/file.hpp"

namespace dp {

enum class DType { f16, bf16, f32, i64 };

/// Bytes of one element.
std::size_t element_size(DType dtype);

/// One tensor: row-major, little-endian; `bytes` points into the file (no alignment promised).
struct TensorView {
  DType dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

using Metadata = std::map<std::string, std::string>;

struct SafetensorsIndex {
  std::map<std::string, TensorView> tensors;
  Metadata metadata;  ///< the header's __metadata__
};

/// Reads the bytes of a whole file; the views point into `file`. Throws Error.
SafetensorsIndex parse_safetensors(std::span<const std::byte> file);

/// A mapped safetensors file.
class Safetensors {
 public:
  /// Throws Error naming the path and what is wrong with the file.
  explicit Safetensors(const std::filesystem::path& path);
  const std::map<std::string, TensorView>& tensors() const { return index_.tensors; }
  const Metadata& metadata() const { return index_.metadata; }

 private:
  MappedFile file_;
  SafetensorsIndex index_;
};

}  // namespace dp
