// SPDX-License-Identifier: MIT
#include "route/roster.hpp"

#include <algorithm>
#include <utility>

namespace dp {

WorkerSession& Roster::add(PeerId peer, std::unique_ptr<WorkerSession> worker) {
  worker->peer = peer;
  by_peer_[by_peer_.insert(peer).first] = worker.get();
  return *(workers_[peer] = std::move(worker));
}

WorkerSession* Roster::find(PeerId peer) const {
  const SlabIndex found = by_peer_.find(peer);
  return found == no_index ? nullptr : by_peer_[found];
}

std::unique_ptr<WorkerSession> Roster::remove(PeerId peer) {
  auto node = workers_.extract(peer);
  by_peer_.erase(by_peer_.find(peer));
  if (node.mapped()->warm) --warm_;
  return std::move(node.mapped());
}

void Roster::rename(PeerId old_peer, PeerId peer) {
  auto node = workers_.extract(old_peer);
  if (!node) return;
  by_peer_.erase(by_peer_.find(old_peer));
  by_peer_[by_peer_.insert(peer).first] = node.mapped().get();
  node.key() = node.mapped()->peer = peer;
  workers_.insert(std::move(node));
}

void Roster::warmed(WorkerSession& worker) {
  if (!std::exchange(worker.warm, true)) ++warm_;
}

void Roster::open_places(std::uint32_t number) {
  seated_.resize(number);
  names_.resize(number);
  for (Slot slot = 0; slot < number; ++slot) vacant_.insert(vacant_.end(), slot);
}

std::optional<Slot> Roster::place_for(const std::string& name, bool elastic) const {
  for (const std::string& whose : {name, std::string()}) {
    const auto found = std::find_if(vacant_.begin(), vacant_.end(), [&](Slot slot) { return names_[slot] == whose; });
    if (found != vacant_.end()) return *found;
  }
  if (!vacant_.empty()) return *vacant_.begin();
  if (elastic) return static_cast<Slot>(seated_.size());
  return std::nullopt;
}

void Roster::seat(WorkerSession& worker, Slot slot) {
  if (slot >= seated_.size()) {
    seated_.resize(slot + 1);
    names_.resize(slot + 1);
  }
  vacant_.erase(slot);
  seated_[slot] = &worker;
  names_[slot] = worker.name;
  worker.slot = slot;
}

void Roster::vacate(WorkerSession& worker) {
  seated_[*worker.slot] = nullptr;
  vacant_.insert(*worker.slot);
  worker.slot.reset();
}

WorkerSession* Roster::warm_spare(const WorkerSession* but) const {
  for (const auto& [peer, worker] : workers_) {
    if (worker->warm && !worker->slot && worker.get() != but) return worker.get();
  }
  return nullptr;
}

}  // namespace dp
