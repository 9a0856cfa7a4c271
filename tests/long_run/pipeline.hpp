// The state machines of all four tools in one process and in virtual time, with a network, a disk and a worker that
// do what is asked at once: hours of a run in seconds. Keeps nothing of what passes.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <deque>
#include <memory>

#include "collect/batch_events.hpp"
#include "collect/batch_trace.hpp"
#include "collect/collector.hpp"
#include "data/dataset.hpp"
#include "infer/worker.hpp"
#include "route/router.hpp"
#include "stream/streamer.hpp"

namespace dp {

/// --events and --trace, whose text is thrown away.
struct NowhereObserver final : Observer {
  void opened(RunId run, bool resumed) override;
  void started(Time t0) override;
  void settled(const SettledBatch& batch) override;
  void happened(Time at, const std::string& what) override;
  void discard();
  BatchEvents events;
  BatchTrace trace;
};

class Pipeline {
 public:
  /// A batch takes the worker so long.
  Pipeline(const PlanOptions& plan, Duration service);

  void run_until(Duration at);
  std::uint64_t settled() const { return collector().settled(); }
  RunReport report() const { return collector().report(); }

 private:
  enum Who : std::size_t { stream, route, collect, worker, all };
  struct OnItsWay {
    Who to;
    PeerId from;
    Envelope envelope;
  };

  Collector& collector() const { return static_cast<Collector&>(*stages_[collect]); }
  void carry_out(Who who);
  void send(Who who, Send&& send);
  void deliver();
  void work();
  void look();
  Time next() const;

  std::unique_ptr<Dataset> data_;
  Plan plan_;
  Duration service_;
  NowhereObserver observer_;
  std::array<std::unique_ptr<Stage>, all> stages_;
  std::deque<OnItsWay> underway_;
  std::deque<Batch> computing_;
  Outbox out_;
  Time now_, begun_, started_{}, done_ = never, next_look_;  ///< started_, done_: the batch being computed
  std::uint64_t appends_ = 0;
};

}  // namespace dp
