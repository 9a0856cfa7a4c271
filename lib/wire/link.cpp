// SPDX-License-Identifier: MIT
#include "wire/link.hpp"

#include <algorithm>

namespace dp {
namespace {

constexpr std::size_t longest_name = 100, longest_text = 512;

/// When a peer was last heard, leaving out the time this process was itself stopped or starved (two
/// heartbeats without a tick): it must not take its own absence for its peers'. A tick is due each heartbeat,
/// so one a little late is none.
Time heard_leaving_out_absence(Time heard, Time now, Time last_tick, Duration heartbeat) {
  if (last_tick == Time{} || now - last_tick <= 2 * heartbeat) return heard;
  return std::min(now, heard + (now - last_tick));
}

}  // namespace

// ---- Dialer ----------------------------------------------------------------------------------------------

void Dialer::send(Message message, Outbox& out) {
  if (up_) out.push(Send{peer_, Envelope{ours_, theirs_, std::move(message)}});
}

void Dialer::send_hello(Time now, Outbox& out) {
  Hello hello = hooks_.hello();
  hello.t1 = now;
  out.push(Send{peer_, Envelope{ours_, Session{}, std::move(hello)}});
  next_ = now + timing_.hello_every;
}

void Dialer::redial(Time now, Outbox& out) {
  out.debug("{}: a new session, on a new connection (the last was {:x})", name_of(peer_role_), raw(ours_));
  ours_ = Session{raw(ours_) + 1};
  theirs_ = Session{raw(theirs_) & ~std::uint64_t{0xFFFFFFFF}};  // only the process is remembered
  if (up_) alone_since_ = now;
  up_ = false;
  out.push(Redial{peer_});
  send_hello(now, out);
}

void Dialer::ping(Time now, Outbox& out) {
  Ping ping;
  ping.t1 = now;
  if (!same_clock_) {
    ping.offset = clock_.offset(now);
    ping.bound = clock_.bound(now);
  }
  if (hooks_.ping) hooks_.ping(ping);
  send(std::move(ping), out);
  next_ = now + timing_.heartbeat;
}

/// Tells the other side our estimate before anything that it must put on its own clock.
void Dialer::exchange_clocks(Time now, Outbox& out) {
  out.push(Send{peer_, Envelope{ours_, theirs_, Ping{now, 0, clock_.offset(now), clock_.bound(now), {}}}});
}

LinkEvent Dialer::tick(Time now, Outbox& out) {
  if (!begun_) {
    begun_ = true;
    alone_since_ = last_tick_ = now;
    out.debug("{}: HELLO, session {:x}", name_of(peer_role_), raw(ours_));
    send_hello(now, out);
    return LinkEvent::none;
  }
  heard_ = heard_leaving_out_absence(heard_, now, last_tick_, timing_.heartbeat);
  last_tick_ = now;
  if (up_ && now - heard_ > timing_.missed * timing_.heartbeat) {
    out.debug("{}: not heard for {:.3g} s", name_of(peer_role_), to_seconds(now - heard_));
    redial(now, out);
    return LinkEvent::down;
  }
  if (!up_ && now - alone_since_ > timing_.wait) return LinkEvent::gave_up;
  if (now < next_) return LinkEvent::none;
  if (up_) {
    ping(now, out);
  } else {
    send_hello(now, out);
  }
  return LinkEvent::none;
}

LinkEvent Dialer::receive(Time now, Envelope& envelope, Outbox& out) {
  if (envelope.to != ours_) return LinkEvent::none;  // meant for an earlier session
  if (auto* welcome = std::get_if<Welcome>(&envelope.body)) {
    heard_ = now;
    const bool same_process = process_of(theirs_) == process_of(envelope.from);
    if (same_process && raw(envelope.from) <= raw(theirs_)) return LinkEvent::none;  // said again, or of an earlier session
    if (!same_process) clock_ = {};
    theirs_ = envelope.from;
    welcome_ = *welcome;
    same_clock_ = welcome->boot_id == boot_id_;
    clock_.add(welcome->t1, welcome->t2, welcome->t3, now);
    if (!same_clock_ && !clock_.known()) {  // a clock has stepped meanwhile
      redial(now, out);
      return LinkEvent::none;
    }
    if (!same_clock_) exchange_clocks(now, out);
    up_ = true;
    next_ = now;
    out.debug("{}: WELCOME, session {:x} with {:x}, run {:016x}", name_of(peer_role_), raw(ours_), raw(theirs_),
              raw(welcome_.run));
    if (!same_clock_)
      out.debug("{}: its clock is {:.6f} s ahead of ours, give or take {:.6f} s", name_of(peer_role_),
                to_seconds(clock_.offset(now)), to_seconds(clock_.bound(now)));
    return LinkEvent::up;
  }
  if (auto* reject = std::get_if<Reject>(&envelope.body)) {
    if (reason_ != reject->reason) out.debug("{}: REJECT: {}", name_of(peer_role_), reject->reason);
    reason_ = reject->reason;
    if (!reject->hello_again) return LinkEvent::refused;
    if (!up_) return LinkEvent::none;  // HELLO goes out again in its own time
    redial(now, out);
    return LinkEvent::down;
  }
  if (envelope.from != theirs_) return LinkEvent::none;
  heard_ = now;
  if (auto* pong = std::get_if<Pong>(&envelope.body)) {
    clock_.add(pong->t1, pong->t2, pong->t3, now);
    return LinkEvent::none;
  }
  return up_ ? LinkEvent::message : LinkEvent::none;
}

std::string Dialer::complaint() const {
  std::string text =
      fmt::format("no {} answered within {:g} s", name_of(peer_role_), to_seconds(timing_.wait));
  return reason_.empty() ? text : fmt::format("{} ({})", text, reason_);
}

// ---- Listener --------------------------------------------------------------------------------------------

void Listener::send(PeerId to, Message message, Outbox& out) {
  const PeerState* peer = find(to);
  if (peer) out.push(Send{to, Envelope{peer->ours, peer->session, std::move(message)}});
}

void Listener::drop(PeerId peer, Outbox& out) {
  const SlabIndex found = by_id_.find(peer);
  if (found == no_index) return;
  by_id_.erase(found);
  peers_.erase(peer);
  out.push(Forget{peer});
}

void Listener::refuse(PeerId from, const Envelope& to, std::string reason, bool hello_again, Outbox& out) {
  if (!hello_again) out.debug("session {:x} is turned away: {}", raw(to.from), reason);
  out.push(Send{from, Envelope{ours_, to.from, Reject{hello_again, reason.substr(0, longest_text)}}});
}

LinkEvent Listener::receive(Time now, PeerId from, Envelope& envelope, Outbox& out) {
  if (const auto* hello = std::get_if<Hello>(&envelope.body)) {
    const bool sane =
        hello->name.size() <= longest_name && hello->data.dataset.size() <= longest_name &&
        std::ranges::all_of(hello->datasets, [](const std::string& d) { return d.size() <= longest_name; });
    if (sane) return LinkEvent::up;
    refuse(from, envelope, "HELLO with a name or digest that is too long", false, out);
    return LinkEvent::none;
  }
  const SlabIndex found = by_id_.find(from);
  if (found == no_index || by_id_[found]->session != envelope.from || by_id_[found]->ours != envelope.to) {
    refuse(from, envelope, "this session is not known here", true, out);
    return LinkEvent::none;
  }
  PeerState& peer = *by_id_[found];
  peer.heard = now;
  if (peer.disconnected) peer.disconnected = now;  // what it had sent is still being read
  if (const auto* ping = std::get_if<Ping>(&envelope.body)) {
    peer.offset = ping->offset;
    peer.bound = ping->bound;
    send(from, Pong{ping->t1, now, now}, out);
  }
  return LinkEvent::message;
}

Listener::Acceptance Listener::accept(Time now, PeerId from, const Envelope& envelope, Welcome welcome,
                                      Outbox& out) {
  const Hello& hello = std::get<Hello>(envelope.body);
  Acceptance result;
  const auto ignore = [&](std::string why, bool hello_again) {
    refuse(from, envelope, std::move(why), hello_again, out);
    result.refused = true;
    return result;
  };
  for (const auto& [id, peer] : peers_) {
    const bool same_name = peer.role == hello.role && peer.name == hello.name;
    if (id == from && !same_name) return ignore("this connection has another name already", false);
    if (!same_name || (id == from && peer.session == envelope.from)) continue;
    const bool same_process = process_of(peer.session) == process_of(envelope.from);
    if (same_process && raw(peer.session) > raw(envelope.from)) {  // left over from an earlier session
      result.refused = true;
      return result;
    }
    if (!same_process && id != from && !peer.disconnected && now - peer.heard <= timing_.missed * timing_.heartbeat) {
      return ignore(fmt::format("the name '{}' is in use by a live {}", hello.name, name_of(hello.role)),
                    true);
    }
    result.replaced = id;
  }
  if (result.replaced && *result.replaced != from) drop(*result.replaced, out);
  PeerState& peer = peers_[from];
  by_id_[by_id_.insert(from).first] = &peer;
  if (peer.session != envelope.from) {
    const Session ours{raw(ours_) + ++accepted_};
    peer = PeerState{hello.role, hello.name, envelope.from, ours, now, {}, {}, {}};
    out.debug("{} {} joined: session {:x} with {:x}{}", name_of(hello.role), hello.name, raw(ours),
              raw(envelope.from), result.replaced ? ", in place of its last" : "");
  }
  peer.heard = now;
  welcome.boot_id = boot_id_;
  welcome.t1 = hello.t1;
  welcome.t2 = welcome.t3 = now;
  send(from, std::move(welcome), out);
  return result;
}

std::vector<std::pair<PeerId, PeerState>> Listener::expire(Time now, Outbox& out) {
  std::vector<std::pair<PeerId, PeerState>> gone;
  next_gone_ = never;
  for (auto& [id, peer] : peers_) {
    peer.heard = heard_leaving_out_absence(peer.heard, now, last_tick_, timing_.heartbeat);
    const Time until = peer.disconnected ? *peer.disconnected + timing_.reconnect : never;
    if (now - peer.heard > timing_.missed * timing_.heartbeat || now >= until) gone.emplace_back(id, peer);
    else next_gone_ = std::min(next_gone_, until);
  }
  last_tick_ = now;
  for (const auto& [id, peer] : gone) drop(id, out);
  return gone;
}

void Listener::disconnected(Time now, PeerId peer) {
  const SlabIndex found = by_id_.find(peer);
  if (found == no_index || by_id_[found]->disconnected) return;
  by_id_[found]->disconnected = now;
  next_gone_ = std::min(next_gone_, now + timing_.reconnect);
}

Time Listener::next_deadline() const { return std::min(last_tick_ + timing_.heartbeat / 2, next_gone_); }

}  // namespace dp
