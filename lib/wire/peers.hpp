// Who is behind the bound sockets: numbers for routing ids. Peers whose session was accepted stay until they are
// forgotten; of all others only the most recent are kept, so that unauthenticated peers cannot fill the memory.
// SPDX-License-Identifier: MIT
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/slab_map.hpp"
#include "wire/stage.hpp"

namespace dp {

template <class Socket>
class Peers {
 public:
  static constexpr std::size_t most_unauthenticated = 1024;
  struct Route {
    Socket* socket;
    std::string routing_id;
    bool operator<(const Route& other) const {
      return std::tie(socket, routing_id) < std::tie(other.socket, other.routing_id);
    }
  };

  /// The peer behind this routing id; a new one if it is not known.
  PeerId number(Socket* socket, std::string routing_id) {
    const auto [entry, fresh] = ids_.try_emplace({socket, std::move(routing_id)}, PeerId{next_});
    const PeerId peer = entry->second;
    if (!fresh) {
      touch(peer);
      return peer;
    }
    ++next_;
    unauthenticated_.push_front(peer);
    entries_[entries_.insert(peer).first] = {&entry->first, unauthenticated_.begin()};
    if (unauthenticated_.size() > most_unauthenticated) forget(unauthenticated_.back());
    return peer;
  }
  const Route* find(PeerId peer) const {
    const SlabIndex found = entries_.find(peer);
    return found == no_index ? nullptr : entries_[found].route;
  }
  /// From now on it is kept until it is forgotten.
  void accept(PeerId peer) {
    const SlabIndex found = entries_.find(peer);
    if (found == no_index || !entries_[found].unauthenticated) return;
    unauthenticated_.erase(*entries_[found].unauthenticated);
    entries_[found].unauthenticated.reset();
  }
  bool accepted(PeerId peer) const {
    const SlabIndex found = entries_.find(peer);
    return found != no_index && !entries_[found].unauthenticated;
  }
  void forget(PeerId peer) {
    const SlabIndex found = entries_.find(peer);
    if (found == no_index) return;
    const Entry entry = entries_[found];
    if (entry.unauthenticated) unauthenticated_.erase(*entry.unauthenticated);
    ids_.erase(ids_.find(*entry.route));
    entries_.erase(found);
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    const Route* route = nullptr;  ///< the key in `ids_`
    std::optional<std::list<PeerId>::iterator> unauthenticated;  ///< its place in `unauthenticated_`
  };
  void touch(PeerId peer) {
    const Entry& entry = entries_[entries_.find(peer)];
    if (entry.unauthenticated) unauthenticated_.splice(unauthenticated_.begin(), unauthenticated_, *entry.unauthenticated);
  }

  std::map<Route, PeerId> ids_;
  SlabMap<PeerId, Entry> entries_;
  std::list<PeerId> unauthenticated_;  ///< latest first
  std::uint64_t next_ = raw(first_inbound);
};

}  // namespace dp
