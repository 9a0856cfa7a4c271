// Drives a stage that dials dp-route and dp-collect, in virtual time: two peers that answer HELLO with
// WELCOME, keep what they are sent, and answer frames of an unknown session with "HELLO again", as the real
// ones do.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "wire/stage.hpp"

namespace dp::test {

inline constexpr RunId run_id{0xA1};
inline constexpr Time epoch{std::chrono::hours(1)};

constexpr Duration ms(double n) { return from_seconds(n / 1000); }

struct Peer {
  PeerId id;
  Session session;            ///< ours: a restart changes it
  Welcome welcome;            ///< the answer to HELLO
  bool answers = true;        ///< false: it hears and says nothing
  Session theirs{};           ///< of the stage's current session here
  std::uint64_t batches = 0;  ///< told in it
  std::vector<Hello> hellos = {};
  std::vector<Message> got = {};  ///< but for HELLO and PING
  std::vector<Ping> pings = {};

  template <class M>
  std::vector<M> all() const {
    std::vector<M> found;
    for (const Message& message : got) {
      if (const auto* m = std::get_if<M>(&message)) found.push_back(*m);
    }
    return found;
  }
  template <class M>
  std::size_t count() const {
    return all<M>().size();
  }
};

template <class S>
class DiallingRig {
 public:
  template <class... Args>
  explicit DiallingRig(Args&&... args) : stage(std::forward<Args>(args)...) {
    route.welcome.run = collect.welcome.run = run_id;
    route.welcome.boot_id = collect.welcome.boot_id = "this boot";
  }

  /// A message from a peer, in its current session.
  void tell(Peer& peer, Message message) {
    if (auto* batch = std::get_if<Batch>(&message)) batch->number = ++peer.batches;
    stage.receive(now, peer.id, Envelope{peer.session, peer.theirs, std::move(message)}, out);
    carry();
  }
  void tick() {
    stage.tick(now, out);
    carry();
  }
  /// Lets time pass, ticking whenever the stage wants it.
  void advance(Duration by) {
    const Time end = now + by;
    while (!stage.finished() && stage.next_deadline() <= end) {
      now = std::max(now, stage.next_deadline());
      tick();
    }
    now = end;
  }
  /// Lets time pass while the stage does not get to run.
  void stall(Duration by) { now += by; }
  /// The peer comes back as a new process; the stage notices at its next word.
  void restart(Peer& peer) {
    peer.session = Session{raw(peer.session) + (std::uint64_t{1} << 32)};
    peer.got.clear();
  }
  /// What the stage asked for itself, of one kind.
  template <class A>
  std::vector<A> actions() const {
    std::vector<A> found;
    for (const Action& action : others) {
      if (const auto* a = std::get_if<A>(&action)) found.push_back(*a);
    }
    return found;
  }
  void carry() {
    while (!out.actions().empty()) {
      std::vector<Action> actions = std::exchange(out.actions(), {});
      for (Action& action : actions) {
        if (auto* send = std::get_if<Send>(&action)) {
          hear(send->to == route.id ? route : collect, std::move(send->envelope));
        } else {
          others.push_back(std::move(action));
        }
      }
    }
  }

  Time now = epoch;
  Outbox out;
  Peer route{route_peer, Session{std::uint64_t{7} << 32 | 1}, {}};
  Peer collect{collect_peer, Session{std::uint64_t{8} << 32 | 1}, {}};
  S stage;
  std::vector<Action> others;

 private:
  void answer(Peer& peer, Session to, Message message) {
    stage.receive(now, peer.id, Envelope{peer.session, to, std::move(message)}, out);
  }
  void hear(Peer& peer, Envelope envelope) {
    if (!peer.answers) return;
    if (auto* hello = std::get_if<Hello>(&envelope.body)) {
      peer.hellos.push_back(std::move(*hello));
      peer.batches = 0;
      peer.theirs = envelope.from;
      return answer(peer, envelope.from, peer.welcome);
    }
    if (envelope.to != peer.session || envelope.from != peer.theirs) {
      return answer(peer, envelope.from, Reject{true, "this session is not known here"});
    }
    if (const auto* ping = std::get_if<Ping>(&envelope.body)) {
      peer.pings.push_back(*ping);
      return answer(peer, envelope.from, Pong{ping->t1, now, now});
    }
    peer.got.push_back(std::move(envelope.body));
  }
};

}  // namespace dp::test
