// run.json (schema "dp.run/1"): everything one run measured, as plain structs, and its reading and writing.
// Not here: how the figures are computed (collect) and what is made of many runs (tables.hpp).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dp {

/// One condition a run had to meet to be valid; `remedy` says what to change when it was not met.
struct Verdict {
  std::string criterion, observed, required;
  bool ok = true;
  std::string remedy;
  bool operator==(const Verdict&) const = default;
};

using ConfigValue = std::variant<std::string, std::int64_t, double>;
/// Options of one stage in the order they are to be shown.
using ConfigSection = std::vector<std::pair<std::string, ConfigValue>>;
/// Stage name (stream, route, infer, collect) and its options.
using Config = std::vector<std::pair<std::string, ConfigSection>>;

struct MeanMax {
  double mean = 0, max = 0;
  bool operator==(const MeanMax&) const = default;
};

struct MeanPeak {
  double mean = 0, peak = 0;
  bool operator==(const MeanPeak&) const = default;
};

/// Percent of all cores' time; absent when too short to tell.
struct BeforeDuring {
  std::optional<double> before, during;  ///< from dp-collect's start to t0, and from t0 to the end
  bool operator==(const BeforeDuring&) const = default;
};

/// The host of dp-collect.
struct HostFacts {
  std::string cpu, isa;
  std::uint32_t cores = 0;
  std::optional<double> usable_cores;  ///< by dp-collect, for its affinity and quotas; absent in older files
  double memory_mb = 0;
  std::string kernel, governor;             ///< governor "": unknown
  double load_before = 0;                   ///< one-minute load average before the run
  BeforeDuring steal_percent;               ///< taken by the hypervisor for other guests
  std::optional<MeanMax> cpu_busy_percent;  ///< during the run, by whatever ran; 100: all cores
  std::optional<MeanPeak> memory_used_mb;   ///< during the run
  bool operator==(const HostFacts&) const = default;
};

/// Versions of what was measured; "" where not known.
struct BuildFacts {
  std::string toolkit, git;
  bool dirty = false;
  std::string compiler, libtorch, onednn, blas, zmq;
  bool operator==(const BuildFacts&) const = default;
};

/// A data set or a weights file; "" where not known.
struct Asset {
  std::string name, digest;
  bool operator==(const Asset&) const = default;
};

/// How many items ended in which way; announced = completed + failed + lost.
struct Account {
  std::uint64_t announced = 0, completed = 0, failed = 0, lost = 0;
  std::uint64_t double_counted = 0;        ///< must be 0
  std::uint64_t duplicates_discarded = 0;  ///< information, not an error
  bool operator==(const Account&) const = default;
};

/// samples/s; requested and scheduled are absent when there is no schedule (`--rate max`, closed loop).
struct Rates {
  std::optional<double> requested, scheduled;
  double released = 0, completed = 0;
  bool operator==(const Rates&) const = default;
};

template <class T>
struct PerPercentile {
  T p50{}, p90{}, p95{}, p99{}, p999{};
  bool operator==(const PerPercentile&) const = default;
};

/// A latency distribution in ms; `n` counts batches also where the values are those of samples.
struct Latency {
  std::uint64_t n = 0;
  std::optional<double> mean, p50, p90, p95, p99, p999, max;  ///< absent when nothing was measured
  PerPercentile<bool> supported;                              ///< enough batches for this percentile?
  PerPercentile<std::optional<double>> upper;                 ///< 99 %-confidence upper bounds
  bool operator==(const Latency&) const = default;
};

struct Lateness {
  double p50 = 0, p99 = 0, max = 0;
  bool operator==(const Lateness&) const = default;
};

struct StageTime {
  double mean = 0, p50 = 0, p99 = 0;
  bool operator==(const StageTime&) const = default;
};

struct StageTimes {
  StageTime generator, admission, router, queue, compute, return_;
  bool operator==(const StageTimes&) const = default;
};

struct HistogramBin {
  double lower_ms = 0;
  std::uint64_t count = 0;
  bool operator==(const HistogramBin&) const = default;
};

struct Accuracy {
  std::optional<double> top1, agreement;     ///< fractions of `labelled` and of `compared`
  std::uint64_t labelled = 0, compared = 0;  ///< samples
  bool operator==(const Accuracy&) const = default;
};

struct FirstLastPeak {
  double first = 0, last = 0, peak = 0;
  bool operator==(const FirstLastPeak&) const = default;
};

struct WorkerReport {
  std::string name, host;
  std::optional<std::uint32_t> slot;  ///< absent for a spare that never had one
  std::uint64_t samples = 0, batches = 0;
  std::uint64_t failed = 0;  ///< attempts that ended badly, of the whole run; batches may have been served by others
  double busy_s = 0;       ///< time spent computing
  double utilization = 0;  ///< busy ÷ measured duration
  std::optional<double> service_ms_per_sample;
  std::optional<double> cores;  ///< it may use, by affinity and quota of its control groups; absent if not told
  std::optional<MeanMax> cpu_percent;  ///< 100: one core
  std::optional<MeanPeak> rss_mb;
  /// MB of the distinct samples it served: what it must hold, or fetch once, to serve them by reference. Absent when
  /// the stream did not tell a sample's size, or when there were too many samples to remember.
  std::optional<double> data_mb_peak;
  bool lost = false;
  std::string note;
  bool operator==(const WorkerReport&) const = default;
};

