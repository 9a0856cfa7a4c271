// SPDX-License-Identifier: MIT
#include "runtime/event_loop.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/file.hpp"
#include "base/log.hpp"

namespace dp {
namespace {

constexpr int most_messages_a_turn = 64;  ///< before timers are looked at again

}  // namespace

EventLoop::EventLoop(int interruptions) : signals_(interruptions) {}

void EventLoop::watch(int fd, Callback callback) { watched_.push_back({fd, std::move(callback)}); }

void EventLoop::every(Duration period, Callback callback) {
  periodic_.push_back({period, Time{}, std::move(callback)});
}

Exit EventLoop::run(Stage& stage, Transport& transport) {
  Outbox outbox;
  outbox.show_debug(log_shows(LogLevel::debug));
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
    for (const PeerId peer : transport.disconnected()) stage.disconnected(now(), peer, outbox);
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
      log_line(notice->level, notice->text);
    } else if (other_) {
      other_(action);
    }
  }
  outbox.actions().clear();
}

void EventLoop::wait(Transport& transport, Time deadline) {
  std::vector<int> others{signals_};
  for (const Watched& watched : watched_) others.push_back(watched.fd);
  transport.wait(others, std::clamp<Duration>(deadline - now(), Duration{}, std::chrono::seconds(1)));
}

void EventLoop::handle_signals(Stage& stage, Time at, Outbox& outbox) {
  std::uint64_t count = 0;
  if (::read(signals_, &count, sizeof count) == sizeof count) stage.drain(at, outbox);
}

void print_ready(std::string_view tool, std::string_view endpoints) {
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
