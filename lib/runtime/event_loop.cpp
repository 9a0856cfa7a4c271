// SPDX-License-Identifier: MIT
#include "runtime/event_loop.hpp"

#include <malloc.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/file.hpp"
#include "base/log.hpp"

namespace dp {
namespace {

constexpr int most_messages_a_turn = 64;  ///< before timers are looked at again

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

}  // namespace

EventLoop::EventLoop() : signals_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (signals_ < 0) throw Error("eventfd failed");
  interruptions_fd = signals_;
  handle(SIGINT);
  handle(SIGTERM);
  take_signals_off_this_thread();
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // wake when asked to, not 50 µs later
  ask_for_short_turns();
  keep_freed_memory();
}

EventLoop::~EventLoop() = default;  // the handler may still write to its descriptor

void EventLoop::watch(int fd, Callback callback) { watched_.push_back({fd, std::move(callback)}); }

void EventLoop::every(Duration period, Callback callback) {
  periodic_.push_back({period, Time{}, std::move(callback)});
}

Exit EventLoop::run(Stage& stage, Transport& transport) {
  Outbox outbox;
  while (!stage.finished()) {
    bool idle = true;
    for (int n = 0; n < most_messages_a_turn && !stage.finished(); ++n) {
      std::optional<Incoming> incoming = transport.receive();
      if (!incoming) {
        idle = idle && !transport.crowded();
        break;
      }
      idle = false;
      stage.receive(now(), incoming->from, std::move(incoming->envelope), outbox);
      carry_out(transport, outbox);
    }
    handle_signals(stage, now(), outbox);
    for (const Watched& watched : watched_) watched.callback(now(), outbox);
    for (Periodic& periodic : periodic_) {
      if (periodic.next > now()) continue;
      periodic.callback(now(), outbox);
      periodic.next = now() + periodic.period;
    }
    if (stage.next_deadline() <= now()) stage.tick(now(), outbox);
    const bool said_nothing = outbox.actions().empty();
    carry_out(transport, outbox);
    if (!idle || !said_nothing || stage.finished()) continue;
    Time deadline = stage.next_deadline();
    for (const Periodic& periodic : periodic_) deadline = std::min(deadline, periodic.next);
    wait(transport, deadline);
  }
  if (*stage.finished() == Exit::failed) throw Error("{}", stage.failure());
  return *stage.finished();
}

void EventLoop::carry_out(Transport& transport, Outbox& outbox) {
  for (Action& action : outbox.actions()) {
    if (auto* send = std::get_if<Send>(&action)) {
      transport.send(send->to, send->envelope);
    } else if (const auto* redial = std::get_if<Redial>(&action)) {
      transport.redial(redial->peer);
    } else if (const auto* forget = std::get_if<Forget>(&action)) {
      transport.forget(forget->peer);
    } else if (const auto* notice = std::get_if<Notice>(&action)) {
      log_line(notice->warning ? LogLevel::warn : LogLevel::info, notice->text);
    } else if (other_) {
      other_(action);
    }
  }
  outbox.actions().clear();
}

void EventLoop::wait(const Transport& transport, Time deadline) {
  std::vector<pollfd> fds{{signals_, POLLIN, 0}};
  for (const Watched& watched : watched_) fds.push_back({watched.fd, POLLIN, 0});
  for (const int fd : transport.descriptors()) fds.push_back({fd, POLLIN, 0});
  const Duration left = std::clamp<Duration>(deadline - now(), Duration{}, std::chrono::seconds(1));
  const timespec timeout{left / std::chrono::seconds(1), (left % std::chrono::seconds(1)).count()};
  ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
}

void EventLoop::handle_signals(Stage& stage, Time at, Outbox& outbox) {
  std::uint64_t count = 0;
  if (::read(signals_, &count, sizeof count) == sizeof count) stage.drain(at, outbox);
}

void say_ready(std::string_view tool, std::string_view endpoints) {
  std::fputs(fmt::format("{}: READY{}{}\n", tool, endpoints.empty() ? "" : " ", endpoints).c_str(), stderr);
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) throw Error("getrandom failed");
  return seed;
}

std::string boot_id() {
  std::string id = read_text("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

}  // namespace dp
