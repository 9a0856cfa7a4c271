// Runs a stage for real: sockets, clock, signals, periodic work. The same for all four tools.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "runtime/set_up_process.hpp"
#include "wire/stage.hpp"
#include "wire/transport.hpp"

namespace dp {

class EventLoop {
 public:
  using Callback = std::function<void(Time, Outbox&)>;

  /// `interruptions`: from `set_up_process`.
  explicit EventLoop(int interruptions);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Calls back whenever `fd` is readable.
  void watch(int fd, Callback callback);
  /// Calls back every `period`.
  void every(Duration period, Callback callback);
  /// What to do with actions the loop has no use for itself (Compute, WarmUp, Decision).
  void on_action(std::function<void(Action&)> callback) { other_ = std::move(callback); }

  /// Runs until the stage has finished. An interruption lets it drain. Throws Error when the stage failed.
  Exit run(Stage& stage, Transport& transport);

 private:
  struct Periodic {
    Duration period;
    Time next;
    Callback callback;
  };
  struct Watched {
    int fd;
    Callback callback;
  };

  void carry_out(Transport& transport, Outbox& outbox);
  void wait(Transport& transport, Time deadline);
  void handle_signals(Stage& stage, Time now, Outbox& outbox);

  std::vector<Watched> watched_;
  std::vector<Periodic> periodic_;
  std::function<void(Action&)> other_;
  int signals_;
};

/// The line scripts wait for, on stderr: `dp-route: READY stream=tcp://… worker=tcp://…`.
void print_ready(std::string_view tool, std::string_view endpoints);

/// Random bits for nonces, from the operating system.
std::uint64_t random_seed();
/// Identifies this boot of this host: processes with the same one share CLOCK_MONOTONIC.
std::string boot_id();
std::string host_name();

}  // namespace dp
