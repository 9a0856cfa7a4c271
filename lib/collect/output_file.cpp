// SPDX-License-Identifier: MIT
#include "collect/output_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/without_signals.hpp"

namespace dp {
namespace {

constexpr std::size_t most_waiting = std::size_t{64} << 20;
constexpr std::size_t at_once = 1 << 16;  ///< bytes; into a pipe what it is known to take
constexpr int look_again_ms = 100, patience = 50;

int open_output(const std::string& path) {
  if (path == "-") return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  const auto folder = std::filesystem::absolute(path).parent_path();
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

std::string reason(int error) {
  return error == ETIMEDOUT ? "its reader takes nothing" : std::system_category().message(error);
}

}  // namespace

struct OutputFile::Impl {
  explicit Impl(const std::string& path);
  ~Impl();
  void write_texts();
  bool write_text(std::string_view text);
  bool wait_for_room();

  const std::string path;
  const Fd file;
  const bool regular;

  mutable std::mutex mutex;
  std::condition_variable arrived, written;
  std::string waiting, problem;
  bool writing = false, stopping = false, impatient = false;
  std::thread writer;
};

OutputFile::Impl::Impl(const std::string& path)
    : path(path == "-" ? "stdout" : path),
      file(open_output(path)),
      regular(path != "-" && is_regular(file.fd)) {
  if (file.fd < 0) throw Error("{}: {}", this->path, reason(errno));
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
    const bool ok = write_text(text);
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
    if (!wait_for_room() || !write_all(file.fd, text.substr(0, most))) return false;
  }
  return true;
}

/// A reader that is slow must not keep the tool from ending.
bool OutputFile::Impl::wait_for_room() {
  for (int looks = 0; looks < patience;) {
    pollfd room{file.fd, POLLOUT, 0};
    if (::poll(&room, 1, look_again_ms) > 0) return true;
    const std::lock_guard guard(mutex);
    if (!problem.empty()) break;
    if (impatient) ++looks;
  }
  errno = ETIMEDOUT;
  return false;
}

OutputFile::OutputFile(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
OutputFile::~OutputFile() = default;

bool OutputFile::regular() const { return impl_->regular; }

void OutputFile::cut(std::size_t bytes) {
  if (::ftruncate(impl_->file.fd, static_cast<off_t>(bytes)) != 0)
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
