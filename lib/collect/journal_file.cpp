// SPDX-License-Identifier: MIT
#include "collect/journal_file.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/without_signals.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::system_category().message(error); }

/// A file that is shorter shows nothing by which to tell a torn record from somebody's text.
constexpr std::size_t shortest_known = 6;

[[noreturn]] void fail(const fs::path& path) {
  throw Error("{}: {}: the journal cannot be kept there", path.string(), reason(errno));
}

/// Why nothing more can be stored, and what to do about it.
std::string final_problem(const fs::path& path, int error) {
  const char* remedy = error == ENOSPC || error == EDQUOT ? "free space there"
                       : error == EFBIG                   ? "raise the limit on file sizes (ulimit -f)"
                                                          : "see that the disk is sound";
  return fmt::format("{}: {}: {}, then start dp-collect again with the same --journal", path.string(),
                     reason(error), remedy);
}

/// Has the names in the folder on the disk.
void sync_folder(const fs::path& folder) {
  const Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: a file system that has no such thing.
  if (opened.fd < 0 || (::fsync(opened.fd) != 0 && errno != EINVAL)) fail(folder);
}

/// Makes the folders that are missing above the file. Returns the one it stands in and those that changed.
std::vector<fs::path> make_folders(const fs::path& file) {
  std::vector<fs::path> folders;
  std::error_code problem;
  fs::path folder = fs::absolute(file).parent_path();
  for (; !fs::exists(folder, problem) && folder.has_relative_path(); folder = folder.parent_path()) {
    folders.push_back(folder);
  }
  folders.push_back(folder);
  fs::create_directories(folders.front(), problem);
  if (problem) throw Error("{}: {}", folders.front().string(), problem.message());
  return folders;
}

/// Takes the lock, which lasts until the file is closed.
void lock(int file, const fs::path& path) {
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) fail(path);
  if (!S_ISREG(status.st_mode)) throw Error("{}: not a regular file: give --journal another", path.string());
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) fail(path);
  throw Error("{}: in use by another dp-collect: stop that one, or give each its own --journal",
              path.string());
}

}  // namespace

struct JournalFile::Impl {
  explicit Impl(const fs::path& path);
  ~Impl();
  void recover(const std::function<void(JournalRecord&&)>& replay);
  void store_groups();
  void check() const;

  const fs::path path;
  const std::vector<fs::path> folders;
  const Fd file, event;
  std::uint64_t torn = 0;

  std::mutex mutex;
  std::condition_variable arrived, stored;
  std::string waiting;  ///< groups back to back
  std::uint64_t appended = 0, durable = 0;
  std::string problem;  ///< "" until a group could not be stored
  bool stopping = false;
  std::thread writer;
};

JournalFile::Impl::Impl(const fs::path& path)
    : path(path),
      folders(make_folders(path)),
      file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)),
      event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  lock(file.fd, path);
  if (event.fd < 0) throw Error("eventfd failed");
}

JournalFile::Impl::~Impl() {
  {
    const std::lock_guard guard(mutex);
    stopping = true;
  }
  arrived.notify_one();
  if (writer.joinable()) writer.join();
}

/// What is replayed is on the disk when this returns: a killed process leaves records in memory only, and a
/// failed sync leaves memory that says more than the disk, so it is synced first and then read afresh.
void JournalFile::Impl::recover(const std::function<void(JournalRecord&&)>& replay) {
  if (::fsync(file.fd) != 0) fail(path);
  ::posix_fadvise(file.fd, 0, 0, POSIX_FADV_DONTNEED);
  std::size_t good = 0, size = 0;
  try {
    const MappedFile mapped(fmt::format("/proc/self/fd/{}", file.fd));
    size = mapped.bytes().size();
    if (size > 0 && size < shortest_known) {
      throw Error("{} bytes are too few to be known as a journal: delete it if a crash left it", size);
    }
    good = read_journal(mapped.bytes(), replay);
  } catch (const Error& what) {
    throw Error("{}: {}", path.string(), what.what());
  }
  torn = size - good;
  if (torn > 0 && (::ftruncate(file.fd, static_cast<off_t>(good)) != 0 || ::fsync(file.fd) != 0)) fail(path);
  for (const fs::path& folder : folders) sync_folder(folder);
}

void JournalFile::Impl::store_groups() {
  std::string groups;
  std::unique_lock guard(mutex);
  while (problem.empty()) {
    arrived.wait(guard, [this] { return stopping || appended > durable; });
    if (stopping) return;
    groups.clear();
    groups.swap(waiting);
    const std::uint64_t taken = appended;
    guard.unlock();
    const bool ok = write_all(file.fd, groups) && ::fdatasync(file.fd) == 0;
    const int error = errno;
    guard.lock();
    if (ok) {
      durable = taken;
    } else {
      problem = final_problem(path, error);
    }
    stored.notify_all();
    const std::uint64_t one = 1;
    if (::write(event.fd, &one, sizeof one) < 0) return;
  }
}

void JournalFile::Impl::check() const {
  if (!problem.empty()) throw Error(std::string(problem));
}

JournalFile::JournalFile(const fs::path& path, const std::function<void(JournalRecord&&)>& replay)
    : impl_(std::make_unique<Impl>(path)) {
  impl_->recover(replay);
  const WithoutSignals quiet;
  impl_->writer = std::thread([this] { impl_->store_groups(); });
}

JournalFile::~JournalFile() = default;

std::uint64_t JournalFile::torn() const { return impl_->torn; }

void JournalFile::forget() {
  if (::ftruncate(impl_->file.fd, 0) != 0 || ::fsync(impl_->file.fd) != 0) fail(impl_->path);
}

void JournalFile::append(std::string group) {
  {
    const std::lock_guard guard(impl_->mutex);
    if (impl_->waiting.empty()) {
      impl_->waiting = std::move(group);
    } else {
      impl_->waiting += group;
    }
    ++impl_->appended;
  }
  impl_->arrived.notify_one();
}

int JournalFile::descriptor() const { return impl_->event.fd; }

std::uint64_t JournalFile::durable() {
  std::uint64_t rings = 0;
  [[maybe_unused]] const auto cleared = ::read(impl_->event.fd, &rings, sizeof rings);
  const std::lock_guard guard(impl_->mutex);
  impl_->check();
  return impl_->durable;
}

void JournalFile::close() {
  std::unique_lock guard(impl_->mutex);
  impl_->stored.wait(guard, [this] { return !impl_->problem.empty() || impl_->durable == impl_->appended; });
  impl_->check();
}

}  // namespace dp
