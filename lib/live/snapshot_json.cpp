// SPDX-License-Identifier: MIT
#include "live/snapshot_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "live/rate_span.hpp"
#include "stats/percentile_support.hpp"
#include "wire/message.hpp"

namespace dp {
namespace {

using Json = nlohmann::ordered_json;

Json rate(std::uint64_t samples, Duration window) {
  return window > Duration{} ? Json(static_cast<double>(samples) / to_seconds(window)) : Json();
}

Json percentile(const SnapshotLatency& l, Duration value) { return l.batches ? Json(to_ms(value)) : Json(); }

Json latency(const SnapshotLatency& l) {
  return {{"batches", l.batches},
          {"p50", percentile(l, l.p50)},
          {"p95", percentile(l, l.p95)},
          {"p99", percentile(l, l.p99)},
          {"supported",
           {{"p50", supported(0.5, l.batches)},
            {"p95", supported(0.95, l.batches)},
            {"p99", supported(0.99, l.batches)}}}};
}

Json process(const Snapshot& s, std::size_t i) {
  constexpr const char* states[] = {"connected", "lost", "left"};
  const Duration span = s.recent_span[i];
  return {{"name", s.names[i]},
          {"host", s.hosts[i]},
          {"state", states[s.states[i]]},
          {"cpu_percent",
           span > Duration{} ? Json(100 * to_seconds(s.recent_cpu[i]) / to_seconds(span)) : Json()},
          {"rss_mb", s.rss_bytes[i] ? Json(static_cast<double>(s.rss_bytes[i]) / 1e6) : Json()},
          {"unheard_s", to_seconds(s.unheard[i])}};
}

Json worker(const Snapshot& s, std::size_t i) {
  Json w = process(s, i);
  w["samples"] = s.samples[i];
  w["batches"] = s.batches[i];
  w["retried_batches"] = s.retried[i];
  w["rate"] = rate(s.recent_samples[i], rate_span(s, s.recent_window));
  w["service_ms_per_sample"] =
      s.samples[i] ? Json(to_ms(s.busy[i]) / static_cast<double>(s.samples[i])) : Json();
  return w;
}

}  // namespace

std::string snapshot_json(const Snapshot& s) {
  constexpr const char* states[] = {"waiting", "running", "done", "stopped"};
  Json json{{"schema", "dp.live/1"},
            {"number", s.number},
            {"run_id", fmt::format("{:016x}", raw(s.run))},
            {"state", states[static_cast<int>(s.state)]},
            {"strategy", s.strategy},
            {"elapsed_s", to_seconds(s.elapsed)},
            {"samples",
             {{"planned", s.planned},
              {"announced", s.announced},
              {"completed", s.completed},
              {"failed", s.failed},
              {"duplicates_discarded", s.duplicates}}},
            {"retries", s.retries},
            {"waiting", {{"batches", s.waiting_batches}, {"samples", s.waiting_samples}}},
            {"rates",
             {{"requested", s.requested > 0 ? Json(s.requested) : Json()},
              {"window_s", to_seconds(s.recent_window)},
              {"offered", rate(s.recent_offered, rate_span(s, s.recent_window))},
              {"completed", rate(s.recent_completed, rate_span(s, s.recent_window))}}},
            {"recent_batch_latency_ms", latency(s.recent)},
            {"batch_latency_ms", latency(s.whole)},
            {"recent_stages_ms",
             {{"generator", to_ms(s.stages.generator)},
              {"admission", to_ms(s.stages.admission)},
              {"router", to_ms(s.stages.router)},
              {"queue", to_ms(s.stages.queue)},
              {"compute", to_ms(s.stages.compute)},
              {"return", to_ms(s.stages.back)}}}};
  Json workers = Json::array(), tools = Json::object();
  for (std::size_t i = 0; i < s.roles.size(); ++i) {
    const auto role = static_cast<Role>(s.roles[i]);
    if (role == Role::infer) workers.push_back(worker(s, i));
    else tools[name_of(role)] = process(s, i);
  }
  json["workers"] = std::move(workers);
  json["tools"] = std::move(tools);
  json["unlisted"] = s.unlisted;
  json["warnings"] = s.warnings;
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace dp
