// SPDX-License-Identifier: MIT
#include "collect/slo.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/options.hpp"
#include "stats/percentile_support.hpp"

namespace dp {
namespace {

constexpr const char* throughput = "throughput";
constexpr double longest_ms = 1e9, most_per_second = 1e12;

struct Percentile {
  const char* name;
  double p;
  std::optional<double> Latency::*value;
  bool PerPercentile<bool>::*supported;
  std::optional<double> PerPercentile<std::optional<double>>::*upper;
};
using Supported = PerPercentile<bool>;
using Upper = PerPercentile<std::optional<double>>;
constexpr Percentile percentiles[] = {
    {"p50", 0.5, &Latency::p50, &Supported::p50, &Upper::p50},
    {"p90", 0.9, &Latency::p90, &Supported::p90, &Upper::p90},
    {"p95", 0.95, &Latency::p95, &Supported::p95, &Upper::p95},
    {"p99", 0.99, &Latency::p99, &Supported::p99, &Upper::p99},
    {"p999", 0.999, &Latency::p999, &Supported::p999, &Upper::p999},
};

const Percentile* percentile_named(const std::string& name) {
  const auto found = std::ranges::find_if(percentiles, [&](const Percentile& p) { return name == p.name; });
  return found == std::end(percentiles) ? nullptr : &*found;
}

Objective parse_one(const std::string& text) {
  const auto equals = text.find('=');
  std::string figure = text.substr(0, equals);
  if (figure == "p99.9") figure = "p999";
  const bool known = percentile_named(figure) || figure == "mean" || figure == "max" || figure == throughput;
  if (equals == text.npos || !known) {
    throw UsageError(
        "--slo '{}': give p50, p90, p95, p99, p99.9, mean or max and a time, or throughput and samples/s, "
        "such "
        "as p99=50ms or throughput=1000",
        text);
  }
  const std::string what = fmt::format("--slo {}", figure), value = text.substr(equals + 1);
  if (figure == throughput) return {figure, parse_number(what, value, 1e-9, most_per_second)};
  const double limit = to_ms(parse_duration(what, value));
  if (limit <= 0 || limit > longest_ms)
    throw UsageError("{} '{}': give a time from 1ns to 11 days", what, value);
  return {figure, limit};
}

std::string confidence(std::optional<double> upper) {
  return upper ? fmt::format(", with 99 % confidence <= {:.3f} ms", *upper)
               : ", too few batches for an upper bound";
}

/// What the run shows of the figure: the value, in words, and what keeps it from counting.
struct Finding {
  std::optional<double> value;
  std::string observed, required_too, remedy;
  bool counts = true;
};

Finding find_percentile(const Percentile& which, const Latency& latency) {
  Finding found;
  found.value = latency.*which.value;
  if (!found.value) return found;
  if (latency.supported.*which.supported) {
    found.observed = fmt::format("{:.3f} ms{}", *found.value, confidence(latency.upper.*which.upper));
    return found;
  }
  const std::uint64_t needed = samples_needed(which.p, 1);
  found.counts = false;
  found.observed = fmt::format("not supported by {} batches ({:.3f} ms)", latency.n, *found.value);
  found.required_too = fmt::format(", over at least {} batches", needed);
  found.remedy = fmt::format("run longer: {} batches or more", needed);
  return found;
}

Finding find_plain(std::optional<double> value) {
  Finding found;
  found.value = value;
  if (value) found.observed = fmt::format("{:.3f} ms", *value);
  return found;
}

Finding find_latency(const std::string& figure, const RunReport& report) {
  const Percentile* percentile = percentile_named(figure);
  Finding found = percentile ? find_percentile(*percentile, report.latency_ms)
                             : find_plain(figure == "mean" ? report.latency_ms.mean : report.latency_ms.max);
  if (!found.value) {
    found.observed = "nothing was measured";
    found.remedy = "see verdicts[] and events[] for what happened, and run again";
  } else if (report.overloaded) {
    found.observed += "; overloaded: no property of the system";
    found.counts = false;
    found.remedy = fmt::format("lower --rate below {:.0f} samples/s, or add workers", report.rates.completed);
  }
  return found;
}

Verdict judge_latency(const Objective& objective, const RunReport& report) {
  const Finding found = find_latency(objective.figure, report);
  Verdict verdict;
  verdict.criterion = fmt::format("SLO {} <= {:g} ms", objective.figure, objective.limit);
  verdict.observed = found.observed;
  verdict.required = fmt::format("<= {:g} ms{}", objective.limit, found.required_too);
  verdict.ok = found.counts && found.value && *found.value <= objective.limit;
  if (!verdict.ok) verdict.remedy = found.remedy.empty() ? "lower --rate, or add workers" : found.remedy;
  return verdict;
}

Verdict judge_throughput(const Objective& objective, const RunReport& report) {
  Verdict verdict;
  verdict.criterion = fmt::format("SLO throughput >= {:g} samples/s", objective.limit);
  verdict.observed = fmt::format("{:.1f} samples/s", report.rates.completed);
  verdict.required = fmt::format(">= {:g} samples/s", objective.limit);
  verdict.ok = report.rates.completed >= objective.limit;
  if (!verdict.ok)
    verdict.remedy = report.rates.requested && *report.rates.requested <= objective.limit
                         ? "offer more: raise --rate, or give --rate max"
                         : "add workers";
  return verdict;
}

}  // namespace

std::vector<Objective> parse_objectives(std::span<const std::string> texts) {
  std::vector<Objective> objectives;
  for (const std::string& text : texts) objectives.push_back(parse_one(text));
  return objectives;
}

std::vector<Verdict> judge(std::span<const Objective> objectives, const RunReport& report) {
  std::vector<Verdict> verdicts;
  for (const Objective& objective : objectives) {
    verdicts.push_back(objective.figure == throughput ? judge_throughput(objective, report)
                                                      : judge_latency(objective, report));
  }
  return verdicts;
}

}  // namespace dp
