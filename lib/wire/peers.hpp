// Who is behind the bound sockets: numbers for routing ids. Peers whose session was accepted stay until they are
// forgotten; of all others only the most recent are kept, so that unauthenticated peers cannot fill the memory.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "wire/stage.hpp"

namespace dp {

template <class Socket>
class Peers {
 public:
  static constexpr std::size_t most_unauthenticated = 1024;
  struct Route {
    Socket* socket;
    std::string routing_id;
    bool operator==(const Route&) const = default;
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
    entries_[peer] = {&entry->first, unauthenticated_.begin()};
    if (unauthenticated_.size() > most_unauthenticated) forget(unauthenticated_.back());
    return peer;
  }
  const Route* find(PeerId peer) const {
    const auto found = entries_.find(peer);
    return found == entries_.end() ? nullptr : found->second.route;
  }
  /// From now on it is kept until it is forgotten.
  void accept(PeerId peer) {
    const auto found = entries_.find(peer);
    if (found == entries_.end() || !found->second.unauthenticated) return;
    unauthenticated_.erase(*found->second.unauthenticated);
    found->second.unauthenticated.reset();
  }
  bool accepted(PeerId peer) const {
    const auto found = entries_.find(peer);
    return found != entries_.end() && !found->second.unauthenticated;
  }
  void forget(PeerId peer) {
    const auto found = entries_.find(peer);
    if (found == entries_.end()) return;
    if (found->second.unauthenticated) unauthenticated_.erase(*found->second.unauthenticated);
    ids_.erase(ids_.find(*found->second.route));
    entries_.erase(found);
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    const Route* route = nullptr;  ///< the key in `ids_`
    std::optional<std::list<PeerId>::iterator> unauthenticated;  ///< its place in `unauthenticated_`
  };
  void touch(PeerId peer) {
    const Entry& entry = entries_.find(peer)->second;
    if (entry.unauthenticated) unauthenticated_.splice(unauthenticated_.begin(), unauthenticated_, *entry.unauthenticated);
  }

  struct Hash {
    std::size_t operator()(const Route& route) const {
      return std::hash<std::string>{}(route.routing_id) ^ std::hash<Socket*>{}(route.socket);
    }
  };

  std::unordered_map<Route, PeerId, Hash> ids_;
  std::unordered_map<PeerId, Entry> entries_;
  std::list<PeerId> unauthenticated_;  ///< latest first
  std::uint64_t next_ = raw(first_inbound);
};

}  // namespace dp
