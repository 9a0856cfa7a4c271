// SPDX-License-Identifier: MIT
#include "runtime/process_usage.hpp"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace dp {
namespace {

constexpr std::size_t mib = 1 << 20;

rusage resources() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

Duration to_duration(const timeval& t) {
  return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
}
Duration user_time() { return to_duration(resources().ru_utime); }
Duration system_time() { return to_duration(resources().ru_stime); }

/// Anonymous memory, touched; given back at the end of the scope.
struct Touched {
  void* data;
  std::size_t size;
  explicit Touched(std::size_t bytes)
      : data(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), size(bytes) {
    std::memset(data, 1, size);
  }
  ~Touched() { munmap(data, size); }
};

TEST(ProcessUsage, CpuTimeIsUserAndSystemTime) {
  using std::chrono::milliseconds;
  while (user_time() < milliseconds(100)) {
    for (volatile int i = 0; i < 100'000;) i = i + 1;
  }
  while (system_time() < milliseconds(100)) {
  }
  ProcessUsage usage;
  const Duration before = user_time() + system_time();
  const Duration cpu = usage.read().cpu;
  const Duration tick = milliseconds(10);
  EXPECT_GE(cpu, before - 2 * tick);
  EXPECT_LE(cpu, user_time() + system_time() + 2 * tick);
}

TEST(ProcessUsage, ResidentAndAnonymousSetGrowByWhatIsTouched) {
  ProcessUsage usage;
  const ResourceUsage before = usage.read();
  const Touched memory(64 * mib);
  const ResourceUsage after = usage.read();
  EXPECT_GE(after.rss_bytes, before.rss_bytes + 60 * mib);
  EXPECT_GE(after.anonymous_bytes, before.anonymous_bytes + 60 * mib);
  EXPECT_LE(after.anonymous_bytes, after.rss_bytes);
}

TEST(ProcessUsage, PeakOutlivesTheMemoryThatMadeIt) {
  ProcessUsage usage;
  { const Touched memory(128 * mib); }
  const ResourceUsage after = usage.read();
  EXPECT_GE(after.peak_rss_bytes, after.rss_bytes + 100 * mib);
}

// Starts itself again, with this test alone and a mark in the environment, from a process that is large.
TEST(ProcessUsage, PeakIsNotThatOfWhoeverStartedTheProcess) {
  constexpr const char* mark = "DP_TEST_STARTED_BY_A_LARGE_PROCESS";
  if (std::getenv(mark) != nullptr) {
    EXPECT_LT(ProcessUsage().read().peak_rss_bytes, 200 * mib);
    return;
  }
  const Touched memory(256 * mib);
  std::string program = "/proc/self/exe", filter = "--gtest_filter=*.PeakIsNotThatOfWhoever*",
              brief = "--gtest_brief=1";
  std::string environment = std::string(mark) + "=1";
  char* const arguments[] = {program.data(), filter.data(), brief.data(), nullptr};
  char* const variables[] = {environment.data(), nullptr};
  pid_t child = 0;
  ASSERT_EQ(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, variables), 0);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ProcessUsage, ReadingOverAndOverAllocatesNothingThatStays) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps freed memory";
#endif
  ProcessUsage usage;
  for (int i = 0; i < 100; ++i) usage.read();
  const std::uint64_t before = usage.read().anonymous_bytes;
  for (int i = 0; i < 2000; ++i) usage.read();
  EXPECT_LE(usage.read().anonymous_bytes, before + mib / 4);
}

TEST(ProcessUsage, SaysWhenItWasRead) {
  ProcessUsage usage;
  const Time before = now();
  const Time at = usage.read().at;
  EXPECT_GE(at, before);
  EXPECT_LE(at, now());
}

}  // namespace
}  // namespace dp
