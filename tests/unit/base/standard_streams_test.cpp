// The standard streams of every tool: nobody's file is taken for one of them, and what does not arrive on stdout is told.
// Each test runs run_main in a process of its own.
// SPDX-License-Identifier: MIT
#include "base/standard_streams.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>

#include "base/file.hpp"
#include "base/options.hpp"

namespace dp {
namespace {

using testing::ExitedWithCode;
using testing::KilledBySignal;

[[noreturn]] void end_with(const std::function<Exit()>& body) { ::_exit(run_main("tool", body)); }

void put_in_place_of(int fd, const char* path) {
  const Fd file(::open(path, O_RDWR));
  ::dup2(file.fd, fd);
}

/// Whose reader has left.
void make_stdout_a_broken_pipe() {
  int ends[2];
  if (::pipe(ends) != 0) ::_exit(99);
  ::dup2(ends[1], STDOUT_FILENO);
  for (const int end : ends) ::close(end);
}

Exit print_something() {
  print("{}\n", 1);
  return Exit::done;
}

void print_on_a_full_disk() {
  put_in_place_of(STDOUT_FILENO, "/dev/full");
  end_with(print_something);
}

void print_more_than_a_file_may_hold() {
  const rlimit limit{4096, RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::string name = std::filesystem::temp_directory_path() / "dp-streams-XXXXXX";
  const Fd file(::mkstemp(name.data()));
  ::unlink(name.c_str());
  ::dup2(file.fd, STDOUT_FILENO);
  end_with([] {
    print("{}", std::string(8192, 'x'));
    return Exit::done;
  });
}

void print_to_a_reader_that_left(__sighandler_t at_start) {
  std::signal(SIGPIPE, at_start);
  make_stdout_a_broken_pipe();
  end_with(print_something);
}

void print_with_stdout_closed() {
  ::close(STDOUT_FILENO);
  end_with(print_something);
}

void open_a_file_with_all_closed() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(fd);
  end_with([] {
    const Fd file(::open("/dev/null", O_WRONLY));
    return file.fd > STDERR_FILENO ? Exit::done : Exit::invalid;
  });
}

void print_nothing_with_stdout_closed() {
  ::close(STDOUT_FILENO);
  end_with([] { return Exit::done; });
}

TEST(StandardStreams, AFullDiskBehindStdoutIsAFailureThatSaysSo) {
  EXPECT_EXIT(print_on_a_full_disk(), ExitedWithCode(1), "tool: stdout: No space left on device");
}

TEST(StandardStreams, ALimitOnFileSizesIsAFailureNotASignal) {
  EXPECT_EXIT(print_more_than_a_file_may_hold(), ExitedWithCode(1), "tool: stdout: File too large");
}

TEST(StandardStreams, AReaderThatLeftEndsTheToolQuietlyAsEverywhere) {
  EXPECT_EXIT(print_to_a_reader_that_left(SIG_DFL), KilledBySignal(SIGPIPE), "^$");
}

TEST(StandardStreams, AReaderThatLeftIsAFailureWhereTheSignalIsIgnored) {
  EXPECT_EXIT(print_to_a_reader_that_left(SIG_IGN), ExitedWithCode(1), "tool: stdout: Broken pipe");
}

TEST(StandardStreams, ClosedDescriptorsAreNobodysFile) {
  EXPECT_EXIT(open_a_file_with_all_closed(), ExitedWithCode(0), "");
}

TEST(StandardStreams, WritingToAClosedStdoutFailsAndNotWritingDoesNot) {
  EXPECT_EXIT(print_with_stdout_closed(), ExitedWithCode(1), "tool: stdout: Bad file descriptor");
  EXPECT_EXIT(print_nothing_with_stdout_closed(), ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace dp
