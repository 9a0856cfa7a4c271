// dp-route's state machine among peers played by hand: a collector, a stream and workers that say what a test
// has them say, and keep what they are told.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "route/router.hpp"

namespace dp {

using namespace std::chrono_literals;

class FakePipeline {
 public:
  struct Peer {
    PeerId id{};
    Role role{};
    std::string name;
    Session session{}, router{};      ///< its nonce, and the router's
    std::uint64_t limit = 0;          ///< credit, told in heartbeats too
    std::uint64_t sent = 0;           ///< batches, in this session
    std::vector<std::uint64_t> held;  ///< named in heartbeats
    bool alive = true;                ///< sends heartbeats
    std::vector<Message> inbox;       ///< what it was told in its session
  };

  explicit FakePipeline(RouterOptions options = {}) : options_(std::move(options)) {
    options_.boot_id = "boot";
    options_.timing = {.heartbeat = 1s, .missed = 3, .hello_every = 200ms, .wait = 60s};
    collector_.role = Role::collect;
    collector_.id = collect_peer;
    collector_.session = Session{0xC'0000'0001};
    restart();
  }

  /// A router that knows nothing, in place of the one before.
  void restart() {
    router_ = std::make_unique<Router>(options_, ++routers_);
    peers_.clear();
    welcome_ = false;
    tick();
  }

  // ---- time ----------------------------------------------------------------------------------------------

  Time now() const { return now_; }
  Router& router() { return *router_; }
  void show_debug() { out_.show_debug(true); }
  void tick(Duration later = {}) {
    now_ += later;
    router_->tick(now_, out_);
    deliver();
  }
  /// Time passes in half heartbeats; whoever is alive is heard.
  void pass(Duration time) {
    for (const Time end = now_ + time; now_ < end && !router_->finished();) {
      now_ += std::min<Duration>(500ms, end - now_);
      for (auto& [id, peer] : peers_) {
        if (peer.alive) from(id, Ping{now_, peer.limit, {}, {}, peer.held});
      }
      if (welcome_ && collector_.alive) collect(Pong{now_, now_, now_});
      tick();
    }
  }

  // ---- peers ---------------------------------------------------------------------------------------------

  void collector_up(RunId run = RunId{42}) {
    welcome_ = true;
    collect(Welcome{run, "boot", {}});
  }
  /// The collector says something.
  void collect(Message message) {
    receive(collect_peer, collector_.session, router_session_, std::move(message));
  }
  void commit(std::vector<std::uint64_t> ids) {
    for (const std::uint64_t id : ids) settled_.insert(BatchId{id});
    Commit commit{true, settled_.watermark(), {}};
    settled_.image(commit.bitmap);
    collect(commit);
  }

  /// A peer says HELLO on a connection of its own; by default it is a new process.
  PeerId hello(Hello hello, Session session = {}) {
    const PeerId id{raw(first_inbound) + ++connections_};
    Peer& peer = peers_[id];
    peer.id = id;
    peer.role = hello.role;
    peer.name = hello.name;
    peer.session = session == Session{} ? Session{(raw(id) << 32) | 1} : session;
    peer.held = hello.held;
    peer.alive = false;
    hello_again(id, std::move(hello));
    return id;
  }
  /// The same session says HELLO, once more perhaps.
  void hello_again(PeerId id, Hello hello) {
    Peer& peer = peers_.at(id);
    hello.boot_id = "boot";
    receive(id, peer.session, Session{}, std::move(hello));
    peer.alive = !told<Welcome>(id).empty();
  }
  static Hello stream_hello(std::vector<std::uint64_t> shard_weights = {}, bool started = false,
                            PayloadMode payload = PayloadMode::inline_pixels) {
    Hello hello;
    hello.role = Role::stream;
    hello.name = "stream";
    hello.started = started;
    hello.data = {Shape{1, 1, 2}, 8, payload, "digest"};
    hello.shard_weights = std::move(shard_weights);
    return hello;
  }
  static Hello worker_hello(const std::string& name) {
    Hello hello;
    hello.role = Role::infer;
    hello.name = name;
    return hello;
  }
  PeerId stream_up(std::vector<std::uint64_t> shard_weights = {}, bool started = false) {
    return stream_ = hello(stream_hello(std::move(shard_weights), started));
  }
  /// A warm worker with this much credit.
  PeerId worker_up(const std::string& name, std::uint64_t limit) {
    const PeerId id = hello(worker_hello(name));
    credit(id, limit);
    return id;
  }
  void credit(PeerId worker, std::uint64_t limit) {
    peers_.at(worker).limit = limit;
    from(worker, Credit{limit});
  }
  /// Everybody needed to start: a collector, a stream, and workers w0, w1, … with this much credit each.
  std::vector<PeerId> all_up(std::uint64_t limit, std::vector<std::uint64_t> shard_weights = {}) {
    collector_up();
    stream_up(std::move(shard_weights));
    std::vector<PeerId> workers;
    for (std::uint32_t i = 0; i < options_.workers; ++i)
      workers.push_back(worker_up(fmt::format("w{}", i), limit));
    return workers;
  }
  /// Heard no more; dropped after three heartbeats.
  void kill(PeerId id) { peers_.at(id).alive = false; }
  /// Its connection ends, and that is noticed.
  void cut(PeerId id) {
    kill(id);
    router_->disconnected(now_, id, out_);
    deliver();
  }
  Peer& peer(PeerId id) { return peers_.at(id); }

