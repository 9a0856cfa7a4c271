// SPDX-License-Identifier: MIT
#include "runtime/set_up_process.hpp"

#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <thread>

#include "base/error.hpp"

namespace dp {
namespace {

constexpr rlim_t descriptors_wanted = 8192;

// A handler, not a signalfd: libraries start threads before main that do not block signals.
int interruptions_fd = -1;
std::atomic<int> interruptions = 0;
static_assert(std::atomic<int>::is_always_lock_free);

/// The first is told to the loop; the second leaves at once.
void on_interruption(int) {
  if (++interruptions > 1) ::_exit(static_cast<int>(Exit::interrupted));
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(interruptions_fd, &one, sizeof one);
}

/// What was ignored when the tool was started (nohup, a script's background job) stays ignored.
void handle(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = on_interruption;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

/// Has a thread of its own take the signals, instead of this one and those it starts from here on: ZeroMQ polls in
/// almost every call, and a poll that a signal interrupts fails, whatever SA_RESTART says.
void take_signals_off_this_thread() {
  std::thread([] {
    while (true) ::pause();
  }).detach();
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ours, nullptr);
}

/// Asks for short turns soon instead of long ones later, so that messages and the pacer do not wait behind
/// threads that compute (Linux 6.12 and later; ignored before). Threads started from here on are not
/// affected.
void ask_for_short_turns() {
  struct {  // the kernel's sched_attr, whose header does not go with glibc's
    std::uint32_t size = 48, policy = 0;
    std::uint64_t flags = 1;  // reset on fork
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 100'000;  // ns, the least the kernel takes
    std::uint64_t deadline = 0, period = 0;
  } attributes;
  attributes.nice = ::getpriority(PRIO_PROCESS, 0);
  ::syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

/// Payloads come and go by the thousand a second: giving their memory back to the kernel each time and
/// faulting it in again cost a tenth of the null backend's throughput.
void keep_freed_memory() {
  ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
}

/// As many as can be had, within reason: a bound socket lets its unauthenticated peers have a part of them.
void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= descriptors_wanted) return;
  limit.rlim_cur = std::min(descriptors_wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int set_up_process() {
  interruptions_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (interruptions_fd < 0) throw Error("eventfd failed");
  handle(SIGINT);
  handle(SIGTERM);
  take_signals_off_this_thread();
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // wake when asked to, not 50 µs later
  ask_for_short_turns();
  keep_freed_memory();
  raise_descriptor_limit();
  return interruptions_fd;
}

}  // namespace dp
