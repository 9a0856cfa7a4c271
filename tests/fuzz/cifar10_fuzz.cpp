// CIFAR-10 files: opened or refused with Error; every sample of one that is opened can be read, and its label is one.
// SPDX-License-Identifier: MIT
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.hpp"
#include "data/dataset.hpp"
#include "parts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int fd = ::memfd_create("cifar10", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  dp::fuzz::claim(::ftruncate(fd, 0) == 0 && ::pwrite(fd, data, size, 0) == static_cast<ssize_t>(size),
                  "the file could be written");
  try {
    const auto dataset = dp::open_cifar10(path);
    std::vector<std::byte> pixels(dataset->shape().bytes());
    for (dp::SampleId id = 0; id < dataset->size(); ++id) {
      dp::fuzz::claim(dataset->label(id) < 10, "the label is below 10");
      dataset->copy(id, pixels);
    }
  } catch (const dp::Error&) {
  }
  return 0;
}
