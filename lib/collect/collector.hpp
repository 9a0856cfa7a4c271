// dp-collect as a state machine: the ledger. It knows from the stream what must come back, takes each batch's
// first settlement, acknowledges and counts the others, and says when everything is settled.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/settled.hpp"
#include "collect/recorder.hpp"
#include "wire/link.hpp"

namespace dp {

struct CollectorOptions {
  RunId run{};
  std::vector<std::uint8_t> expected;          ///< class by sample id; may be empty
  Duration give_up = std::chrono::seconds(5);  ///< at the end: for the router's report and goodbyes
  std::string boot_id;
  LinkTiming timing;
};

class Collector final : public Stage {
 public:
  Collector(CollectorOptions options, std::uint64_t nonce_seed);

  void receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) override;
  void tick(Time now, Outbox& out) override;
  Time next_deadline() const override;
  void drain(Time now, Outbox& out) override;
  void usage(Time now, const ResourceUsage& usage, Outbox& out) override;

  /// Once finished with `done`: the report, but for host, versions and this tool's own options.
  RunReport report() const;

  struct Progress {
    std::uint64_t samples = 0, planned = 0;
    double rate = 0, p99_ms = 0;  ///< samples/s since t0
  };
  std::optional<Progress> progress(Time now) const;

 private:
  void on_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out);
  void on_message(Time now, PeerId from, Envelope& envelope, Outbox& out);
  void on_run(const Run& run, PeerId from, const Envelope& envelope, Outbox& out);
  void on_announce(PeerId from, const Announce& announce);
  void on_result(Time now, PeerId from, Result& result);
  void on_failed(Time now, const Failed& failed, Outbox& out);
  void settle(Time now, PeerId from, const std::string& worker, const Result& result, const Announced& batch);
  void close(BatchId id);
  void gone(Time now, PeerId peer, const PeerState& state, bool goodbye, Outbox& out);
  void flush(Time now, Outbox& out);
  void try_end(Time now, Outbox& out);
  std::optional<PeerId> find_role(Role role) const;
  Duration offset(PeerId peer) const;
  Duration offset(Role role) const;

  CollectorOptions options_;
  Rng rng_;
  Listener peers_;
  Recorder recorder_;

  std::optional<Run> plan_;
  std::map<BatchId, Announced> announced_;
  struct Early {
    PeerId from;
    std::string worker;
    Result result;
    Time at;
  };
  std::map<BatchId, Early> early_;  ///< results that came before their announcement
  Settled settled_;
  std::map<BatchId, std::uint64_t> digests_;  ///< of the predictions that settled the latest batches
  std::map<PeerId, std::vector<std::uint64_t>> acks_;
  bool commit_due_ = false;
  Time next_flush_{};
  std::optional<std::uint64_t> eos_;
  std::uint64_t stream_process_ = 0;  ///< upper half of its nonces

  Report router_;
  bool fin_said_ = false, ended_ = false;
  Time begun_{}, incomplete_since_{}, finish_by_ = never;
};

}  // namespace dp
