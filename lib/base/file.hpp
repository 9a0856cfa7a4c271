// Files: descriptors, memory-mapped reading, atomic replacement, digests.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace dp {

/// A descriptor that is closed on every way out; below 0: none.
struct Fd {
  explicit Fd(int fd) : fd(fd) {}
  ~Fd();
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  const int fd;
};

/// Writes every byte; false, with errno set, where that cannot be done.
bool write_all(int fd, std::string_view bytes);

/// The file system's last word on what was written, which some give only when a file is closed; false, with errno set,
/// where it was lost. The descriptor stays open.
bool taken(int fd);

/// A file mapped read-only; unmapped on destruction. Throws Error naming the path and the reason.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

/// Whole file as text, less the byte order mark that some editors put in front. Throws Error.
std::string read_text(const std::filesystem::path& path);

/// What stands at the end of the links that an output's path is.
struct OutputPlace {
  std::filesystem::path path;
  bool in_place = false;  ///< a device, a pipe, or what is open elsewhere: written to, never replaced
};

/// Throws Error where no output can go: a directory, a socket.
OutputPlace output_place(const std::filesystem::path& path);

/// Replaces `path` by `text`: written beside, fsync, rename. Links are followed; what is written in place waits five
/// seconds for a reader of a pipe. Creates missing parent folders. Throws Error.
void write_atomically(const std::filesystem::path& path, std::string_view text, unsigned mode = 0644);

/// Throws Error where write_atomically could not begin. Changes nothing and leaves nothing behind.
void require_writable(const std::filesystem::path& path);

/// XXH3 (128 bit) of the bytes, 32 hex digits.
std::string digest(std::span<const std::byte> bytes);

/// XXH3 (64 bit) of the bytes, for payload checks.
std::uint64_t checksum(std::span<const std::byte> bytes);

}  // namespace dp
