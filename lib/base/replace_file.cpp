// write_atomically and what goes with it (file.hpp): which file a path stands for, and how it is replaced or, where it must
// not be, written to.
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/own_descriptor.hpp"

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

bool is_pipe(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/// A descriptor of our own says itself whether it is; throws Error naming `what`.
void require_open_to_writing(const fs::path& path, const fs::path& what) {
  const int own = own_descriptor(path);
  const int flags = own >= 0 ? ::fcntl(own, F_GETFL) : 0;
  if (own >= 0 && flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) errno = EBADF;
  else if (own >= 0 ? flags >= 0 : ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0) return;
  throw failure(what);
}

fs::path beside(const fs::path& path) {
  fs::path there = path;
  there += fmt::format(".{}.tmp", ::getpid());
  return there;
}

/// Opens what must be neither replaced nor cut: what we have open already again, with its offset, and what another has
/// open at its end. A pipe is not waited for. Returns a descriptor, or -1 with errno set: ENXIO for a pipe without a reader.
int open_in_place(const fs::path& path) {
  if (const int own = own_descriptor(path); own >= 0) return ::fcntl(own, F_DUPFD_CLOEXEC, 0);
  std::error_code unknown;
  const int at_its_end = fs::is_regular_file(path, unknown) ? O_APPEND : 0;
  const int fd = ::open(path.c_str(), O_WRONLY | at_its_end | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0 && !is_pipe(fd)) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}

/// A pipe that nobody reads is told of, and waited for a while. Returns a descriptor, or -1 with errno set.
int open_for_reader(const fs::path& path) {
  for (int looks = 0;; ++looks) {
    const int fd = open_in_place(path);
    if (fd >= 0 || errno != ENXIO || !fs::is_fifo(path)) return fd;
    if (looks == patience) throw Error("{}: nobody reads it", path.string());
    if (looks == soon)
      log_warn("{}: nobody reads it: waiting {} s for a reader", path.string(),
               patience * look_again / std::chrono::seconds(1));
    std::this_thread::sleep_for(look_again);
  }
}

/// As write_all, but where the descriptor does not wait, a reader that takes nothing for a while is ETIMEDOUT.
bool write_patiently(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return false;
    pollfd room{fd, POLLOUT, 0};
    if (::poll(&room, 1, static_cast<int>((patience * look_again).count())) != 0) continue;
    errno = ETIMEDOUT;
    return false;
  }
  return true;
}

/// Throws Error naming `what`, which is how the person called it. What we were given open waits as stdout does.
void write_to(int fd, std::string_view text, const fs::path& what, bool given = false) {
  if (fd < 0) throw failure(what);
  if (!(given ? write_all(fd, text) : write_patiently(fd, text))) {
    if (errno == ETIMEDOUT) throw Error("{}: its reader takes nothing", what.string());
    throw failure(what);
  }
  // EINVAL: a device or pipe, which has no such thing.
  if ((::fsync(fd) != 0 && errno != EINVAL) || !taken(fd)) throw failure(what);
}

/// A file that was not there: what stands there under that name is our own, of a crash. Throws Error naming `what`.
Fd made_anew(const fs::path& path, unsigned mode, const fs::path& what) {
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) throw failure(what);
  return Fd(fd);
}

/// In a sticky folder, as /tmp is, only its owner and the file's can replace a file.
void require_replaceable(const fs::path& file, const fs::path& what) {
  struct stat folder {}, there {};
  if (::stat(folder_of(file).c_str(), &folder) != 0 || (folder.st_mode & S_ISVTX) == 0) return;
  if (::lstat(file.c_str(), &there) != 0) return;
  const uid_t self = ::geteuid();
  if (self != 0 && folder.st_uid != self && there.st_uid != self)
    throw Error("{}: another user's, who alone can replace it in that folder: give another name", what.string());
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
    // A file that is mounted by itself, as into a container.
    const Fd mounted{::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC)};
    write_to(mounted.fd, text, what);
    ::unlink(fresh.c_str());
  } catch (const Error&) {
    ::unlink(fresh.c_str());
    throw;
  }
}

}  // namespace

int own_descriptor(const fs::path& link) {
  std::error_code unknown;
  const fs::path folder = fs::canonical(folder_of(link), unknown);
  if (unknown || folder != fs::canonical("/proc/self/fd", unknown)) return -1;
  const std::string number = link.filename();
  int fd = -1;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), fd);
  return problem == std::errc{} && end == number.data() + number.size() ? fd : -1;
}

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
  if (place.in_place) return require_open_to_writing(place.path, path);
  require_replaceable(place.path, path);
  fs::path there = place.path;
  std::error_code unknown;
  while (!fs::exists(folder_of(there), unknown) && there.has_relative_path()) there = folder_of(there);
  const fs::path probe = beside(there);
  const Fd file = made_anew(probe, 0600, path);
  ::unlink(probe.c_str());
}

void write_atomically(const fs::path& path, std::string_view text, unsigned mode) {
  const OutputPlace place = output_place(path);
  if (place.in_place) {
    const Fd file{open_for_reader(place.path)};
    return write_to(file.fd, text, path, own_descriptor(place.path) >= 0);
  }
  std::error_code problem;
  fs::create_directories(folder_of(place.path), problem);
  if (problem) throw Error("{}: {}", folder_of(place.path).string(), problem.message());
  replace(place.path, text, mode, path);
}

}  // namespace dp
