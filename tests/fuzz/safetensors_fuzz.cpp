// Weights files: taken or refused with Error; the tensors of one that is taken lie inside the file, cover its data
// and have the sizes their shapes say.
// SPDX-License-Identifier: MIT
#include <cstring>

#include "base/error.hpp"
#include "infer/safetensors.hpp"
#include "parts.hpp"

namespace {

constexpr std::size_t prefix = 8;

/// Header text and data; nothing if the length is not true.
std::vector<std::string> split(std::string_view whole) {
  std::uint64_t length = 0;
  if (whole.size() < prefix) return {};
  std::memcpy(&length, whole.data(), prefix);
  if (length > whole.size() - prefix) return {};
  return {std::string(whole.substr(prefix, length)), std::string(whole.substr(prefix + length))};
}

std::string join(const std::vector<std::string>& parts) {
  const std::uint64_t length = parts[0].size();
  return std::string(reinterpret_cast<const char*>(&length), prefix) + parts[0] + parts[1];
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return dp::fuzz::mutate(data, size, max_size, seed, split, join);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dp::SafetensorsIndex index;
  try {
    index = dp::parse_safetensors(std::as_bytes(std::span(data, size)));
  } catch (const dp::Error&) {
    return 0;
  }
  std::size_t covered = 0;
  for (const auto& [name, view] : index.tensors) {
    std::size_t elements = 1;
    for (const std::int64_t n : view.shape) elements *= static_cast<std::size_t>(n);
    dp::fuzz::claim(view.bytes.size() == elements * dp::element_size(view.dtype), "the size is the shape's");
    const std::string bytes(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
    covered += bytes.size();
  }
  std::uint64_t length = 0;
  std::memcpy(&length, data, prefix);
  dp::fuzz::claim(covered == size - prefix - length, "the tensors cover the data");
  return 0;
}
