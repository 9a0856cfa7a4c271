// What a run measured: takes settlements as the ledger makes them, and turns them into the figures of
// run.json. All times it is given are on the collector's clock.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/settled.hpp"
#include "collect/held_samples.hpp"
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

/// In a file of predictions, one byte a sample id: this sample has none, or one that is no byte.
inline constexpr std::uint8_t no_prediction = 0xFF;

class Recorder {
 public:
  /// `expected`: class by sample id as shipped with the weights; may be empty.
  explicit Recorder(std::vector<std::uint8_t> expected, bool keep_predictions = false)
      : expected_(std::move(expected)), keep_predictions_(keep_predictions) {}

  void begin(const Run& run, Time t0);
  void announced(const Announced& batch);
  void completed(const Announced& batch, const Stations& at, const std::string& worker,
                 const std::vector<Label>& predictions);
  void failed(const Announced& batch, Time at);
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
  /// Class by sample id as predicted last, if asked to keep them; no_prediction where there is none.
  const std::vector<std::uint8_t>& predictions() const { return predictions_; }
  double p99_ms() const;

  /// The whole report but for what only the tool knows (host, versions, its own options).
  RunReport report(const Report& router, bool ended, std::uint64_t planned_samples) const;

 private:
  struct Resources {
    std::string host, detail;
    std::vector<std::string> options;
    std::optional<ResourceUsage> last;
    Duration cpu{}, span{};  ///< used, and observed, since t0
    double cpu_max = 0, rss_sum = 0, rss_peak = 0;
    FirstLastPeak anonymous_mb;
    std::uint64_t readings = 0;  ///< since t0
    std::optional<MeanMax> cpu_percent() const;
    MeanPeak rss_mb() const { return {rss_sum / static_cast<double>(readings), rss_peak}; }
  };
  struct Served {
    std::uint64_t samples = 0, batches = 0;
    Duration busy{};
    bool lost = false;
  };
  struct Second {
    std::uint64_t offered = 0, completed = 0;
    Histogram latency;
  };
  struct Trend {  ///< latency against scheduled time, in seconds
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, last = 0;
    void add(double at, double value);
    double slope() const;
  };

  Second& second(Time at);
  void count_once(const Announced& batch);
  void keep(SampleId id, Label prediction);
  void judge(RunReport& report, bool ended, std::uint64_t planned_samples) const;
  bool overloaded() const;
  void tell_workers(RunReport& report, const Report& router) const;
  void tell_data(RunReport& report) const;
  void tell_balance(RunReport& report, const Report& router) const;
  void tell_series(RunReport& report) const;
  bool oversubscribed() const;

  std::vector<std::uint8_t> expected_, predictions_;
  bool keep_predictions_;
  Run run_;
  Time t0_{}, last_{}, first_released_{}, last_released_{}, last_scheduled_{};
  std::uint64_t first_count_ = 0;
  Account samples_, batches_;
  Settled counted_;  ///< kept apart from the ledger, whose slips it is there to find
  std::uint64_t agreeing_ = 0, compared_ = 0, correct_ = 0, labelled_ = 0, differing_ = 0;
  Histogram sample_latency_, batch_latency_, lateness_, service_;
  Histogram stages_[6];
  Trend trend_;
  Histogram tail_;  ///< latency of the batches due in the last tenth of the schedule
  std::vector<Second> seconds_;
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
