// dp-infer as a state machine: asks for credit once it is warm, keeps what it holds in a short queue, hands
// batches to the inference thread one at a time, and keeps each result until the ledger has it.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "infer/backend.hpp"
#include "wire/link.hpp"

namespace dp {

struct WorkerOptions {
  std::string name;
  std::uint64_t credit = 2;        ///< batches held at once: one computed, the rest waiting
  std::size_t ahead = 1;           ///< batches with the inference thread at once; it cannot hand them back
  std::size_t unacked_cap = 4096;  ///< results the ledger has not acknowledged, before no new work is taken
  std::vector<std::string> datasets;           ///< digests it can serve by reference
  Duration give_up = std::chrono::seconds(5);  ///< at the end: for acknowledgements
  std::string boot_id, host, detail;
  LinkTiming timing;
  std::vector<std::string> record;  ///< options as given: name, value, …
};

class Worker final : public Stage {
 public:
  Worker(WorkerOptions options, std::uint64_t nonce_seed);

  void receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) override;
  void tick(Time now, Outbox& out) override;
  Time next_deadline() const override;
  void drain(Time now, Outbox& out) override;
  void usage(Time now, const ResourceUsage& usage, Outbox& out) override;

  /// The WarmUp asked for is done.
  void warmed(Time now, Outbox& out);
  /// The oldest Compute asked for is done.
  void computed(Time now, Time started, Time done, Outcome&& outcome, Outbox& out);

 private:
  struct Held {
    Batch batch;
    Time received{};
  };
  struct Unacked {
    Result result;
    Time sent{};
  };

  Hello hello() const;
  void on_route(Time now, Envelope& envelope, Outbox& out);
  void on_collect(Time now, Envelope& envelope, Outbox& out);
  void shut_down(Time now, Outbox& out);
  void on_batch(Time now, Batch&& batch, Outbox& out);
  void start_next(Outbox& out);
  Held* find(BatchId id);
  void report(const Held& held, const Outcome& outcome, Duration service, Outbox& out);
  void send_result(Time now, Unacked& unacked, Outbox& out);
  void extend_credit(Outbox& out);
  void raise_limit();
  std::vector<std::uint64_t> held() const;
  void end(Time now, Outbox& out);

  WorkerOptions options_;
  Rng rng_;
  RunId run_{};
  Dialer route_, collect_;
  DataShape data_;
  bool warm_ = false, warming_ = false;
  std::deque<Held> queue_, computing_;  ///< waiting, and with the inference thread: oldest first
  std::map<BatchId, Unacked> unacked_;
  std::uint64_t received_ = 0, limit_ = 0;  ///< credit of this router session
  bool draining_ = false, interrupted_ = false;
  ResourceUsage usage_;  ///< latest
  Time next_resend_{}, give_up_at_ = never;
};

}  // namespace dp
