// write_atomically and what goes with it (file.hpp): which file a path stands for, and how it is replaced or, where it must
// not be, written to.
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

constexpr int most_links = 40;  ///< as the kernel follows
constexpr auto look_again = std::chrono::milliseconds(100);
constexpr int patience = 50, soon = 3;  ///< looks

Error failure(const fs::path& path) { return Error("{}: {}", path.string(), std::strerror(errno)); }

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : "."; }

/// A link in /proc stands for a file that is open, not for a name.
bool in_proc(const fs::path& link) {
  std::error_code unknown;
  return fs::canonical(folder_of(link), unknown).string().starts_with("/proc/");
}

fs::path beside(const fs::path& path) {
  fs::path there = path;
  there += fmt::format(".{}.tmp", ::getpid());
  return there;
}

/// A pipe that nobody reads is told of, and waited for a while. Returns a descriptor, or -1 with errno set.
int open_in_place(const fs::path& path) {
  for (int looks = 0;; ++looks) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    if (fd >= 0 || errno != ENXIO || !fs::is_fifo(path)) return fd;
    if (looks == patience) throw Error("{}: nobody reads it", path.string());
    if (looks == soon)
      log_warn("{}: nobody reads it: waiting {} s for a reader", path.string(),
               patience * look_again / std::chrono::seconds(1));
    std::this_thread::sleep_for(look_again);
  }
}

/// Throws Error naming `what`, which is how the person called it.
void write_in_place(const fs::path& path, std::string_view text, const fs::path& what) {
  const Fd file{open_in_place(path)};
  if (file.fd < 0 || !write_all(file.fd, text)) throw failure(what);
  // EINVAL: a device or pipe, which has no such thing.
  if ((::fsync(file.fd) != 0 && errno != EINVAL) || !taken(file.fd)) throw failure(what);
}

/// A file that was not there: what stands there under that name is our own, of a crash. Throws Error naming `what`.
Fd made_anew(const fs::path& path, unsigned mode, const fs::path& what) {
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) throw failure(what);
  return Fd(fd);
}

void sync_folder(const fs::path& path) {
  const Fd folder{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (folder.fd >= 0) ::fsync(folder.fd);  // not every file system can
}

void replace(const fs::path& path, std::string_view text, unsigned mode, const fs::path& what) {
  const fs::path fresh = beside(path);
  const Fd file = made_anew(fresh, mode, what);
  try {
    if (!write_all(file.fd, text) || ::fsync(file.fd) != 0) throw failure(what);
    if (::rename(fresh.c_str(), path.c_str()) == 0) return sync_folder(folder_of(path));
    if (errno != EBUSY) throw failure(what);
    write_in_place(path, text, what);  // a file that is mounted by itself, as into a container
    ::unlink(fresh.c_str());
  } catch (const Error&) {
    ::unlink(fresh.c_str());
    throw;
  }
}

}  // namespace

OutputPlace output_place(const fs::path& path) {
  OutputPlace place{path};
  std::error_code unknown;
  for (int links = 0; fs::is_symlink(place.path, unknown); ++links) {
    if (links == most_links) throw Error("{}: {}", path.string(), std::strerror(ELOOP));
    if (in_proc(place.path)) return {place.path, true};
    place.path = folder_of(place.path) / fs::read_symlink(place.path);
  }
  const fs::file_status status = fs::status(place.path, unknown);
  if (fs::is_directory(status) || !place.path.has_filename())
    throw Error("{}: is a directory: give a file", path.string());
  if (fs::is_socket(status)) throw Error("{}: is a socket: give a file", path.string());
  place.in_place = fs::exists(status) && !fs::is_regular_file(status);
  return place;
}

void require_writable(const fs::path& path) {
  const OutputPlace place = output_place(path);
  if (place.in_place) {
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) throw failure(path);
    return;
  }
  fs::path there = place.path;
  std::error_code unknown;
  while (!fs::exists(folder_of(there), unknown) && there.has_relative_path()) there = folder_of(there);
  const fs::path probe = beside(there);
  const Fd file = made_anew(probe, 0600, path);
  ::unlink(probe.c_str());
}

void write_atomically(const fs::path& path, std::string_view text, unsigned mode) {
  const OutputPlace place = output_place(path);
  if (place.in_place) return write_in_place(place.path, text, path);
  std::error_code problem;
  fs::create_directories(folder_of(place.path), problem);
  if (problem) throw Error("{}: {}", folder_of(place.path).string(), problem.message());
  replace(place.path, text, mode, path);
}

}  // namespace dp
