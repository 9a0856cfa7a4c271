// SPDX-License-Identifier: MIT
#include "base/output_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/own_descriptor.hpp"
#include "base/time.hpp"
#include "base/without_signals.hpp"

namespace dp {
namespace {

constexpr std::size_t most_waiting = std::size_t{64} << 20;
constexpr std::size_t at_once = 1 << 16;  ///< bytes; into a pipe what it is known to take
constexpr int look_again_ms = 100, patience = 50;
constexpr auto soon = std::chrono::milliseconds(500);

/// Returns -1 with errno set: ENXIO for a pipe without a reader, which an open that waits would wait for.
int open_output(const std::string& path) {
  const auto folder = std::filesystem::absolute(path).parent_path();
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644);
  if (fd >= 0) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}

/// What was handed over open is written to as it is; "-" is.
int open_place(const std::string& path, const OutputPlace& place) {
  const int own = path == "-" ? STDOUT_FILENO : own_descriptor(place.path);
  return own >= 0 ? ::fcntl(own, F_DUPFD_CLOEXEC, 0) : open_output(path);
}

bool is_pipe(const std::string& path) {
  std::error_code unknown;
  return std::filesystem::is_fifo(path, unknown);
}

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

std::string reason(int error) {
  if (error == ENXIO) return "nobody reads it";
  return error == ETIMEDOUT ? "its reader takes nothing" : std::system_category().message(error);
}

}  // namespace

struct OutputFile::Impl {
  Impl(const std::string& path, const OutputPlace& place);
  ~Impl();
  void write_texts();
  bool write_text(std::string_view text);
  bool wait_for_reader();
  bool wait_for_room();
  bool wait_until(const std::function<bool()>& ready);

  const std::string path;
  int fd;  ///< below 0: of a pipe that nobody has read yet; then the writer's
  const bool regular;
  const Time begun = now();

  mutable std::mutex mutex;
  std::condition_variable arrived, written;
  std::string waiting, problem;
  bool unread = false, writing = false, stopping = false, impatient = false;
  std::thread writer;
};

OutputFile::Impl::Impl(const std::string& path, const OutputPlace& place)
    : path(path == "-" ? "stdout" : path),
      fd(open_place(path, place)),
      regular(path != "-" && !place.in_place && fd >= 0 && is_regular(fd)) {
  const int error = errno;
  unread = fd < 0 && error == ENXIO && is_pipe(path);
  if (fd < 0 && !unread) throw Error("{}: {}", this->path, std::system_category().message(error));
  const WithoutSignals quiet;
  writer = std::thread([this] { write_texts(); });
}

OutputFile::Impl::~Impl() {
  {
    const std::lock_guard guard(mutex);
    stopping = impatient = true;
  }
  arrived.notify_one();
  writer.join();
  if (fd >= 0) ::close(fd);
}

void OutputFile::Impl::write_texts() {
  std::string text;
  std::unique_lock guard(mutex);
  while (problem.empty()) {
    arrived.wait(guard, [this] { return stopping || !waiting.empty(); });
    if (waiting.empty()) return;
    text.clear();
    text.swap(waiting);
    writing = true;
    guard.unlock();
    const bool ok = wait_for_reader() && write_text(text) && taken(fd);
    const int error = errno;
    guard.lock();
    writing = false;
    if (!ok && problem.empty()) problem = fmt::format("{}: {}", path, reason(error));
    written.notify_all();
  }
  waiting.clear();
}

/// False, with errno set, where that cannot be done.
bool OutputFile::Impl::write_text(std::string_view text) {
  const std::size_t most = regular ? at_once : PIPE_BUF;
  for (; !text.empty(); text.remove_prefix(std::min(most, text.size()))) {
    if (!wait_for_room() || !write_all(fd, text.substr(0, most))) return false;
  }
  return true;
}

bool OutputFile::Impl::wait_for_reader() {
  const bool known = fd >= 0 || wait_until([this] {
    if ((fd = open_output(path)) >= 0 || errno != ENXIO) return true;
    ::poll(nullptr, 0, look_again_ms);
    return false;
  });
  if (!known) errno = ENXIO;
  const std::lock_guard guard(mutex);
  unread = fd < 0;
  return fd >= 0;
}

bool OutputFile::Impl::wait_for_room() {
  pollfd room{fd, POLLOUT, 0};
  const bool there = wait_until([&room] { return ::poll(&room, 1, look_again_ms) > 0; });
  if (!there) errno = ETIMEDOUT;
  return there;
}

/// Asks again and again, each time for a while. A reader that is slow or does not come must not keep the tool from ending.
bool OutputFile::Impl::wait_until(const std::function<bool()>& ready) {
  for (int looks = 0; looks < patience;) {
    if (ready()) return true;
    const std::lock_guard guard(mutex);
    if (!problem.empty()) break;
    if (impatient) ++looks;
  }
  return false;
}

OutputFile::OutputFile(const std::string& path)
    : impl_(std::make_unique<Impl>(path, path == "-" ? OutputPlace{} : output_place(path))) {}
OutputFile::~OutputFile() = default;

bool OutputFile::regular() const { return impl_->regular; }

bool OutputFile::unread() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->unread && now() - impl_->begun > soon;
}

void OutputFile::cut(std::size_t bytes) {
  if (::ftruncate(impl_->fd, static_cast<off_t>(bytes)) != 0)
    throw Error("{}: {}", impl_->path, reason(errno));
}

void OutputFile::append(std::string text) {
  const std::lock_guard guard(impl_->mutex);
  Impl& i = *impl_;
  if (text.empty() || !i.problem.empty()) return;
  if (i.waiting.size() > most_waiting) {
    i.problem = fmt::format("{}: {} MiB wait to be written, faster than they are taken", i.path,
                            i.waiting.size() >> 20);
    return;
  }
  if (i.waiting.empty()) i.waiting = std::move(text);
  else i.waiting += text;
  i.arrived.notify_one();
}

void OutputFile::drain() {
  std::unique_lock guard(impl_->mutex);
  impl_->impatient = true;
  impl_->written.wait(guard,
                      [&] { return !impl_->problem.empty() || (impl_->waiting.empty() && !impl_->writing); });
  impl_->impatient = false;
}

std::string OutputFile::problem() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->problem;
}

}  // namespace dp
