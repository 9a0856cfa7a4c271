// dp-stream as a state machine: releases batches by the plan's schedule, announces them to the collector,
// sends them to the router as its credit allows, and sends again whatever is not settled when a session is
// new. Its pacer never waits for the system under test; the backlog of an overloaded run is a cursor into the
// plan.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/settled.hpp"
#include "data/dataset.hpp"
#include "data/plan.hpp"
#include "stream/backlog.hpp"
#include "wire/link.hpp"

namespace dp {

struct StreamerOptions {
  std::uint32_t concurrency = 0;  ///< > 0: closed loop, that many batches outstanding
  PayloadMode payload = PayloadMode::inline_pixels;
  Duration lead = std::chrono::milliseconds(100);  ///< from START to t0
  Duration resend = std::chrono::seconds(30);      ///< a batch not settled by then is sent again: a backstop
  Duration give_up = std::chrono::seconds(10);     ///< after an interruption: for what is under way
  std::string boot_id;
  LinkTiming timing;
  std::vector<std::string> record;  ///< options as given: name, value, …
};

class Streamer final : public Stage {
 public:
  /// `plan` and `data` must outlive the streamer.
  Streamer(StreamerOptions options, const Plan& plan, const Dataset& data, std::uint64_t nonce_seed);

  void receive(Time now, PeerId from, Envelope&& envelope, Outbox& out) override;
  void tick(Time now, Outbox& out) override;
  Time next_deadline() const override;
  void drain(Time now, Outbox& out) override;
  void usage(Time now, const ResourceUsage& usage, Outbox& out) override;

 private:
  struct Unsettled {
    BatchSpec spec;
    Time scheduled{}, released{}, sent{};
  };

  bool open_loop() const { return plan_.options().rate > 0 && options_.concurrency == 0; }
  Hello hello() const;
  void on_route(Time now, Envelope& envelope, Outbox& out);
  void on_collect(Time now, Envelope& envelope, Outbox& out);
  void start(Time t0, Outbox& out);
  void send_run(Outbox& out);
  void on_commit(const Commit& commit);
  void release(Time now);
  void send_what_may_go(Time now, Outbox& out);
  bool may_send(Time now) const;
  bool all_sent() const;
  Unsettled& take_next(Time now, Outbox& out);
  Time advance(Time now);
  void skip_settled(Time now);
  void send_batch(Time now, Unsettled& batch, Outbox& out);
  void announce(const Unsettled& batch, Outbox& out);
  void flush_announcements(Outbox& out);
  void announce_again(Outbox& out);
  void send_again_by_age(Time now, Outbox& out);
  void end(Time now, Outbox& out);

  StreamerOptions options_;
  const Plan& plan_;
  const Dataset& data_;
  Rng rng_;
  RunId run_{};
  bool workers_ready_ = false, started_ = false, stored_ = false, interrupted_ = false, fin_ = false;
  Dialer route_, collect_;
  Time t0_{};

  Plan::Cursor release_cursor_, send_cursor_;
  std::optional<BatchSpec> next_release_, next_take_;
  Backlog released_;         ///< batches not yet sent
  std::uint64_t taken_ = 0;  ///< batches announced so far, or settled before we came
  std::map<BatchId, Unsettled> unsettled_;
  std::deque<BatchId> again_;           ///< to be sent again in this router session
  std::uint64_t sent_ = 0, limit_ = 0;  ///< credit of this router session
  Settled settled_;
  Announce announcements_;
  bool eos_said_ = false;
  ResourceUsage usage_;  ///< latest
  Time next_resend_{}, give_up_at_ = never;
};

}  // namespace dp
