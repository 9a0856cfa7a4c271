// The workers that dp-route knows, by connection and by place: who has which slot, whose it was, and who is a spare.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/slab_map.hpp"
#include "route/worker_view.hpp"
#include "wire/stage.hpp"

namespace dp {

/// One worker's session with this router.
struct WorkerSession {
  PeerId peer{};
  std::string name;
  std::optional<Slot> slot;             ///< nothing: a spare, or the run has not begun
  std::uint64_t limit = 0, sent = 0;    ///< credit of this session
  bool warm = false;                    ///< has given credit, or holds batches
  bool resumes = false;                 ///< the same process was here just before
  SlabList serving;                     ///< leased to it, oldest first: the first is being computed
  SlabList unsettled;                   ///< done here, not yet in the ledger
  std::map<BatchId, Time> overtaken;    ///< in the ledger before DONE came: when they were sent
  std::uint64_t credit() const { return limit > sent ? limit - sent : 0; }
};

class Roster {
 public:
  using Workers = std::map<PeerId, std::unique_ptr<WorkerSession>>;

  WorkerSession& add(PeerId peer, std::unique_ptr<WorkerSession> worker);
  /// Null if it is not known.
  WorkerSession* find(PeerId peer) const;
  /// It must have no place any more.
  std::unique_ptr<WorkerSession> remove(PeerId peer);
  /// The same session on another connection.
  void rename(PeerId old_peer, PeerId peer);
  void warmed(WorkerSession& worker);
  std::uint32_t warm() const { return warm_; }
  const Workers& all() const { return workers_; }

  /// From here on there are places.
  void open_places(std::uint32_t number);
  /// For a worker of this name: its own place, else one that is nobody's yet, else one whose worker is gone, else, if
  /// `elastic`, a new one.
  std::optional<Slot> place_for(const std::string& name, bool elastic) const;
  void seat(WorkerSession& worker, Slot slot);
  void vacate(WorkerSession& worker);
  /// Who sits there; null if nobody does.
  WorkerSession* in(Slot slot) const { return slot < seated_.size() ? seated_[slot] : nullptr; }
  /// A warm worker without a place, other than this one; null if there is none.
  WorkerSession* warm_spare(const WorkerSession* but) const;
  /// By slot: whose place it is; "" if nobody's yet.
  const std::vector<std::string>& names() const { return names_; }

 private:
  Workers workers_;
  SlabMap<PeerId, WorkerSession*> by_peer_;  ///< the same, found sooner
  std::uint32_t warm_ = 0;
  std::vector<WorkerSession*> seated_;  ///< by slot
  std::vector<std::string> names_;      ///< by slot
  std::set<Slot> vacant_;
};

}  // namespace dp
