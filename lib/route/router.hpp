// dp-route as a state machine: keeps every batch until the collector has settled it, gives batches to workers
// by a strategy and their credit, takes them back when a lease ends badly. What it knows is soft: after a
// restart the stream re-sends and the workers say what they hold.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/settled.hpp"
#include "route/strategy.hpp"
#include "wire/link.hpp"

namespace dp {

struct RouterOptions {
  std::string strategy = "dynamic";
  std::uint32_t workers = 1;  ///< wanted
  Duration lease = std::chrono::seconds(10);
  Duration lease_cap = std::chrono::minutes(10);  ///< however often it is renewed
  std::uint32_t attempts = 4;                     ///< charged attempts before a batch is given up
  std::uint64_t buffer = 0;                       ///< batches; 0: 256 inline, 65,536 by reference
  Duration grace = std::chrono::seconds(3);       ///< after a restart: for workers to come back
  Duration give_up = std::chrono::seconds(5);     ///< for goodbyes at the end
  std::uint64_t seed = 1;
  bool log_decisions = false;
  std::string boot_id;
  LinkTiming timing;
  std::vector<std::string> record;  ///< options as given, for the report: name, value, …
};

class Router final : public Stage {
 public:
  Router(RouterOptions options, std::uint64_t nonce_seed);

  void receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) override;
  void tick(Time now, Outbox& out) override;
  Time next_deadline() const override;
  void drain(Time now, Outbox& out) override;
  void usage(Time now, const ResourceUsage& usage, Outbox& out) override;

  /// Batches that it holds: those sent to it that are not settled.
  std::size_t buffered() const { return batches_.size(); }

 private:
  enum class State { delayed, queued, central, leased, done, failed };

  struct Entry {
    Batch batch;
    State state = State::central;
    std::uint32_t charged = 0;
    std::uint32_t permanent_failures = 0;  ///< of class data or permanent: another try elsewhere is the last
    std::optional<Slot> slot;    ///< queued for it, or last served there
    std::optional<Slot> avoid;   ///< failed there: elsewhere if there is an elsewhere
    PeerId worker{};             ///< leased to, or done by
    Time lease_until{}, lease_cap{}, retry_at{};
    std::uint32_t samples() const { return static_cast<std::uint32_t>(batch.ids.size()); }
  };
  struct Worker {
    std::string name;
    std::optional<Slot> slot;
    std::uint64_t limit = 0, sent = 0;  ///< credit of this session
    bool warm = false;
    std::deque<BatchId> serving;  ///< dispatched or adopted, oldest first: the first is being computed
    std::set<BatchId> unsettled;  ///< done here, not yet in the ledger
    std::uint64_t credit() const { return limit > sent ? limit - sent : 0; }
  };
  struct Place {
    std::string name;  ///< whose place it is; "": nobody's yet
    std::optional<PeerId> worker;
    std::deque<BatchId> queue;
  };

  // links
  void on_collect(Time now, Envelope& envelope, Outbox& out);
  void on_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out);
  void stream_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out);
  void worker_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out);
  void peer_gone(Time now, PeerId peer, const PeerState& state, const char* how, Outbox& out);
  struct Departure {
    bool charge;  ///< the batch being computed is charged an attempt
    bool refill;  ///< its place and queue go to others; otherwise it is about to be back
  };
  void worker_gone(Time now, PeerId peer, Departure how, Outbox& out);
  void claim(BatchId id, PeerId worker, bool done);
  std::optional<Session> session_of(const std::string& worker) const;
  void rename(PeerId old_peer, PeerId peer);
  void hand_over(Time now, PeerId old_peer, PeerId peer, Worker& fresh, const std::set<std::uint64_t>& held,
                 const std::set<std::uint64_t>& unacked);
  void give_up_waiting(Time now);

  // start
  void try_start(Time now, Outbox& out);
  std::uint32_t warm_workers() const;
  void take_place(PeerId peer, Worker& worker, Outbox& out);
  void occupy(Slot slot, PeerId peer, Worker& worker, Outbox& out);
  void vacate(Slot slot);

  // batches
  void on_batch(Time now, Batch&& batch, Outbox& out);
  void on_done(Time now, PeerId from, const Done& done, Outbox& out);
  void on_return(Time now, PeerId from, const Return& message, Outbox& out);
  void on_commit(Time now, const Commit& commit, Outbox& out);
  void adopt(Time now, BatchId id, Entry& entry);
  void unqueue(BatchId id, Entry& entry);
  void assign(Time now, BatchId id, Entry& entry, Outbox& out);
  void requeue(Time now, BatchId id, bool charge, ErrorClass error, const std::string& why, Outbox& out);
  void give_up(BatchId id, Failed failure, Outbox& out);
  void blame(const std::string& worker);
  void pump(Time now, Outbox& out);
  void dispatch(Time now, BatchId id, PeerId to, Outbox& out);
  void release(BatchId id, Entry& entry);
  void renew(Time now, PeerId from, const Ping& ping);
  void expire_leases(Time now, Outbox& out);
  void evict(Time now, PeerId peer, Outbox& out);
  void postpone_leases(Duration by, Outbox& out);
  std::vector<Slot> ready() const;
  std::uint64_t capacity() const;
  std::uint64_t stream_limit() const;
  void greet_stream(Outbox& out);
  void extend_stream_credit(Outbox& out);

  void note(Time now, std::string what, Outbox& out);
  void log(Time now, BatchId id, const Entry& entry, const char* what, Outbox& out) const;
  void begin_shut_down(Time now, Outbox& out);
  void shut_down(Time now, Outbox& out);
  void send_report(Outbox& out);

  RouterOptions options_;
  Rng rng_;
  Listener peers_;
  Dialer collect_;
  RunId run_{};
  bool collect_known_ = false;

  std::optional<PeerId> stream_;
  DataShape data_;
  std::vector<std::uint64_t> shard_weights_;
  bool resuming_ = false;
  Time begun_{}, resumed_{};
  bool running_ = false;
  std::set<std::uint64_t> wedged_;               ///< processes that held a batch beyond the cap
  std::uint64_t received_ = 0, advertised_ = 0;  ///< stream credit of this session

  std::unique_ptr<Strategy> strategy_;
  std::map<PeerId, Worker> workers_;
  std::vector<Place> places_;
  std::map<BatchId, Entry> batches_;
  std::deque<BatchId> central_;
  std::set<std::pair<Time, BatchId>> delayed_;
  std::map<BatchId, Failed> failed_;  ///< given up, not yet settled as such
  std::map<BatchId, std::pair<PeerId, bool>>
      claims_;  ///< held (false) or done (true) by a worker, not yet re-sent to us
  Settled settled_;

  std::map<std::string, std::uint64_t> failures_;  ///< attempts that ended badly, by worker

  Report report_;
  ResourceUsage usage_;  ///< latest
  Time last_tick_{}, next_failed_{}, next_leases_{}, alone_since_{};
  bool finishing_ = false;
  Time finish_by_{};
};

}  // namespace dp
