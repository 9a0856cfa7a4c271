// Every batch from its arrival until the collector has settled it: leased to a worker, taken back when that ends badly,
// tried again after a while or given up. What it knows is soft: after a restart the stream re-sends and the workers say what
// they hold. Where a batch goes is the dispatcher's business.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/settled.hpp"
#include "base/slab_map.hpp"
#include "route/dispatcher.hpp"
#include "route/given_up.hpp"
#include "route/roster.hpp"
#include "route/router_options.hpp"
#include "route/router_record.hpp"

namespace dp {

/// Who pays when a worker is lost.
struct Blame {
  bool charge = false;  ///< the batch that it was computing is charged an attempt
  std::optional<std::uint64_t> until_back = {};  ///< unless this process is back: its connection has ended, no more is known
};

/// A batch that is kept.
struct LeasedBatch {
  /// In the dispatcher; after a failure until its back-off is over; at a worker; computed and not in the ledger; given up.
  enum class State { waiting, delayed, leased, done, failed };
  SlabLinks links;
  Batch batch;
  State state = State::waiting;
  std::uint32_t charged = 0;
  std::uint32_t permanent_failures = 0;  ///< of class data or permanent: another try elsewhere is the last
  std::optional<Ticket> ticket;          ///< of the attempt under way, if its worker has a place
  std::optional<Slot> slot;              ///< of the latest attempt
  std::optional<Excluded> exclude;       ///< failed there: elsewhere if there is an elsewhere
  WorkerSession* worker = nullptr;       ///< leased to, or done by
  Time lease_until{}, lease_cap{}, retry_at{}, leased_at{};
  std::optional<std::uint64_t> charged_for;  ///< the process whose absence was charged: it may be back
  bool last_chance = false;                  ///< given up once its time is over, unless that process is back
  BatchMeta meta() const { return {batch.lease.batch, batch.shard, static_cast<std::uint32_t>(batch.ids.size())}; }
};

class Leases {
 public:
  /// The references are kept.
  Leases(const RouterOptions& options, RouterRecord& record, GivenUp& given_up, Rng& rng)
      : options_(options), record_(record), given_up_(given_up), rng_(rng) {}
  /// To be called before anything else but `commit`.
  void use(Dispatcher& dispatcher) { dispatcher_ = &dispatcher; }

  /// Batches that are kept: those sent to the router that are not settled.
  std::size_t size() const { return batches_.size(); }
  /// Kept or settled.
  bool knows(BatchId id) const { return settled_.contains(id) || batches_.find(id) != no_index; }

  // ---- from the stream and the ledger ----
  /// `unfit`: why nobody can serve it; then it is given up at once.
  void add(Time now, Batch&& batch, const std::string& unfit, Outbox& out);
  void commit(Time now, const Commit& commit);

  // ---- to and from workers ----
  /// What goes out with this ticket, to `worker`, whose lease it is from now on.
  const Batch& lease(Time now, const Ticket& ticket, WorkerSession& worker);
  void done(Time now, WorkerSession& worker, const Done& done, Outbox& out);
  void handed_back(Time now, WorkerSession& worker, const Return& message, Outbox& out);
  void renew(Time now, const WorkerSession& worker, std::span<const std::uint64_t> held);
  /// It has said which batches it holds and which it has done: kept in mind until the stream has sent them. What was charged
  /// because its process was away is taken back.
  void returned(Time now, WorkerSession& worker, std::uint64_t process, const Hello& hello);
  /// It has a place now: what it serves counts there.
  void seated(Time now, WorkerSession& worker);
  /// What the worker still holds stays with it, on its new connection.
  void hand_over(Time now, WorkerSession& old, WorkerSession& fresh, const std::set<std::uint64_t>& held,
                 const std::set<std::uint64_t>& unacked);
  /// Its batches go elsewhere.
  void lost(Time now, WorkerSession& worker, const Blame& blame, Outbox& out);

  // ---- time ----
  /// Those whose back-off is over are given to the dispatcher.
  void retry(Time now, Outbox& out);
  Time next_retry() const { return delayed_.empty() ? never : delayed_.begin()->first; }
  /// Takes leases back that have run out; `ledger_up`: results that the ledger does not have within a lease are lost, too.
  void expire(Time now, bool ledger_up, const Roster& roster, Outbox& out);
  /// Holds a batch beyond the cap, however often it was renewed.
  bool over_cap(Time now, const WorkerSession& worker) const;
  /// Nobody could renew meanwhile.
  void postpone(Duration by);
  /// None runs out within the usual time from now.
  void extend_all(Time now);

 private:
  using State = LeasedBatch::State;
  struct Claim {
    WorkerSession* worker;
    bool done;
  };

  void adopt(Time now, SlabIndex index, Claim claim);
  /// Nothing if it is not this worker's lease.
  SlabIndex leased_by(const WorkerSession& worker, BatchId id) const;
  void release(SlabIndex index);
  void try_again(Time now, SlabIndex index, const Blame& blame, ErrorClass error, const std::string& why, Outbox& out);
  void give_up(SlabIndex index, ErrorClass error, const std::string& why, Outbox& out);

  const RouterOptions& options_;
  RouterRecord& record_;
  GivenUp& given_up_;
  Rng& rng_;
  Dispatcher* dispatcher_ = nullptr;
  SlabMap<BatchId, LeasedBatch> batches_;
  std::size_t provisional_ = 0;  ///< batches with `charged_for`
  std::set<std::pair<Time, BatchId>> delayed_;
  std::map<BatchId, Claim> claims_;  ///< of batches that the stream has not sent here yet
  Settled settled_;
};

}  // namespace dp
