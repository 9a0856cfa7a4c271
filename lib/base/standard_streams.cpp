// SPDX-License-Identifier: MIT
#include "base/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/file.hpp"

namespace dp {
namespace {

[[noreturn]] void fail() {
  if (errno == EPIPE) throw ReaderLeft("stdout: {}", std::strerror(errno));
  throw Error("stdout: {}", std::strerror(errno));
}

}  // namespace

void fill_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest that is free is this one. The wrong way round: who uses what was closed is told so.
    if (::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      throw Error("/dev/null: {}", std::strerror(errno));
  }
}

bool ignore_signals_of_writes() {
  std::signal(SIGXFSZ, SIG_IGN);
  return std::signal(SIGPIPE, SIG_IGN) == SIG_DFL;
}

void write_stdout(std::string_view text) {
  if (!write_all(STDOUT_FILENO, text)) fail();
}

void check_stdout() {
  if (!taken(STDOUT_FILENO)) fail();
}

}  // namespace dp
