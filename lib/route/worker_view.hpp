// What a strategy may know of the workers: who is live, ready and idle, and what each has to do. Kept by the dispatcher.
// Numbers that a strategy scans lie in arrays by slot.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "base/random.hpp"

namespace dp {

/// A worker's place: 0 … W-1 for the wanted workers, beyond for extra capacity. A replacement regains the place.
using Slot = std::uint32_t;

/// A set of slots that can be drawn from in constant time.
class SlotSet {
 public:
  std::size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  bool contains(Slot slot) const { return slot < positions_.size() && positions_[slot] != absent; }
  /// In an order that only depends on what was put in and taken out.
  std::span<const Slot> members() const { return members_; }
  void grow(Slot slots) { positions_.resize(slots, absent); }
  /// The slot is below what it was grown to.
  void set(Slot slot, bool in) {
    if (in == (positions_[slot] != absent)) return;
    if (in) {
      positions_[slot] = static_cast<std::uint32_t>(members_.size());
      members_.push_back(slot);
      return;
    }
    const std::uint32_t hole = positions_[slot];
    members_[hole] = members_.back();
    positions_[members_[hole]] = hole;
    members_.pop_back();
    positions_[slot] = absent;
  }
  /// How many there are without `left_out`.
  std::size_t size_without(std::optional<Slot> left_out) const {
    return size() - (left_out && contains(*left_out));
  }
  /// One of those without `left_out`, each as likely; nothing if there is none.
  std::optional<Slot> draw(Rng& rng, std::optional<Slot> left_out = {}) const {
    const std::size_t others = size_without(left_out);
    if (others == 0) return std::nullopt;
    std::size_t at = others == 1 ? 0 : rng.below(others);
    if (others < size() && at >= positions_[*left_out]) ++at;
    return members_[at];
  }

 private:
  static constexpr std::uint32_t absent = UINT32_MAX;
  std::vector<Slot> members_;
  std::vector<std::uint32_t> positions_;  ///< by slot
};

/// What one worker has to do.
struct WorkerLoad {
  std::uint32_t queued = 0, in_flight = 0;  ///< batches that wait in the router for it; that it was sent
  std::uint64_t queued_samples = 0, in_flight_samples = 0;
  std::uint64_t credit = 0;  ///< batches it may be sent now
  std::uint32_t batches() const { return queued + in_flight; }
  std::uint64_t samples() const { return queued_samples + in_flight_samples; }
};

/// Read by strategies, written by the dispatcher.
class WorkerView {
 public:
  static constexpr double nobody = std::numeric_limits<double>::infinity();

  const SlotSet& live() const { return live_; }
  const SlotSet& ready() const { return ready_; }  ///< live, with credit and nothing queued
  const SlotSet& idle() const { return idle_; }    ///< ready, with nothing in flight
  const WorkerLoad& operator[](Slot slot) const { return loads_[slot]; }
  /// Outstanding at all live workers.
  std::uint64_t batches() const { return batches_; }
  /// All slots there ever were are below this.
  Slot slots() const { return static_cast<Slot>(loads_.size()); }

  // By slot, for scans:
  std::span<const double> live_batches() const { return live_batches_; }    ///< of live workers; `nobody` of others
  std::span<const double> live_samples() const { return live_samples_; }    ///< of live workers; `nobody` of others
  std::span<const double> ready_samples() const { return ready_samples_; }  ///< of ready workers; `nobody` of others

  /// The dispatcher's way in: changes a worker's load, and what follows from it.
  template <class F>
  void update(Slot slot, F&& change) {
    if (slot >= loads_.size()) grow(slot + 1);
    const bool live = live_.contains(slot);
    if (live) batches_ -= loads_[slot].batches();
    change(loads_[slot]);
    if (live) batches_ += loads_[slot].batches();
    refresh(slot, live);
  }
  void set_live(Slot slot, bool live) {
    if (slot >= loads_.size()) grow(slot + 1);
    if (live != live_.contains(slot)) batches_ += (live ? 1 : -1) * std::int64_t{loads_[slot].batches()};
    refresh(slot, live);
  }

 private:
  void grow(Slot slots) {
    loads_.resize(slots);
    for (auto* set : {&live_, &ready_, &idle_}) set->grow(slots);
    for (auto* array : {&live_batches_, &live_samples_, &ready_samples_}) array->resize(slots, nobody);
  }
  void refresh(Slot slot, bool live) {
    const WorkerLoad& load = loads_[slot];
    const bool ready = live && load.credit > 0 && load.queued == 0;
    const double samples = static_cast<double>(load.samples());
    live_.set(slot, live);
    ready_.set(slot, ready);
    idle_.set(slot, ready && load.in_flight == 0);
    live_batches_[slot] = live ? load.batches() : nobody;
    live_samples_[slot] = live ? samples : nobody;
    ready_samples_[slot] = ready ? samples : nobody;
  }

  SlotSet live_, ready_, idle_;
  std::uint64_t batches_ = 0;
  std::vector<WorkerLoad> loads_;
  std::vector<double> live_batches_, live_samples_, ready_samples_;
};

}  // namespace dp
