// The JSON documents over many runs: every run with its statistics, and the comparison of strategies.
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "report/tables.hpp"
#include "stats/summary.hpp"

namespace dp {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& x) {
  return x ? Json(*x) : Json(nullptr);
}

Json statistics(const std::optional<Estimate>& e) {
  if (!e) return nullptr;
  return {{"n", e->values.size()},          {"mean", e->mean},
          {"median", median_of(e->values)}, {"sd", sd_of(e->values)},
          {"ci95", or_null(e->half_width)}, {"values", e->values}};
}

Json cell_json(const CellSummary& s) {
  return {{"strategy", s.strategy},
          {"nodes", s.nodes},
          {"throughput", statistics(s.throughput)},
          {"capacity", statistics(s.capacity)},
          {"cost_per_million", statistics(s.cost_per_million)},
          {"mean_ms", statistics(s.mean_ms)},
          {"p50_ms", statistics(s.p50_ms)},
          {"p95_ms", statistics(s.p95_ms)},
          {"p99_ms", statistics(s.p99_ms)},
          {"data_moved_mb", statistics(s.data_moved)},
          {"outliers", s.outliers}};
}

Json failed_verdicts(const RunReport& r) {
  Json list = Json::array();
  for (const Verdict& v : r.verdicts) {
    if (!v.ok)
      list.push_back({{"criterion", v.criterion}, {"observed", v.observed}, {"required", v.required}});
  }
  return list;
}

/// The keys of run.json that say how the run went; what it was run with stays in the file named.
Json run_json(const MeasuredRun& run, const Iteration& iteration) {
  Json json{{"file", run.file}, {"seed", iteration.seed}, {"repeat", iteration.repeat}};
  const Json report = Json::parse(write_run_report(run.report));
  for (const char* key : {"run_id", "valid", "strategy", "nodes", "rate_mode", "started_utc", "duration_s",
                          "samples", "rates", "latency_ms", "batch_latency_ms", "accuracy", "balance",
                          "data_moved_mb", "coupled", "overloaded", "oversubscribed", "workers", "events"}) {
    json[key] = report.at(key);
  }
  const Streams streams = streams_of(run.report);
  json["successful_streams"] = streams.successful;
  json["failed_streams"] = streams.failed;
  json["failed_verdicts"] = failed_verdicts(run.report);
  return json;
}

Json difference_json(const std::optional<Difference>& d) {
  if (!d) return nullptr;
  return {
      {"difference", d->mean}, {"half_width", or_null(d->half_width)}, {"distinguishable", d->significant}};
}

Json pair_json(const PairComparison& p) {
  return {{"first", p.first},
          {"second", p.second},
          {"iterations", p.iterations},
          {"capacity_difference", p.difference.mean},
          {"half_width", or_null(p.difference.half_width)},
          {"distinguishable", p.difference.significant},
          {"data_moved_mb", difference_json(p.data_moved)},
          {"p99_ms", difference_json(p.p99_ms)}};
}

Json node_json(const NodeComparison& c) {
  Json strategies = Json::object();
  for (const CellSummary* s : c.cells) {
    strategies[s->strategy] = {
        {"capacity", s->capacity->mean},
        {"capacity_ci95", or_null(s->capacity->half_width)},
        {"cost_per_million", s->cost_per_million ? Json(s->cost_per_million->mean) : Json(nullptr)},
        {"cost_per_million_ci95",
         s->cost_per_million ? or_null(s->cost_per_million->half_width) : Json(nullptr)},
        {"iterations", s->capacity->values.size()},
        {"oversubscribed", s->oversubscribed}};
  }
  Json pairs = Json::array();
  for (const PairComparison& p : c.pairs) pairs.push_back(pair_json(p));
  const char* none = c.cells.size() > 1 ? "indistinguishable" : "not compared";
  return {{"nodes", c.nodes},
          {"best", c.best.empty() ? none : c.best},
          {"recommendation", c.sentence},
          {"strategies", strategies},
          {"pairs", pairs}};
}

}  // namespace

std::string detailed_results(const Sweep& sweep, const std::vector<CellSummary>& cells) {
  Json json{{"schema", "dp.detailed/1"}, {"cells", Json::array()}, {"runs", Json::array()}};
  for (const CellSummary& s : cells) json["cells"].push_back(cell_json(s));
  for (const Cell& cell : sweep.cells) {
    for (const Repetitions* repetitions : {&cell.at_rate, &cell.at_max}) {
      for (const auto& [iteration, run] : *repetitions) json["runs"].push_back(run_json(*run, iteration));
    }
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string performance_summary(const std::vector<NodeComparison>& comparisons) {
  Json json{{"schema", "dp.summary/1"},
            {"method",
             "capacity: samples/s completed at --rate max; differences paired by iteration, Student t, "
             "Holm-corrected "
             "over the pairs of a node count, family-wise error 5 %; data_moved_mb at max and p99_ms at the "
             "rate: likewise, each a family of its own"},
            {"nodes", Json::array()}};
  for (const NodeComparison& c : comparisons) json["nodes"].push_back(node_json(c));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dp
