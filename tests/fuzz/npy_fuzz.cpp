// NumPy files: opened or refused with Error; every sample of an array that is opened can be read, with labels if they
// were given. An input is `@` and a file, or any other byte and two, the second from the last magic number on.
// SPDX-License-Identifier: MIT
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.hpp"
#include "data/dataset.hpp"
#include "parts.hpp"

namespace {

/// A file that is only in memory.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name) : fd_(::memfd_create(name, MFD_CLOEXEC)) {}
  void write(const std::uint8_t* data, std::size_t size) const {
    dp::fuzz::claim(::ftruncate(fd_, 0) == 0 && ::pwrite(fd_, data, size, 0) == static_cast<ssize_t>(size),
                    "the file could be written");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const MemoryFile images("images"), labels("labels");
  static const std::string alone = images.path(), both = alone + "," + labels.path();
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t last = data[0] == '@' ? std::string_view::npos : input.rfind("\x93NUMPY");
  const std::size_t end = last == std::string_view::npos || last == 0 ? size : last;
  images.write(data + 1, end - 1);
  labels.write(data + end, size - end);
  try {
    const auto dataset = dp::open_npy(end == size ? alone : both);
    std::vector<std::byte> pixels(dataset->shape().bytes());
    for (dp::SampleId id = 0; id < dataset->size() && id < 256; ++id) {
      dp::fuzz::claim((dataset->label(id) == dp::no_label) == (end == size),
                      "labelled, if labels were given");
      dataset->copy(id, pixels);
    }
  } catch (const dp::Error&) {
  }
  return 0;
}
