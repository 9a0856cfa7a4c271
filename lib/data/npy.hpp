// Reads NumPy's .npy files: a magic number, the version, a header that is the text of a Python dict, the elements. The
// file is not trusted: every figure is checked before it is used.
// Source: numpy/lib/format.py.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dp {

enum class NpyType { u8, u16, u32, u64, i8, i16, i32, i64, f32 };

/// One array: little-endian, in C order; `bytes` points into the file (no alignment promised).
struct NpyArray {
  NpyType type = NpyType::u8;
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> bytes;
};

/// Bytes of one element.
std::size_t element_size(NpyType type);

/// "uint8", "float32": NumPy's name.
std::string_view name_of(NpyType type);

/// Reads the bytes of a whole file; the array points into it. Throws Error that says what to do about it.
NpyArray parse_npy(std::span<const std::byte> file);

/// Element `at` of an array of integers; negative where 63 bits do not hold it, or it is no integer.
std::int64_t npy_integer(const NpyArray& array, std::uint64_t at);

/// The header that NumPy's own save would write for these: version 1.0, padded to 64 bytes.
std::string npy_header(NpyType type, const std::vector<std::uint64_t>& shape);

}  // namespace dp
