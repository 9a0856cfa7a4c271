// What a run measured: takes settlements as the ledger makes them, and turns them into the figures of
// run.json. All times it is given are on the collector's clock.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/settled.hpp"
#include "base/usable_cores.hpp"
#include "collect/held_samples.hpp"
#include "collect/recent.hpp"
#include "collect/time_series.hpp"
#include "report/run_report.hpp"
#include "stats/histogram.hpp"
#include "wire/message.hpp"

namespace dp {

/// A batch that is announced and not settled.
struct Announced {
  BatchId id{};
  Time scheduled{}, released{};
  std::vector<SampleId> ids;
  std::vector<Label> labels;
  std::vector<Time> arrivals;  ///< empty: all when released
};

/// A completed batch's stations, on the collector's clock.
struct Stations {
  OutboundTimes outbound;
  WorkerTimes worker;
  Time collected{};
};

class Recorder {
 public:
  /// `expected`: class by sample id as shipped with the weights, no_label where not known; may be empty. Batches due in the first
  /// `warmup` after t0, or without a schedule collected in it, are accounted for and otherwise kept apart.
  /// `watched`: what `fill_snapshot` gives is kept too.
  explicit Recorder(std::vector<Label> expected, bool keep_predictions = false, Duration warmup = {},
                    bool watched = false)
      : expected_(std::move(expected)),
        keep_predictions_(keep_predictions),
        warmup_(warmup),
        watched_(watched) {}

  void begin(const Run& run, Time t0);
  void announced(const Announced& batch);
  void completed(const Announced& batch, const Stations& at, const std::string& worker,
                 const std::vector<Label>& predictions);
  void failed(const Announced& batch, Time at);
  /// The batch was settled at this attempt, the first being 1; `worker` "": given up.
  void tried(const std::string& worker, std::uint32_t attempt);
  void duplicate(std::size_t samples, bool differs);
  void usage(Role role, const std::string& name, const Usage& usage);
  void lost_worker(const std::string& name);
  /// It is back: not lost after all.
  void found_worker(const std::string& name);
  void event(Time at, std::string what);
  void clock_bound(Duration bound);
  /// dp-stream was restarted after t0: it was not there to release what was due.
  void generator_restarted() { ++generator_restarts_; }
  /// The run was over already: what is not in the journal is missing.
  void reported_again() { reported_again_ = true; }
  /// dp-collect itself was: nobody took results for so long.
  void ledger_restarted(Duration absent) {
    ++ledger_restarts_;
    absence_ += absent;
  }

  std::uint64_t completed_samples() const { return samples_.completed; }
  Time t0() const { return t0_; }
  Time last() const { return last_; }  ///< settlement
  /// Class by sample id as predicted last, if asked to keep them; no_label where there is none.
  const std::vector<Label>& predictions() const { return predictions_; }
  std::optional<double> p99_ms() const;  ///< of the batches so far; absent while too few

  /// If `watched`, the run as it stands, but for who is connected: fills all but `state`, `waiting_…` and the columns about that.
  void fill_snapshot(Time now, Snapshot& snapshot) const;
  /// Host and figures of a process's row, beside `names`.
  void fill_process(Role role, const std::string& name, Time now, Snapshot& snapshot) const;
  /// Processes that reported or served something.
  std::set<std::pair<Role, std::string>> processes() const;

  /// The whole report but for what only the tool knows (host, versions, its own options).
  RunReport report(const Report& router, bool ended, std::uint64_t planned_samples) const;

