// What the targets share: a claim that ends the process when it does not hold, and changing an input part by part,
// so that its lengths (and checksums) stay right and the change is looked at.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace dp::fuzz {

/// Ends the process, which libFuzzer reports with the input, unless `holds`.
inline void claim(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not true: %s\n", what);
  std::abort();
}

/// Lets libFuzzer change one of the parts, which may grow by up to `room` bytes.
inline void change_one(std::vector<std::string>& parts, unsigned seed, std::size_t room) {
  std::string& part = parts[seed % parts.size()];
  const std::size_t size = part.size();
  part.resize(size + room);
  part.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(part.data()), size, part.size()));
}

/// The body of LLVMFuzzerCustomMutator: splits the input, has one part changed and joins the parts. One time in
/// sixteen, and when the input cannot be split, the whole is changed instead.
template <class Split, class Join>
std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed, Split split,
                   Join join) {
  std::vector<std::string> parts = split(std::string_view(reinterpret_cast<const char*>(data), size));
  if (parts.empty() || seed % 16 == 0) return LLVMFuzzerMutate(data, size, max_size);
  change_one(parts, seed / 16, max_size - size);
  const std::string joined = join(parts);
  if (joined.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  joined.copy(reinterpret_cast<char*>(data), joined.size());
  return joined.size();
}

}  // namespace dp::fuzz