/// Process figures of dp-stream, dp-route or dp-collect.
struct StageReport {
  std::string role;  ///< stream, route or collect
  std::optional<MeanMax> cpu_percent;
  std::optional<MeanPeak> rss_mb;
  std::optional<FirstLastPeak> anonymous_mb;
  bool operator==(const StageReport&) const = default;
};

/// 1 is perfect balance; absent where undefined (no work, no shards).
struct Balance {
  std::optional<double> load_balancing_efficiency, shard_distribution_efficiency, jain;
  bool operator==(const Balance&) const = default;
};

/// Something worth telling that happened during the run: a worker lost, the router restarted.
struct RunEvent {
  double t_s = 0;
  std::string what;
  bool operator==(const RunEvent&) const = default;
};

/// One second of the run, or several of a long run, warm-up included: samples offered and completed in it, samples
/// outstanding at its end, latencies of the batches collected in it.
struct SecondOfRun {
  double t_s = 0;
  std::uint64_t offered = 0, completed = 0, queue = 0;
  std::optional<double> p50_ms, p99_ms, max_ms;  ///< p99 only where its batches support it
  std::uint32_t seconds = 1;                     ///< how long it is; the same in all rows of a run
  bool operator==(const SecondOfRun&) const = default;
};

/// What `--warmup` kept apart: batches due, or without a schedule collected, in the first seconds after t0.
struct WarmUpReport {
  double seconds = 0;
  std::uint64_t samples = 0, batches = 0;  ///< completed
  double completed_rate = 0;               ///< samples/s
  Latency batch_latency_ms;
  bool operator==(const WarmUpReport&) const = default;
};

/// One figure over the seconds of the measured part; absent where too few seconds, or none with a value.
struct Steadiness {
  std::optional<double> mean;
  std::optional<double> deviation;   ///< largest distance from the mean, as a fraction of it
  std::optional<double> slope;       ///< least squares, a fraction of the mean per second
  std::optional<double> half_width;  ///< of the slope's 99 % interval
  bool operator==(const Steadiness&) const = default;
};

/// Whether the measured part was one state of the system (steady_state.hpp).
struct SteadyState {
  std::uint32_t seconds = 0;  ///< whole ones, after the warm-up and before the last release
  Steadiness completed, latency_ms, queue;
  std::optional<bool> steady;  ///< absent: too short to tell
  bool operator==(const SteadyState&) const = default;
};

struct RunReport {
  static constexpr std::string_view schema = "dp.run/1";
  std::string run_id;  ///< hexadecimal
  bool valid = false;
  std::vector<Verdict> verdicts;
  std::vector<Verdict> slo;  ///< objectives it was given: missing one does not make it invalid
  Config config;
  HostFacts host;
  BuildFacts versions;
  Asset data, weights;
  std::string started_utc;  ///< ISO 8601
  std::uint32_t nodes = 0;  ///< workers wanted
  std::string strategy, backend;
  std::string rate_mode;  ///< open, max or closed
  std::string payload;    ///< inline or reference
  std::uint32_t credit = 0;
  double duration_s = 0;  ///< t0 to the last settlement
  std::optional<double> resources_interval_s;  ///< between two readings of the figures of processes and host
  WarmUpReport warmup;
  SteadyState steady_state;
  Account samples, batches;
  Rates rates;
  Latency latency_ms, batch_latency_ms;
  Lateness generator_lateness_ms;
  StageTimes stages_ms;
  std::vector<HistogramBin> service_ms;
  Accuracy accuracy;
  std::vector<WorkerReport> workers;
  std::vector<StageReport> stages;
  Balance balance;
  std::optional<double> data_moved_mb;   ///< sum of the workers' data_mb_peak
  bool coupled = false;                  ///< a bounded buffer filled: the strategy no longer shows alone
  bool overloaded = false;               ///< the queue grew: latencies are not a property of the system
  bool oversubscribed = false;           ///< more threads than cores they may use
  bool one_host = true;                  ///< all are processes of one host, "nodes" too
  std::optional<double> clock_bound_ms;  ///< bound on clock offsets across hosts; absent on one host
  std::vector<RunEvent> events;
  std::vector<SecondOfRun> series;
  bool operator==(const RunReport&) const = default;
};

/// The report as indented JSON with a stable key order, ending in a newline. Throws Error if a number is not
/// finite.
std::string write_run_report(const RunReport& report);

/// Reads what this or any older version's write_run_report wrote; unknown keys are ignored. Throws Error naming
/// `source` and the field.
RunReport parse_run_report(std::string_view json, const std::string& source);

/// Reads a run.json file. Throws Error naming the file and the field.
RunReport read_run_report(const std::filesystem::path& path);

}  // namespace dp
