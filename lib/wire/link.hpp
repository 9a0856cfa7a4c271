// Liveness of one connection, the same for all: HELLO and WELCOME, session nonces, heartbeats, clock offset.
// The dialling side is a `Dialer` per connection; the bound side is one `Listener` for all its peers.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/random.hpp"
#include "base/slab_map.hpp"
#include "wire/clock_offset.hpp"
#include "wire/stage.hpp"

namespace dp {

struct LinkTiming {
  Duration heartbeat = std::chrono::seconds(1);
  int missed = 3;  ///< heartbeats not heard before a peer counts as gone
  Duration hello_every = std::chrono::milliseconds(50);
  /// For a peer whose connection has ended to be back on another, before it counts as gone.
  Duration reconnect = std::chrono::milliseconds(50);
  Duration wait = std::chrono::seconds(60);  ///< longest time without the peer before giving up
};

/// What became of a message or of time passing.
enum class LinkEvent {
  none,     ///< dealt with
  up,       ///< a session began
  down,     ///< the session was lost; it is being redialled
  message,  ///< for the stage
  refused,  ///< REJECTed for good
  gave_up   ///< not reached within `wait`
};

/// A nonce names its process in the upper half and counts that process's sessions in the lower.
constexpr std::uint64_t process_of(Session s) { return raw(s) >> 32; }
inline Session new_session(Rng& rng) { return Session{(rng.bits() << 32) | 1}; }

/// The connecting side of one link.
class Dialer {
 public:
  struct Hooks {
    std::function<Hello()> hello;          ///< what to introduce oneself with, now
    std::function<void(Ping&)> ping = {};  ///< adds what a heartbeat carries
  };
  Dialer(PeerId peer, Role peer_role, std::string boot_id, Session first, LinkTiming timing, Hooks hooks)
      : peer_(peer),
        peer_role_(peer_role),
        boot_id_(std::move(boot_id)),
        ours_(first),
        timing_(timing),
        hooks_(std::move(hooks)) {}

  LinkEvent receive(Time now, Envelope& envelope, Outbox& out);
  LinkEvent tick(Time now, Outbox& out);
  Time next_deadline() const { return next_; }

  /// Sends if the session is up; otherwise the message is dropped: a new session begins by saying what
  /// matters.
  void send(Message message, Outbox& out);
  /// Starts a new session on a new connection.
  void redial(Time now, Outbox& out);
  /// A heartbeat ahead of its time.
  void ping(Time now, Outbox& out);

  bool up() const { return up_; }
  /// What the peer said when the session began.
  const Welcome& welcome() const { return welcome_; }
  /// The peer's clock − ours.
  Duration offset(Time now) const { return same_clock_ ? Duration{} : clock_.offset(now); }
  PeerId peer() const { return peer_; }
  /// Why it could not be reached, in words.
  std::string complaint() const;

 private:
  void send_hello(Time now, Outbox& out);
  void exchange_clocks(Time now, Outbox& out);

  PeerId peer_;
  Role peer_role_;
  std::string boot_id_;
  Session ours_;
  Session theirs_{};
  LinkTiming timing_;
  Hooks hooks_;
  Welcome welcome_;
  bool up_ = false, same_clock_ = true;
  Time next_{};  ///< next HELLO or PING
  Time heard_{}, last_tick_{};
  Time alone_since_{};
  bool begun_ = false;
  std::string reason_;
  ClockOffset clock_;
};

/// What the bound side knows of one peer.
struct PeerState {
  Role role{};
  std::string name;
  Session session{};  ///< its nonce
  Session ours{};     ///< ours: one more each time a peer is accepted, which a Dialer goes by
  Time heard{};
  Duration offset{}, bound{};  ///< add to the peer's times to have ours
  std::optional<Time> disconnected = {};  ///< when its connection ended
};

/// The bound side of many links.
class Listener {
 public:
  Listener(std::string boot_id, Session ours, LinkTiming timing)
      : boot_id_(std::move(boot_id)), ours_(ours), timing_(timing) {}

  /// A HELLO is passed on as `up`, and the stage answers with `accept`, `refuse` or nothing (it will come
  /// again); everything of an unknown session is answered "HELLO again".
  LinkEvent receive(Time now, PeerId from, Envelope& envelope, Outbox& out);

  /// Takes a peer in. Returns the peer of the same role and name it replaces, which the stage must let go.
  /// If another live process has the name, nothing is done and `refused` is set.
  struct Acceptance {
    std::optional<PeerId> replaced;
    bool refused = false;
  };
  Acceptance accept(Time now, PeerId from, const Envelope& hello, Welcome welcome, Outbox& out);
  void refuse(PeerId from, const Envelope& to, std::string reason, bool hello_again, Outbox& out);

  /// The peer's connection has ended: unless it is back in time, `expire` names it; its name may be taken at once.
  void disconnected(Time now, PeerId peer);
  /// Peers not heard of for too long, or disconnected; each is dropped here and must be let go by the stage.
  std::vector<std::pair<PeerId, PeerState>> expire(Time now, Outbox& out);
  Time next_deadline() const;

  void send(PeerId to, Message message, Outbox& out);
  void drop(PeerId peer, Outbox& out);
  const PeerState* find(PeerId peer) const {
    const SlabIndex found = by_id_.find(peer);
    return found == no_index ? nullptr : by_id_[found];
  }
  const std::map<PeerId, PeerState>& peers() const { return peers_; }
  Session session() const { return ours_; }

 private:
  std::string boot_id_;
  Session ours_;
  std::uint32_t accepted_ = 0;
  LinkTiming timing_;
  std::map<PeerId, PeerState> peers_;
  SlabMap<PeerId, PeerState*> by_id_;  ///< the same, found sooner
  Time last_tick_{}, next_gone_ = never;  ///< the next of those disconnected counts as gone
};

}  // namespace dp
