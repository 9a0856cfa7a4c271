// What decides, apart from what survives: which worker's queue a batch joins and which batch goes out next, by a strategy
// and the workers' credit. No messages, no clock, no leases; once it has grown to what is held at a time it allocates
// nothing. The same calls lead to the same answers on every machine, so it can be hosted by dp-route, by a simulator and by
// dp-replay.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/slab_map.hpp"
#include "route/dispatcher_call.hpp"
#include "route/strategy.hpp"

namespace dp {

class Dispatcher {
 public:
  /// Told of each call that may change something, of each answer of the strategy, and of each batch that `next` gives.
  using Observer = std::function<void(const DispatcherCall&)>;

  explicit Dispatcher(std::unique_ptr<Strategy> strategy, Observer observer = {});

  // ---- workers: only those that have a place ----
  /// `resumes`: the same process on a new connection. Its credit is 0 until it is told.
  void join(Time now, Slot slot, bool resumes);
  /// Every attempt under way there ends. Its queue goes to others, unless `keep_queue`: then it is about to be back.
  void leave(Time now, Slot slot, bool keep_queue);
  /// It may be sent this many more batches from now on.
  void credit(Time now, Slot slot, std::uint64_t batches);

  // ---- batches: each is here at most once ----
  /// `exclude` counts as dead for this batch while it has that life and others are alive.
  void arrive(Time now, const BatchMeta& batch, std::uint32_t attempt, std::optional<Excluded> exclude = {});
  /// The worker in `slot` says that it holds the batch, which may wait here or not be known at all.
  Ticket adopt(Time now, const BatchMeta& batch, std::uint32_t attempt, Slot slot);
  /// The next batch to send, and to whom; nothing if none can be sent. Workers take turns.
  std::optional<Ticket> next(Time now);
  /// Ends an attempt; one that has ended already is left alone.
  void finish(Time now, const Ticket& ticket, AttemptEnd how);
  /// A batch that waits is not to be served any more.
  void withdraw(Time now, BatchId batch);
  /// A batch was served in `slot`. Apart from `finish`, since the ledger may end an attempt before its worker says so.
  void observe(Time now, Slot slot, std::uint32_t samples, Duration service, Duration response);

  const WorkerView& view() const { return view_; }
  const Strategy& strategy() const { return *strategy_; }
  std::uint32_t life(Slot slot) const { return slot < places_.size() ? places_[slot].life : 0; }
  /// Batches that wait centrally.
  std::size_t waiting() const { return central_.size(); }
  /// Times the strategy was asked.
  std::uint64_t decisions() const { return decisions_; }

 private:
  enum class State : std::uint8_t { central, queued, in_flight };
  struct Held {
    SlabLinks links;
    BatchMeta meta;
    std::uint32_t attempt = 0;
    State state = State::central;
    Slot slot = 0;
    std::optional<Excluded> exclude;
  };
  struct Place {
    SlabList queue, in_flight;
    std::uint32_t life = 0;
    bool in_turns = false;
  };

  Place& place(Slot slot);
  std::optional<Slot> excluded(const Held& held) const;
  std::optional<Slot> ask(Time now, SlabIndex index, bool again);
  void ask_central(Time now);
  void wait_or_enqueue(SlabIndex index, std::optional<Slot> slot);
  void start(SlabIndex index, Slot slot, std::uint64_t credit_used);
  void take_from_list(SlabIndex index);
  void offer(Slot slot);

  std::unique_ptr<Strategy> strategy_;
  Observer observer_;
  WorkerView view_;
  SlabMap<BatchId, Held> batches_;
  SlabList central_;
  bool ask_again_ = false;  ///< something has changed since the head of the central queue was asked about
  std::vector<Place> places_;
  std::vector<Slot> turns_;  ///< a ring of those that may have something to send
  std::size_t first_turn_ = 0, turns_left_ = 0;
  std::uint64_t decisions_ = 0;
};

}  // namespace dp
