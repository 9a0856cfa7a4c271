// SPDX-License-Identifier: MIT
#include "live/local_runs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/error.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

constexpr const char* suffix = ".live";

bool fits(const std::string& path) { return path.size() < sizeof(sockaddr_un::sun_path); }

/// A folder, no link, that is ours alone.
bool is_private(const fs::path& folder) {
  struct stat status {};
  return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & 077) == 0;
}

/// Whether somebody listens there; a socket outlives a process that was killed.
bool served(const fs::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket.string();
  if (!fits(path)) return false;
  path.copy(address.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int failed = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  ::close(fd);
  return failed == 0 || failed == EAGAIN;  // EAGAIN: too many wait there already
}

/// Latest first.
std::vector<fs::path> sockets_in(const fs::path& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == suffix && entry.is_socket(none))
      found.emplace_back(entry.last_write_time(none), entry.path());
  }
  std::ranges::sort(found, std::greater{});
  std::vector<fs::path> sockets;
  for (auto& [time, path] : found) sockets.push_back(std::move(path));
  return sockets;
}

}  // namespace

fs::path local_runs_folder() {
  const char* temporary = std::getenv("TMPDIR");
  return fs::path(temporary && *temporary ? temporary : "/tmp") / fmt::format("dataparallel-{}", ::geteuid());
}

LocalRun::LocalRun() {
  const fs::path folder = local_runs_folder();
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    throw Error("{}: {}", folder.string(), std::strerror(errno));
  if (!is_private(folder))
    throw Error("{}: not a folder that only you may enter (remove it, or its permissions for others)",
                folder.string());
  std::error_code none;
  for (const fs::path& socket : sockets_in(folder)) {
    if (!served(socket)) fs::remove(socket, none);
  }
  socket_ = folder / fmt::format("{}{}", ::getpid(), suffix);
  if (!fits(socket_))
    throw Error("{}: too long a name for a socket (set TMPDIR to a shorter one)", socket_.string());
}

LocalRun::~LocalRun() {
  std::error_code none;
  fs::remove(socket_, none);
}

std::string latest_local_run() {
  const fs::path folder = local_runs_folder();
  if (!is_private(folder)) return "";
  for (const fs::path& socket : sockets_in(folder)) {
    if (served(socket)) return "ipc://" + socket.string();
  }
  return "";
}

}  // namespace dp