  /// A peer says something in its session.
  void from(PeerId id, Message message) {
    if (auto* batch = std::get_if<Batch>(&message)) batch->number = ++peers_.at(id).sent;
    receive(id, peers_.at(id).session, peers_.at(id).router, std::move(message));
  }

  // ---- batches -------------------------------------------------------------------------------------------

  static Batch batch(std::uint64_t id, ShardId shard = 0) {
    static const auto pixels = std::make_shared<std::vector<std::byte>>(4);
    Batch batch;
    batch.lease.batch = BatchId{id};
    batch.shard = shard;
    batch.shape = {1, 1, 2};
    batch.ids = {0, 1};
    batch.payload = {pixels, *pixels};
    return batch;
  }
  void send(std::uint64_t first, std::uint64_t end) {
    for (std::uint64_t id = first; id < end; ++id) from(stream_, batch(id));
  }
  /// A worker finishes a batch it was given, with as much more credit.
  void done(PeerId worker, std::uint64_t id, ErrorClass error = ErrorClass::none,
            std::uint64_t more_credit = 0) {
    Peer& peer = peers_.at(worker);
    peer.limit += more_credit;
    std::erase(peer.held, id);
    Lease lease = leases_[{worker, id}];
    lease.batch = BatchId{id};
    from(worker, Done{lease, 10ms, 2, error, error == ErrorClass::none ? "" : "it went wrong", peer.limit});
  }

  // ---- what was said -------------------------------------------------------------------------------------

  template <class M>
  std::vector<M> told(PeerId id) const {
    return of_type<M>(peers_.at(id).inbox);
  }
  template <class M>
  std::vector<M> told_collector() const {
    return of_type<M>(collector_.inbox);
  }
  /// Batches given to a worker so far, in order.
  std::vector<std::uint64_t> given(PeerId worker) const {
    std::vector<std::uint64_t> ids;
    for (const Batch& batch : told<Batch>(worker)) ids.push_back(raw(batch.lease.batch));
    return ids;
  }
  std::vector<std::uint64_t> failed() const {
    std::vector<std::uint64_t> ids;
    for (const Failed& failure : told_collector<Failed>()) ids.push_back(raw(failure.batch));
    return ids;
  }
  void forget_what_was_said() {
    collector_.inbox.clear();
    for (auto& [id, peer] : peers_) peer.inbox.clear();
  }
  PeerId stream() const { return stream_; }
  const std::vector<Decision>& decisions() const { return decisions_; }
  const std::vector<std::string>& notices() const { return notices_; }
  std::uint64_t stream_limit() const {
    const auto credits = told<Credit>(stream_);
    return credits.empty() ? 0 : credits.back().limit;
  }

 private:
  template <class M>
  static std::vector<M> of_type(const std::vector<Message>& inbox) {
    std::vector<M> all;
    for (const Message& message : inbox) {
      if (const M* one = std::get_if<M>(&message)) all.push_back(*one);
    }
    return all;
  }
  void receive(PeerId from, Session session, Session to, Message message) {
    router_->receive(now_, from, Envelope{session, to, std::move(message)}, out_);
    deliver();
  }
  void deliver() {
    for (Action& action : out_.actions()) {
      if (auto* send = std::get_if<Send>(&action)) deliver(*send);
      if (auto* decision = std::get_if<Decision>(&action)) decisions_.push_back(*decision);
      if (auto* notice = std::get_if<Notice>(&action)) notices_.push_back(notice->text);
    }
    out_.actions().clear();
  }
  void deliver(Send& send) {
    if (send.to == collect_peer) {
      router_session_ = send.envelope.from;
      collector_.inbox.push_back(std::move(send.envelope.body));
      return;
    }
    const auto found = peers_.find(send.to);
    if (found == peers_.end() || found->second.session != send.envelope.to) return;
    found->second.router = send.envelope.from;
    if (const auto* batch = std::get_if<Batch>(&send.envelope.body)) {
      const std::uint64_t id = raw(batch->lease.batch);
      leases_[{send.to, id}] = batch->lease;
      found->second.held.push_back(id);
    }
    found->second.inbox.push_back(std::move(send.envelope.body));
  }

  RouterOptions options_;
  std::unique_ptr<Router> router_;
  std::uint64_t routers_ = 0, connections_ = 0;
  Time now_{1000s};
  Outbox out_;
  Peer collector_;
  bool welcome_ = false;
  Session router_session_{};
  std::map<PeerId, Peer> peers_;
  PeerId stream_{};
  std::map<std::pair<PeerId, std::uint64_t>, Lease> leases_;
  Settled settled_;
  std::vector<Decision> decisions_;
  std::vector<std::string> notices_;
};

/// Options most tests begin from: two workers, uniform, so that batch b belongs to worker b mod 2.
inline RouterOptions two_workers(const std::string& strategy = "uniform") {
  RouterOptions options;
  options.strategy = strategy;
  options.workers = 2;
  options.lease = 10s;
  options.lease_cap = 10min;
  options.attempts = 4;
  options.grace = 3s;
  options.give_up = 5s;
  return options;
}

}  // namespace dp
