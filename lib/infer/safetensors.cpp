// SPDX-License-Identifier: MIT
#include "infer/safetensors.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace dp {
namespace {

using nlohmann::json;

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t max_header = 100'000'000;  // the format's own limit
constexpr int max_json_depth = 8;                  // a valid header needs 3

std::string_view header_text(std::span<const std::byte> file) {
  if (file.size() < length_bytes) {
    throw Error("{} bytes is too short for a safetensors file", file.size());
  }
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) length = length << 8 | std::to_integer<std::uint64_t>(file[i]);
  if (length > max_header)
    throw Error("header of {} bytes, the limit is {}: not a safetensors file?", length, max_header);
  if (length > file.size() - length_bytes) {
    throw Error("header of {} bytes in a file of {}: truncated, fetch it again", length, file.size());
  }
  return {reinterpret_cast<const char*>(file.data()) + length_bytes, static_cast<std::size_t>(length)};
}

// Repeated names would let one tensor hide another; the library keeps the last without a word.
json parse_header(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > max_json_depth) throw Error("header nested deeper than {} levels", max_json_depth);
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error("'{}' is named twice in the header", parsed.get<std::string>());
    }
    return true;
  };
  json header;
  try {
    header = json::parse(text.begin(), text.end(), check);
  } catch (const json::exception& problem) {
    throw Error("header is not JSON: {}", problem.what());
  }
  if (!header.is_object()) throw Error("header is JSON but not an object");
  return header;
}

std::uint64_t parse_unsigned(const std::string& name, const json& value, const char* field) {
  if (!value.is_number_unsigned()) throw Error("tensor '{}': {} must hold whole numbers from 0", name, field);
  return value.get<std::uint64_t>();
}

const json& require_field(const std::string& name, const json& entry, const char* field) {
  const auto found = entry.find(field);
  if (found == entry.end()) throw Error("tensor '{}' has no {}", name, field);
  return *found;
}

DType parse_dtype(const std::string& name, const json& value) {
  static constexpr std::pair<std::string_view, DType> known[] = {
      {"F16", DType::f16}, {"BF16", DType::bf16}, {"F32", DType::f32}, {"I64", DType::i64}};
  if (!value.is_string()) throw Error("tensor '{}': dtype must be text", name);
  const auto& text = value.get_ref<const std::string&>();
  for (const auto& [label, dtype] : known) {
    if (text == label) return dtype;
  }
  throw Error("tensor '{}': dtype '{}' is none of F16, BF16, F32, I64", name, text);
}

TensorView parse_tensor(const std::string& name, const json& entry, std::span<const std::byte> data) {
  if (!entry.is_object()) throw Error("tensor '{}' is not described by an object", name);
  TensorView view{parse_dtype(name, require_field(name, entry, "dtype")), {}, {}};

  const json& shape = require_field(name, entry, "shape");
  if (!shape.is_array()) throw Error("tensor '{}': shape must be a list", name);
  std::uint64_t size = element_size(view.dtype);
  for (const json& dimension : shape) {
    const std::uint64_t n = parse_unsigned(name, dimension, "shape");
    if (n > INT64_MAX || __builtin_mul_overflow(size, n, &size)) {
      throw Error("tensor '{}': shape {} overflows 64 bits", name, shape.dump());
    }
    view.shape.push_back(static_cast<std::int64_t>(n));
  }

  const json& offsets = require_field(name, entry, "data_offsets");
  if (!offsets.is_array() || offsets.size() != 2)
    throw Error("tensor '{}': data_offsets must be [begin, end]", name);
  const std::uint64_t begin = parse_unsigned(name, offsets[0], "data_offsets");
  const std::uint64_t end = parse_unsigned(name, offsets[1], "data_offsets");
  if (begin > end || end > data.size()) {
    throw Error("tensor '{}': bytes {} to {} are not inside the {} bytes of data", name, begin, end,
                data.size());
  }
  if (end - begin != size) {
    throw Error("tensor '{}': shape {} takes {} bytes, data_offsets span {}", name, shape.dump(), size,
                end - begin);
  }
  view.bytes = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
  return view;
}

// The format asks that the tensors cover the data exactly: no overlap, no hole, nothing left over.
void check_cover(const std::map<std::string, TensorView>& tensors, std::span<const std::byte> data) {
  std::vector<std::pair<std::span<const std::byte>, const std::string*>> ranges;
  ranges.reserve(tensors.size());
  for (const auto& [name, view] : tensors) ranges.emplace_back(view.bytes, &name);
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.data(), a.first.size()) < std::pair(b.first.data(), b.first.size());
  });
  const std::byte* covered = data.data();
  for (const auto& [bytes, name] : ranges) {
    if (bytes.data() < covered) throw Error("tensor '{}' overlaps the one before it", *name);
    if (bytes.data() > covered)
      throw Error("{} bytes before tensor '{}' belong to none", bytes.data() - covered, *name);
    covered = bytes.data() + bytes.size();
  }
  const auto left = data.data() + data.size() - covered;
  if (left != 0) throw Error("{} bytes after the last tensor belong to none", left);
}

Metadata parse_metadata(const json& entry) {
  if (!entry.is_object()) throw Error("__metadata__ is not an object");
  Metadata metadata;
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) throw Error("__metadata__ '{}' must be text", key);
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

}  // namespace

std::size_t element_size(DType dtype) {
  switch (dtype) {
    case DType::f16:
    case DType::bf16:
      return 2;
    case DType::f32:
      return 4;
    case DType::i64:
      return 8;
  }
  return 0;
}

SafetensorsIndex parse_safetensors(std::span<const std::byte> file) {
  const std::string_view text = header_text(file);
  const auto data = file.subspan(length_bytes + text.size());
  const json header = parse_header(text);
  SafetensorsIndex index;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      index.metadata = parse_metadata(entry);
    } else {
      index.tensors.emplace(name, parse_tensor(name, entry, data));
    }
  }
  check_cover(index.tensors, data);
  return index;
}

Safetensors::Safetensors(const std::filesystem::path& path) : file_(path) {
  try {
    index_ = parse_safetensors(file_.bytes());
  } catch (const Error& problem) {
    throw Error("{}: {}", path.string(), problem.what());
  }
}

}  // namespace dp
