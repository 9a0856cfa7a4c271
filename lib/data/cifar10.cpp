// CIFAR-10's binary format, memory-mapped: records of a label byte and 3072 bytes of planar RGB.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/options.hpp"
#include "base/shared_files.hpp"
#include "data/dataset.hpp"

namespace dp {
namespace {

constexpr Shape cifar10_shape{3, 32, 32};
constexpr std::size_t record_bytes = 1 + cifar10_shape.bytes();
constexpr unsigned classes = 10;
constexpr std::uint64_t most_samples = 4'000'000'000;

/// Throws unless the bytes are whole records with labels below 10.
void check(const std::string& path, std::span<const std::byte> bytes) {
  if (bytes.empty() || bytes.size() % record_bytes != 0) {
    throw Error(
        "{}: {} bytes: a CIFAR-10 binary file holds one or more records of {} bytes; the last is cut off at "
        "offset {} (fetch it again: make -f Makefile.bench data)",
        path, bytes.size(), record_bytes, bytes.size() / record_bytes * record_bytes);
  }
  for (std::size_t at = 0; at < bytes.size(); at += record_bytes) {
    const auto label = std::to_integer<unsigned>(bytes[at]);
    if (label >= classes) {
      throw Error(
          "{}: label {} at offset {} (record {}): CIFAR-10 labels are 0 to 9; is this its binary format? "
          "(fetch it again: make -f Makefile.bench data)",
          path, label, at, at / record_bytes);
    }
  }
}

MappedFile open_file(const std::string& given) {
  const std::string path = find_shared(given).string();
  if (!std::filesystem::exists(path)) {
    throw Error("{}: no such file (run: make -f Makefile.bench data, or dp-fetch-cifar10 of an installation)",
                path);
  }
  MappedFile file(path);
  check(path, file.bytes());
  return file;
}

/// One mapped file and the number of its first sample.
struct Part {
  MappedFile file;
  SampleId first;
};

class Cifar10 final : public Dataset {
 public:
  Cifar10(std::string name, std::string digest, SampleId size, std::vector<Part> parts)
      : Dataset(std::move(name), std::move(digest), size, cifar10_shape), parts_(std::move(parts)) {}

  Label label(SampleId id) const override { return std::to_integer<Label>(record(id)[0]); }
  void copy(SampleId id, std::span<std::byte> out) const override {
    std::memcpy(out.data(), record(id).data() + 1, cifar10_shape.bytes());
  }

 private:
  std::span<const std::byte> record(SampleId id) const {
    const auto after =
        std::upper_bound(parts_.begin(), parts_.end(), id,
                         [](SampleId wanted, const Part& part) { return wanted < part.first; });
    const Part& part = *(after - 1);
    return part.file.bytes().subspan(std::size_t{id - part.first} * record_bytes, record_bytes);
  }

  std::vector<Part> parts_;  ///< in order of `first`, which starts at 0
};

}  // namespace

std::unique_ptr<Dataset> open_cifar10(std::string_view paths) {
  std::vector<Part> parts;
  std::string name, digests;
  std::uint64_t size = 0;
  for (const std::string& path : split(paths, ',')) {
    if (path.empty())
      throw UsageError("data '{}': an empty path; give PATH[,PATH…] or synthetic:CxHxW[:N]", paths);
    MappedFile file = open_file(path);
    if (!name.empty()) name += ',';
    name += std::filesystem::path(path).filename().string();
    digests += digest(file.bytes());
    const auto first = static_cast<SampleId>(size);
    size += file.bytes().size() / record_bytes;
    if (size > most_samples)
      throw Error("{}: more than {} samples in all; give fewer files", paths, most_samples);
    parts.push_back({std::move(file), first});
  }
  std::string whole = parts.size() == 1 ? digests : digest(std::as_bytes(std::span(digests)));
  return std::make_unique<Cifar10>(std::move(name), std::move(whole), static_cast<SampleId>(size),
                                   std::move(parts));
}

}  // namespace dp
