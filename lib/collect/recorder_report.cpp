// What the recorder has taken, as the figures of run.json; recorder_verdicts.cpp judges them.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "collect/named_options.hpp"
#include "collect/recorder.hpp"
#include "report/latency.hpp"
#include "stats/percentile_support.hpp"

namespace dp {
namespace {

double rate_of(std::uint64_t samples, Duration span) {
  return span > Duration{} ? static_cast<double>(samples) / to_seconds(span) : 0;
}

ConfigSection section_of(const std::vector<std::string>& options) {
  ConfigSection section;
  for (std::size_t i = 0; i + 1 < options.size(); i += 2) section.emplace_back(options[i], options[i + 1]);
  return section;
}

StageTime stage_time(const Histogram& ns) {
  return {ns.mean() / 1e6, static_cast<double>(ns.percentile(0.5)) / 1e6,
          static_cast<double>(ns.percentile(0.99)) / 1e6};
}

}  // namespace

RunReport Recorder::report(const Report& router, bool ended, std::uint64_t planned_samples) const {
  RunReport report;
  report.config = {{"stream", section_of(run_.options)}, {"route", section_of(router.options)}};
  report.data = {run_.data_name, run_.data_digest};
  report.strategy = router.strategy;
  report.rate_mode = run_.rate > 0 ? "open" : run_.concurrency > 0 ? "closed" : "max";
  report.payload = option_of(run_.options, "payload");
  report.nodes = count_or_zero(option_of(router.options, "workers"));
  report.duration_s = to_seconds(last_ - t0_);
  report.resources_interval_s = to_seconds(usage_interval);
  report.samples = samples_;
  report.batches = batches_;
  report.samples.lost = samples_.announced + samples_.double_counted - samples_.completed - samples_.failed;
  report.batches.lost = batches_.announced + batches_.double_counted - batches_.completed - batches_.failed;
  fill_rates(report);
  fill_latencies(report);
  fill_warmup(report);
  service_.for_each_bin([&](std::int64_t lower, std::uint64_t count) {
    report.service_ms.push_back({static_cast<double>(lower) / 1e6, count});
  });
  fill_workers(report, router);
  fill_data(report);
  fill_balance(report, router);
  report.series = series_.rows();
  report.coupled = run_.rate > 0 && router.full > 0;
  if (clock_bound_ > Duration{}) report.clock_bound_ms = to_ms(clock_bound_);
  report.one_host = clock_bound_ <= Duration{};
  report.events = events_;
  for (std::size_t i = 0; i < router.events.size(); ++i) {
    report.events.push_back({to_seconds(router.event_times[i] - t0_), router.events[i]});
  }
  std::ranges::stable_sort(report.events, {}, &RunEvent::t_s);
  judge(report, router, ended, planned_samples);
  return report;
}

// n samples are n intervals, also where the first of them came at the very beginning: else n of a short run would be
// completed, or released, at a higher rate than they were offered.

/// From the last sample due before the measured part, or an interval before t0, to its last.
Duration Recorder::scheduled_span() const {
  const Time begin = offered_.due_before.value_or(t0_ - from_seconds(1 / run_.rate));
  return offered_.samples ? last_scheduled_ - begin : Duration{};
}

/// What the measured part's samples were completed in: with a schedule no less than they were due in; without one, from
/// the last completion of the warm-up.
Duration Recorder::measured_span() const {
  if (scheduled()) return std::max(last_ - from_, scheduled_span());
  return last_ - (warm_up_.batches ? warm_up_.last : t0_);
}

Duration Recorder::warm_up_span() const {
  if (!warm_up_.batches) return {};
  const Duration taken = warm_up_.last - t0_;
  return scheduled() && offered_.due_before
             ? std::max(taken, *offered_.due_before - t0_ + from_seconds(1 / run_.rate))
             : taken;
}

void Recorder::fill_rates(RunReport& report) const {
  report.rates.released =
      rate_of(offered_.samples - offered_.first, offered_.last_released - offered_.first_released);
  if (scheduled()) {
    report.rates.requested = run_.rate;
    report.rates.scheduled = rate_of(offered_.samples, scheduled_span());
    report.rates.released =
        rate_of(offered_.samples, scheduled_span() + (offered_.last_released - last_scheduled_));
  }
  report.rates.completed = rate_of(measured_.samples, measured_span());
}

void Recorder::fill_latencies(RunReport& report) const {
  report.latency_ms = latency_of(sample_latency_, measured_.batches);
  report.batch_latency_ms = latency_of(measured_.latency, measured_.batches);
  report.generator_lateness_ms = {static_cast<double>(lateness_.percentile(0.5)) / 1e6,
                                  static_cast<double>(lateness_.percentile(0.99)) / 1e6,
                                  static_cast<double>(lateness_.max()) / 1e6};
  report.stages_ms = {stage_time(stages_[0]), stage_time(stages_[1]), stage_time(stages_[2]),
                      stage_time(stages_[3]), stage_time(stages_[4]), stage_time(stages_[5])};
}

void Recorder::fill_warmup(RunReport& report) const {
  report.warmup.seconds = to_seconds(warmup_);
  report.warmup.samples = warm_up_.samples;
  report.warmup.batches = warm_up_.batches;
  report.warmup.completed_rate = rate_of(warm_up_.samples, warm_up_span());
  report.warmup.batch_latency_ms = latency_of(warm_up_.latency, warm_up_.batches);
}

/// Where only the host's number of cores is told: all of them.
UsableCores Recorder::Resources::cores() const {
  UsableCores cores;
  if (const auto told = parse_cpu_list(option_of(options, "cpus"))) {
    cores.cpus = *told;
  } else {
    const std::uint32_t all = count_or_zero(option_of(options, "host_cores"));
    for (std::uint32_t cpu = 0; cpu < std::min<std::uint32_t>(all, most_cpus); ++cpu)
      cores.cpus.push_back(cpu);
  }
  cores.quotas = parse_quotas(option_of(options, "cpu_quotas"));
  return cores;
}

std::string Recorder::Resources::machine() const {
  const std::string told = option_of(options, "machine");
  return told.empty() ? "host " + host : told;
}

std::optional<MeanMax> Recorder::Resources::cpu_percent() const {
  if (span_s <= 0) return std::nullopt;
  return MeanMax{100 * cpu_s / span_s, cpu_max};
}

bool Recorder::predicts() const {
  return std::ranges::any_of(resources_, [](const auto& process) {
    return process.first.first == Role::infer && option_of(process.second.options, "backend") == "torch";
  });
}

void Recorder::fill_workers(RunReport& report, const Report& router) const {
  std::map<std::string, Served> all = workers_;
  for (const auto& [who, resources] : resources_) {
    if (who.first == Role::infer) all.try_emplace(who.second);
  }
  std::map<std::string, std::uint64_t> failures;
  for (std::size_t i = 0; i < router.failing.size(); ++i) {
    failures[router.failing[i]] = router.failures[i];
    all.try_emplace(router.failing[i]);
  }
  for (const auto& [name, served] : all) {
    WorkerReport w;
    w.name = name;
    w.samples = served.samples;
    w.batches = served.batches;
    w.failed = failures[name];
    w.busy_s = served.busy_s;
    const double span = to_seconds(measured_span());
    w.utilization = span > 0 ? w.busy_s / span : 0;
    if (served.samples) w.service_ms_per_sample = 1000 * served.busy_s / static_cast<double>(served.samples);
    w.lost = served.lost;
    const auto slot = std::ranges::find(router.slots, name);
    if (slot != router.slots.end()) w.slot = static_cast<std::uint32_t>(slot - router.slots.begin());
    if (const auto found = resources_.find({Role::infer, name}); found != resources_.end()) {
      const Resources& r = found->second;
      w.host = r.host;
      w.note = r.detail;
      if (const double cores = r.cores().count(); cores > 0) w.cores = cores;
      w.cpu_percent = r.cpu_percent();
      if (r.readings) w.rss_mb = r.rss_mb();
      if (report.backend.empty()) {
        report.backend = option_of(r.options, "backend");
        report.credit = count_or_zero(option_of(r.options, "credit"));
        report.weights = {option_of(r.options, "weights"), option_of(r.options, "weights_digest")};
        report.versions.libtorch = option_of(r.options, "libtorch");
        report.versions.onednn = option_of(r.options, "onednn");
        report.versions.blas = option_of(r.options, "blas");
        report.config.emplace_back("infer", section_of(r.options));
      }
    }
    report.workers.push_back(std::move(w));
  }
  if (predicts()) {
    if (labelled_) report.accuracy.top1 = static_cast<double>(correct_) / static_cast<double>(labelled_);
    if (compared_)
      report.accuracy.agreement = static_cast<double>(agreeing_) / static_cast<double>(compared_);
    report.accuracy.labelled = labelled_;
    report.accuracy.compared = compared_;
  }
  for (const auto& [who, r] : resources_) {
    if (who.first == Role::infer || r.readings == 0) continue;
    StageReport stage;
    stage.role = std::string(name_of(who.first)).substr(3);
    stage.cpu_percent = r.cpu_percent();
    stage.rss_mb = r.rss_mb();
    stage.anonymous_mb = r.anonymous_mb;
    report.stages.push_back(std::move(stage));
  }
}

void Recorder::fill_data(RunReport& report) const {
  const std::uint32_t bytes = count_or_zero(option_of(run_.options, "sample-bytes"));
  if (bytes == 0) return;
  std::uint64_t moved = 0;  // whole samples: equal sums are equal figures
  for (WorkerReport& w : report.workers) {
    const std::optional<std::uint64_t> held = held_.of(w.name);
    if (!held) return;
    w.data_mb_peak = static_cast<double>(*held) * bytes / 1e6;
    moved += *held;
  }
  report.data_moved_mb = static_cast<double>(moved) * bytes / 1e6;
}

void Recorder::fill_balance(RunReport& report, const Report& router) const {
  double busy = 0, busiest = 0, samples = 0, squares = 0;
  const auto workers = static_cast<double>(report.workers.size());
  for (const WorkerReport& w : report.workers) {
    busy += w.busy_s;
    busiest = std::max(busiest, w.busy_s);
    const auto served = static_cast<double>(w.samples);
    samples += served;
    squares += served * served;
  }
  if (busiest > 0) report.balance.load_balancing_efficiency = busy / workers / busiest;
  if (squares > 0) report.balance.jain = samples * samples / (workers * squares);
  if (router.shard_map.empty() || router.shard_map.size() != router.shard_load.size()) return;
  std::map<std::uint32_t, double> load;
  constexpr std::uint32_t most_nodes = 65'536;
  for (std::uint32_t slot = 0; slot < std::min(report.nodes, most_nodes); ++slot) load[slot] = 0;
  for (std::size_t shard = 0; shard < router.shard_map.size(); ++shard) {
    load[router.shard_map[shard]] += static_cast<double>(router.shard_load[shard]);
  }
  double total = 0, most = 0;
  for (const auto& [slot, samples_there] : load) {
    total += samples_there;
    most = std::max(most, samples_there);
  }
  if (most > 0)
    report.balance.shard_distribution_efficiency = total / static_cast<double>(load.size()) / most;
}

}  // namespace dp
