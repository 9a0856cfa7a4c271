// dp-route as a state machine: its links to stream, workers and collector, its start and its end. Batches are kept in
// Leases, workers in the Roster, and the Dispatcher decides where a batch goes; what arrives here is passed on to them.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "route/dispatcher.hpp"
#include "route/leases.hpp"
#include "route/roster.hpp"
#include "route/router_options.hpp"
#include "route/router_record.hpp"
#include "route/stream_credit.hpp"
#include "wire/link.hpp"

namespace dp {

class Router final : public Stage {
 public:
  Router(RouterOptions options, std::uint64_t nonce_seed);

  void receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) override;
  void disconnected(Time now, PeerId peer, Outbox& out) override;
  void tick(Time now, Outbox& out) override;
  Time next_deadline() const override;
  void drain(Time now, Outbox& out) override;
  void usage(Time now, const ResourceUsage& usage, Outbox& out) override;

  /// Batches that it holds: those sent to it that are not settled.
  std::size_t buffered() const { return leases_.size(); }

 private:
  // peers: router_peers.cpp
  void on_collect(Time now, Envelope& envelope, Outbox& out);
  void on_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out);
  void stream_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out);
  void worker_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out);
  void on_worker(Time now, WorkerSession& worker, const Message& message, Outbox& out);
  void credited(Time now, WorkerSession& worker, std::uint64_t limit, bool warm, Outbox& out);
  void peer_gone(Time now, PeerId peer, const PeerState& state, const char* how, Outbox& out);
  /// `returns`: it is here already, on a new connection.
  void worker_gone(Time now, PeerId peer, const Blame& blame, bool returns, Outbox& out);
  void take_place(Time now, WorkerSession& worker, Outbox& out);
  void seat(Time now, WorkerSession& worker, Slot slot, Outbox& out);

  // the run: router.cpp
  void on_batch(Time now, Batch&& batch, Outbox& out);
  void try_start(Time now, Outbox& out);
  void pump(Time now, Outbox& out);
  void expire_leases(Time now, Outbox& out);
  void give_up_waiting(Time now);
  void shut_down(Time now, Outbox& out);
  void send_report(Outbox& out);

  RouterOptions options_;
  StrategyTraits traits_;
  Rng rng_;
  Listener peers_;
  Dialer collect_;
  RunId run_{};
  bool collect_known_ = false;

  std::optional<PeerId> stream_;
  StreamCredit stream_credit_;
  DataShape data_;
  std::vector<std::uint64_t> shard_weights_;
  std::set<std::uint64_t> wedged_;  ///< processes that held a batch beyond the cap

  Roster roster_;
  RouterRecord record_;
  GivenUp given_up_;
  Leases leases_;
  std::unique_ptr<Dispatcher> dispatcher_;  ///< once the stream has said what it sends

  bool running_ = false, resuming_ = false, finishing_ = false;
  Time begun_{}, resumed_{}, finish_by_{};
  Time last_tick_{}, next_failures_{}, next_leases_{}, alone_since_{};
  ResourceUsage usage_;  ///< latest
};

}  // namespace dp