 private:
  struct Resources {
    std::string host, detail;
    std::vector<std::string> options;
    std::optional<ResourceUsage> last;
    double cpu_s = 0, span_s = 0;  ///< used, and observed, in the measured part
    double cpu_max = 0, rss_sum = 0, rss_peak = 0;
    Duration recent_cpu{}, recent_span{};  ///< between the last two readings
    FirstLastPeak anonymous_mb;
    std::uint64_t readings = 0;  ///< in the measured part
    UsableCores cores() const;
    std::string machine() const;  ///< however many host names it has
    std::optional<MeanMax> cpu_percent() const;
    MeanPeak rss_mb() const { return {rss_sum / static_cast<double>(readings), rss_peak}; }
  };
  struct Work {
    std::uint64_t samples = 0, batches = 0;
    Duration busy{};
    void merge(const Work& other);
  };
  struct Served {
    std::uint64_t samples = 0, batches = 0;
    double busy_s = 0;
    bool lost = false;
    Work all;                   ///< warm-up included, unlike the above
    std::uint64_t settled = 0;  ///< batches, warm-up included
    std::uint64_t retried = 0;
    Recent<Work> recent;
  };
  /// Of all workers, over a short time.
  struct Flow {
    std::uint64_t offered = 0, completed = 0;
    Histogram latency;  ///< of batches
    Duration stages[6] = {};
    void merge(const Flow& other);
  };
  /// Batches outside or inside the measured part.
  struct Part {
    std::uint64_t batches = 0, samples = 0;
    Histogram latency;  ///< of batches
    Time last{};        ///< collection
    void take(std::uint64_t n, Duration batch_latency, Time collected);
  };
  /// Kept of the batches announced for the measured part: what their rates are made of.
  struct Offered {
    std::uint64_t samples = 0, first = 0;  ///< `first`: of the first batch
    Time first_released{}, last_released{};
    std::optional<Time> due_before;  ///< when the last batch before them was
  };

  bool scheduled() const { return run_.rate > 0; }
  bool warming_up(const Announced& batch, Time collected) const {
    return (scheduled() ? batch.scheduled : collected) < from_;
  }
  void flow(const Announced& batch, const Stations& at, Served& served);
  void measure(const Announced& batch, const Stations& at, const std::vector<Label>& predictions);
  void compare(const Announced& batch, const std::vector<Label>& predictions);
  void fill_rates(RunReport& report) const;
  void fill_latencies(RunReport& report) const;
  void fill_warmup(RunReport& report) const;
  Duration scheduled_span() const;
  Duration measured_span() const;
  Duration warm_up_span() const;
  double latency_growth() const;
  void judge_schedule(RunReport& report) const;
  void count_once(const Announced& batch);
  void keep(SampleId id, Label prediction);
  void judge(RunReport& report, const Report& router, bool ended, std::uint64_t planned_samples) const;
  void judge_processes(RunReport& report) const;
  void judge_workers(RunReport& report) const;
  void judge_concurrency(RunReport& report, const Report& router) const;
  std::vector<std::string> warnings() const;
  bool predicts() const;
  void fill_workers(RunReport& report, const Report& router) const;
  void fill_data(RunReport& report) const;
  void fill_balance(RunReport& report, const Report& router) const;
  bool oversubscribed() const;

  std::vector<Label> expected_, predictions_;
  bool keep_predictions_;
  Duration warmup_;
  bool watched_;
  Run run_;
  Time t0_{}, from_{}, last_{}, last_scheduled_{}, last_released_{};  ///< measured from `from_`
  Offered offered_;
  Part warm_up_, measured_;
  Account samples_, batches_;
  std::uint64_t most_outstanding_ = 0;  ///< batches announced and not settled, at once
  Settled counted_;  ///< kept apart from the ledger, whose slips it is there to find
  std::uint64_t agreeing_ = 0, compared_ = 0, correct_ = 0, labelled_ = 0, differing_ = 0;
  Histogram sample_latency_, lateness_, service_;
  Histogram stages_[6];
  static constexpr std::size_t tenths = 10;
  Histogram due_[tenths];  ///< batch latency by the tenth of the schedule's measured part it was due in
  TimeSeries series_;
  Recent<Flow> recent_;
  std::uint64_t retries_ = 0;
  std::map<std::string, Served> workers_;
  HeldSamples held_;
  std::map<std::pair<Role, std::string>, Resources> resources_;
  std::vector<RunEvent> events_;
  Duration clock_bound_{};
  std::uint32_t generator_restarts_ = 0, ledger_restarts_ = 0;
  Duration absence_{};
  bool reported_again_ = false;
};

}  // namespace dp
