// dp-collect as a state machine: the ledger. It knows from the stream what must come back, takes each batch's
// first settlement, acknowledges and counts the others, and says when everything is settled. With a journal,
// nobody hears of a settlement before it is durable, and a restarted ledger goes on where the journal ends.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/settled.hpp"
#include "collect/journal.hpp"
#include "collect/observer.hpp"
#include "collect/recorder.hpp"
#include "wire/link.hpp"

namespace dp {

struct CollectorOptions {
  RunId run{};                                 ///< a journal's own takes its place
  bool will_be_back = false;                   ///< after an interruption: others wait instead of leaving
  bool journal = false;                        ///< records are asked to be made durable, and waited for
  Time begun{};                                ///< now, on the monotonic clock,
  std::int64_t wall_ns = 0;                    ///< and on the wall's, ns since 1970-01-01 UTC
  std::vector<Label> expected;                 ///< class by sample id; may be empty
  bool keep_predictions = false;               ///< for `predictions()`
  Duration warmup{};                           ///< the part of the run that is kept apart
  bool watched = false;                        ///< for `snapshot()`
  Duration give_up = std::chrono::seconds(5);  ///< at the end: for the router's report and goodbyes
  std::string boot_id;
  LinkTiming timing;
};

class Collector final : public Stage {
 public:
  Collector(CollectorOptions options, std::uint64_t nonce_seed);

  void receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) override;
  void disconnected(Time now, PeerId peer, Outbox& out) override;
  void tick(Time now, Outbox& out) override;
  Time next_deadline() const override;
  void drain(Time now, Outbox& out) override;
  void usage(Time now, const ResourceUsage& usage, Outbox& out) override;

  /// Tell it of everything from now on; it outlives the collector.
  void observe(Observer& observer) { observer_ = &observer; }
  /// Something for the report that the collector itself cannot know.
  void note(Time now, std::string what) { happened(now, std::move(what)); }
  /// What an earlier process wrote, record by record, before anything else.
  void replay(JournalRecord&& record);
  /// So many of the `Append`s asked for are durable.
  void durable(Time now, std::uint64_t appends, Outbox& out);
  /// There was an earlier process.
  bool resumed() const { return opened_.has_value(); }
  RunId run() const { return options_.run; }
  bool started() const { return plan_ && plan_->started; }
  /// Everything announced is settled.
  bool ended() const { return ended_; }
  std::uint64_t settled() const { return settled_.count(); }

  /// As Recorder::predictions.
  const std::vector<Label>& predictions() const { return recorder_.predictions(); }

  /// Once finished with `done`: the report, but for host, versions and this tool's own options.
  RunReport report() const;

  /// The state of the run now, if `watched`; `number` is left to whoever publishes it.
  Snapshot snapshot(Time now) const;
  Session session() const { return peers_.session(); }

  struct Progress {
    std::uint64_t samples = 0, planned = 0;
    double rate = 0;               ///< samples/s since t0
    std::optional<double> p99_ms;  ///< absent while there are too few batches for it
  };
  std::optional<Progress> progress(Time now) const;

 private:
  void on_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out);
  void on_message(Time now, PeerId from, Envelope& envelope, Outbox& out);
  void on_run(Run& run, PeerId from, const Envelope& envelope, Outbox& out);
  void take_run(const Run& run);
  void on_announce(PeerId from, Announce& announce);
  bool due(BatchId id) const;
  void take_announcements(const Announce& announce);
  void on_result(Time now, PeerId from, Result& result);
  void on_failed(Time now, const Failed& failed, Outbox& out);
  void settle(Time now, PeerId from, const std::string& worker, Result& result, const Announced& batch);
  void close(Settlement settlement);
  void take_settlement(const Settlement& settlement);
  void happened(Time now, std::string what);
  void tell(Time at, const std::string& what);
  template <class R>
  void write(R&& record) {
    if (!options_.journal) return;
    JournalRecord of_any_type(std::forward<R>(record));
    append_record(records_, of_any_type);
  }
  void begin(Time now, Outbox& out);
  void restarted(Time at);
  void record_router_events();
  void replay_one(Opened& record);
  void replay_one(Run& record);
  void replay_one(Announce& record);
  void replay_one(Settlement& record);
  void replay_one(Happened& record);
  void replay_one(Eos& record);
  void replay_one(Ended& record);
  void replay_one(Report& record);
  void gone(Time now, const PeerState& state, Outbox& out);
  void flush(Time now, Outbox& out);
  void flush_now(Time now, Outbox& out);
  void deliver(Outbox& out);
  void try_end(Time now, Outbox& out);
  void finish_complete(Time now, Outbox& out);
  std::optional<PeerId> find_role(Role role) const;
  void fill_missing(Snapshot& snapshot) const;
  Duration offset(PeerId peer) const;
  Duration offset(Role role, const std::string& name) const;

  CollectorOptions options_;
  Rng rng_;
  Listener peers_;
  Recorder recorder_;
  /// Of everybody who was ever there; `heard` is as it was when they went.
  struct Presence {
    PeerPresence state{};
    Time heard{};
  };
  std::map<std::pair<Role, std::string>, Presence> presence_;
  Observer* observer_ = nullptr;

  std::optional<Run> plan_;
  std::map<BatchId, Announced> announced_;
  struct Early {
    PeerId from;
    std::string worker;
    Result result;
    Time at;
  };
  std::map<BatchId, Early> early_;  ///< results that came before their announcement
  std::size_t early_samples_ = 0;
  std::map<std::pair<Role, std::string>, Duration> offsets_;  ///< to be added to a peer's times, gone or not
  Settled settled_;
  std::map<BatchId, std::uint64_t> digests_;  ///< of the predictions that settled the latest batches

  /// What others hear once the records up to an `Append` are durable.
  struct News {
    std::uint64_t append = 0;
    std::vector<BatchId> settled;
    std::vector<SettledBatch> observed;  ///< the same, if anybody looks
    std::map<PeerId, std::vector<std::uint64_t>> acks;
    bool run_stored = false, eos = false;
    bool empty() const { return settled.empty() && acks.empty() && !run_stored && !eos; }
  };
  std::string records_;  ///< not yet asked to be made durable
  std::uint64_t appends_ = 0, durable_ = 0;
  News news_;                     ///< since the last flush
  std::deque<News> undelivered_;  ///< oldest first
  Settled told_;                  ///< durable: what COMMIT says
  bool run_stored_ = false, eos_stored_ = false, commit_due_ = false;
  Time next_flush_{};
  std::optional<std::uint64_t> eos_;

  std::optional<Opened> opened_;  ///< by the latest process before this one
  Time last_record_{};
  Duration clock_shift_{};  ///< from its clock to ours

  Report router_;
  bool fin_said_ = false, ended_ = false;
  bool stream_left_ = false, route_left_ = false;
  Time begun_{}, incomplete_since_{}, finish_by_ = never;
};

}  // namespace dp
