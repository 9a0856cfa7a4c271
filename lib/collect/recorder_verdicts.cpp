// Which of the conditions of a valid run the recorder's figures meet, at the end and as things stand.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/error.hpp"
#include "collect/core_claims.hpp"
#include "collect/named_options.hpp"
#include "collect/recorder.hpp"
#include "report/steady_state.hpp"
#include "stats/trend.hpp"
#include "wire/buffer.hpp"

namespace dp {
namespace {

void add_verdict(RunReport& report, std::string criterion, std::string observed, std::string required,
                 bool ok, std::string remedy) {
  report.verdicts.push_back(
      {std::move(criterion), std::move(observed), std::move(required), ok, ok ? "" : std::move(remedy)});
}

}  // namespace

/// Seconds of latency by which each second of the schedule adds to it, as far as noise leaves no doubt; 0
/// unless that is more than 2 %, and over the measured part more than the median latency.
double Recorder::latency_growth() const {
  if (!scheduled() || measured_.batches < 8) return 0;
  std::vector<double> medians;
  for (const Histogram& due : due_) {
    if (due.count()) medians.push_back(static_cast<double>(due.percentile(0.5)) / 1e9);
  }
  const double tenth_s = (static_cast<double>(run_.samples) / run_.rate - to_seconds(warmup_)) / tenths;
  const Trend trend = trend_of(medians);
  const double median = static_cast<double>(measured_.latency.percentile(0.5)) / 1e9;
  const double rise = trend.slope * static_cast<double>(medians.size());
  const bool grows =
      trend.slope > 0 && trend.certain() > 0.02 * tenth_s && rise > median && medians.back() > median;
  return grows ? trend.slope / tenth_s : 0;
}

/// More inference threads than cores they may use on some machine; workers that were lost have been replaced.
bool Recorder::oversubscribed() const {
  std::map<std::string, std::vector<CoreClaim>> machines;
  for (const auto& [who, r] : resources_) {
    if (who.first != Role::infer || option_of(r.options, "backend") != "torch") continue;
    if (const auto served = workers_.find(who.second); served != workers_.end() && served->second.lost)
      continue;
    machines[r.machine()].push_back({count_or_zero(option_of(r.options, "threads")), r.cores()});
  }
  return std::ranges::any_of(machines,
                             [](const auto& machine) { return dp::oversubscribed(machine.second); });
}

/// What has been noticed of the processes of the run.
void Recorder::judge_processes(RunReport& report) const {
  const auto verdict = [&](auto&&... parts) { add_verdict(report, std::forward<decltype(parts)>(parts)...); };
  if (generator_restarts_) {
    verdict("the generator was there throughout",
            fmt::format("dp-stream was restarted {} times", generator_restarts_), "no restart of dp-stream",
            false, "run again: what was due in its absence was released late");
  }
  if (reported_again_) {
    verdict("the report was written when the run ended", "it was made again from the journal",
            "the first one", false,
            "the accounting is whole, but figures of processes and what they spoilt are not known");
  }
  if (ledger_restarts_) {
    verdict("the ledger was there throughout",
            fmt::format("dp-collect was restarted {} times and absent for {:.1f} s", ledger_restarts_,
                        to_seconds(absence_)),
            "no restart of dp-collect", false,
            "run again: results waited for it, and the figures of processes begin with its return");
  }
  if (differing_) {
    verdict("the same batch gives the same predictions",
            fmt::format("{} discarded duplicates differ", differing_), "none", false,
            "find the worker whose weights or hardware differ");
  }
}

/// Failing fast costs the others little, so that a worker of no use would go unseen. One that was lost is told of as such.
void Recorder::judge_workers(RunReport& report) const {
  std::vector<std::string> useless;
  for (const WorkerReport& w : report.workers) {
    const auto served = workers_.find(w.name);
    const bool none = served == workers_.end() || served->second.settled == 0;
    if (w.failed && none && !w.lost) useless.push_back(fmt::format("{} failed all {}", w.name, w.failed));
  }
  if (useless.empty()) return;
  add_verdict(report, "no worker failed every batch it was given",
              fmt::format("{}", fmt::join(useless, ", ")), "a result from each worker that was given batches",
              false, "see events[] for its errors; mend that worker, or run without it");
}

/// In a closed loop. What dp-stream has not yet heard to be settled is not outstanding: a tenth may be under way to it.
void Recorder::judge_concurrency(RunReport& report, const Report& router) const {
  if (report.rate_mode != "closed") return;
  const auto payload =
      report.payload == "reference" ? PayloadMode::reference : PayloadMode::inline_pixels;
  const std::uint64_t asked = run_.concurrency,
                      holds = buffer_of(count_or_zero(option_of(router.options, "buffer")), payload);
  const std::string remedy =
      asked > holds ? fmt::format("lower --concurrency, or give dp-route --buffer {}", asked)
                    : "lower --concurrency, or give more --samples: dp-stream could not keep as many "
                      "outstanding";
  add_verdict(report, "the batches asked for were outstanding",
              fmt::format("at most {} at once, of {} in all, with room for {} in dp-route", most_outstanding_,
                          batches_.announced, holds),
              fmt::format("{}, give or take a tenth, as --concurrency says, and room for them", asked),
              asked <= holds && 10 * most_outstanding_ >= 9 * asked, remedy);
}

void Recorder::judge(RunReport& report, const Report& router, bool ended,
                     std::uint64_t planned_samples) const {
  const auto verdict = [&](auto&&... parts) { add_verdict(report, std::forward<decltype(parts)>(parts)...); };
  const Account& s = report.samples;
  verdict("every sample accounted for",
          fmt::format("{} announced, {} completed, {} failed, {} lost, {} counted twice", s.announced,
                      s.completed, s.failed, s.lost, s.double_counted),
          "announced = completed, none failed, lost or counted twice",
          s.completed == s.announced && s.double_counted == 0,
          "see events[] for what was lost or failed, mend it and run again");
  verdict("the whole plan was run", fmt::format("{} of {} samples announced", s.announced, planned_samples),
          "all of them, to the end", ended && s.announced == planned_samples,
          "run again without interrupting it");
  if (report.strategy.empty()) {
    verdict("dp-route told what it did", "no report came", "its report", false, "see events[] and run again");
  }
  if (compared_ && report.accuracy.agreement) {
    verdict(
        "predictions agree with those shipped with the weights",
        fmt::format("{:.4f}", *report.accuracy.agreement), ">= 0.999", *report.accuracy.agreement >= 0.999,
        "check that --model, --weights and --expected belong together, and that the CPU computes in fp32");
  }
  if (!expected_.empty() && predicts() && measured_.batches && !compared_) {
    verdict("predictions agree with those shipped with the weights", "none of the samples is in --expected",
            "samples to compare", false, "check that --expected and --data belong together");
  }
  judge_processes(report);
  judge_workers(report);
  if (measured_.batches == 0 && s.completed > 0) {
    verdict("something was measured", fmt::format("all {} batches were warm-up", warm_up_.batches),
            "batches after the warm-up", false, "give more --samples, or a shorter --warmup");
  }
  report.oversubscribed = oversubscribed();
  if (scheduled()) judge_schedule(report);
  judge_concurrency(report, router);
  report.steady_state =
      steady_state_of(report.series, to_seconds(warmup_), to_seconds(last_released_ - t0_), scheduled());
  if (report.steady_state.steady && !report.overloaded) {
    const Verdict steady = steady_verdict(report.steady_state, scheduled());
    verdict(steady.criterion, steady.observed, steady.required, steady.ok, steady.remedy);
  }
  report.valid = std::ranges::all_of(report.verdicts, &Verdict::ok);
}

void Recorder::judge_schedule(RunReport& report) const {
  const double median = report.batch_latency_ms.p50.value_or(0);
  const double allowed = std::max(1.0, 0.02 * median);
  const double late = report.generator_lateness_ms.p99;
  add_verdict(report, "the generator kept to its schedule", fmt::format("lateness p99 {:.3f} ms", late),
              fmt::format("<= {:.3f} ms (1 ms or 2 % of the median latency)", allowed), late <= allowed,
              "give dp-stream a core of its own, or lower --rate");
  const double growth = latency_growth();
  report.overloaded = growth > 0;
  add_verdict(report, "the pipeline keeps up with the offered load",
              report.overloaded
                  ? fmt::format("overloaded: latency grows by {:.0f} ms a second", 1000 * growth)
                  : "latency does not grow with time",
              "no growing queue", !report.overloaded,
              fmt::format("lower --rate below {:.0f} samples/s, or add workers; these latencies are not a "
                          "property of the system",
                          report.rates.completed));
}

/// Only what can be said before the end.
std::vector<std::string> Recorder::warnings() const {
  RunReport now;
  if (samples_.failed || samples_.double_counted) {
    add_verdict(now, "every sample accounted for",
                fmt::format("{} failed, {} counted twice", samples_.failed, samples_.double_counted), "none",
                false, "see the events of the report");
  }
  judge_processes(now);
  if (scheduled() && measured_.batches) {
    now.batch_latency_ms.p50 = static_cast<double>(measured_.latency.percentile(0.5)) / 1e6;
    now.generator_lateness_ms.p99 = static_cast<double>(lateness_.percentile(0.99)) / 1e6;
    fill_rates(now);
    judge_schedule(now);
  }
  std::vector<std::string> warnings;
  for (const Verdict& v : now.verdicts) {
    if (!v.ok) warnings.push_back(fmt::format("{}: {} (required: {})", v.criterion, v.observed, v.required));
  }
  if (oversubscribed())
    warnings.emplace_back("oversubscribed: more inference threads than cores they may use");
  return warnings;
}

}  // namespace dp
