// What a stage's state machine looks like from outside, and what it may ask for. A stage opens no socket,
// reads no clock and never sleeps: the event loop (runtime/), the simulator and the tests feed it.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "wire/message.hpp"

namespace dp {

/// The two peers a connecting stage dials; peers of a bound socket are numbered from `first_inbound` on.
inline constexpr PeerId route_peer{1};
inline constexpr PeerId collect_peer{2};
inline constexpr PeerId first_inbound{16};

/// Hand a message to a peer; never blocks.
struct Send {
  PeerId to;
  Envelope envelope;
};
/// Throw the connection to a dialled peer away and connect afresh.
struct Redial {
  PeerId peer;
};
/// An inbound peer is gone: what is kept for it may go.
struct Forget {
  PeerId peer;
};
/// Start computing a batch (dp-infer).
struct Compute {
  Batch batch;
};
/// Prepare the model for this shape (dp-infer).
struct WarmUp {
  DataShape data;
};
/// Make these records durable, in order, and say when they are (dp-collect).
struct Append {
  std::string records;
};
/// A line for the decision log (dp-route).
struct Decision {
  Time at;
  BatchId batch;
  ShardId shard;
  std::uint32_t attempt;
  const char* what;  ///< assign, central, dispatch, retry, failed
  std::optional<std::uint32_t> slot;
  std::string worker;
};
/// A line for the person watching.
struct Notice {
  std::string text;
  LogLevel level = LogLevel::info;
};

using Action = std::variant<Send, Redial, Forget, Compute, WarmUp, Append, Decision, Notice>;

/// What a stage asks for, in order; drained and reused by whoever runs the stage.
class Outbox {
 public:
  template <class A>
  void push(A&& action) {
    actions_.emplace_back(std::in_place_type<std::remove_cvref_t<A>>, std::forward<A>(action));
  }
  void warn(std::string text) { push(Notice{std::move(text), LogLevel::warn}); }
  void info(std::string text) { push(Notice{std::move(text), LogLevel::info}); }
  /// For whoever looks for a fault: sessions, who comes and goes, what is tried again. Put into words only if shown.
  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (debug_) push(Notice{fmt::format(format, std::forward<Args>(args)...), LogLevel::debug});
  }
  void show_debug(bool shown) { debug_ = shown; }
  std::vector<Action>& actions() { return actions_; }

 private:
  bool debug_ = false;
  std::vector<Action> actions_;
};

/// One stage of the pipeline as a deterministic state machine.
class Stage {
 public:
  virtual ~Stage() = default;
  /// A message came in.
  virtual void receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) = 0;
  /// The connection to an inbound peer has ended, and all that came by it was received: its process is gone, or will be
  /// back on another.
  virtual void disconnected(Time /*now*/, PeerId /*peer*/, Outbox& /*out*/) {}
  /// `next_deadline()` has passed.
  virtual void tick(Time now, Outbox& out) = 0;
  virtual Time next_deadline() const = 0;
  /// The person asked to stop (SIGINT, SIGTERM).
  virtual void drain(Time now, Outbox& out) = 0;
  /// Resource figures of this process, about twice a second.
  virtual void usage(Time now, const ResourceUsage& usage, Outbox& out) = 0;

  /// How it ended, once it has.
  std::optional<Exit> finished() const { return exit_; }
  /// Why, when it failed.
  const std::string& failure() const { return failure_; }

 protected:
  void finish(Exit status, std::string why = {}) {
    if (exit_) return;
    exit_ = status;
    failure_ = std::move(why);
  }

 private:
  std::optional<Exit> exit_;
  std::string failure_;
};

}  // namespace dp
