// run.json reading and writing. Each struct's keys are listed once, in `fields`, for both directions.
//
// dp.run/1 keeps every key it ever had and may get more. Its first keys are required; a later one is listed as
// `later`: in older files it is absent, and the value stays as its struct makes it, which is what run.schema.json
// says of it. A file of each shape that was ever written is in tests/cli/data/runs/.
// SPDX-License-Identifier: MIT
#include "report/run_report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "base/error.hpp"
#include "base/file.hpp"

namespace dp {
namespace {

using Json = nlohmann::ordered_json;

/// A string whose "" stands for null in JSON.
template <class String>
struct OrNull {
  String& text;
};
template <class String>
OrNull<String> or_null(String& text) {
  return {text};
}

/// A key that dp.run/1, or the object it is in, did not have at first. `T`: a reference, or OrNull.
template <class T>
struct Later {
  T value;
};
template <class T>
Later<T> later(T&& value) {
  return {std::forward<T>(value)};
}

template <class A>
void fields(A& a, Verdict& v) {
  a("criterion", v.criterion), a("observed", v.observed), a("required", v.required), a("ok", v.ok);
  a("remedy", v.remedy);
}
template <class A>
void fields(A& a, MeanMax& m) {
  a("mean", m.mean), a("max", m.max);
}
template <class A>
void fields(A& a, MeanPeak& m) {
  a("mean", m.mean), a("peak", m.peak);
}
template <class A>
void fields(A& a, BeforeDuring& b) {
  a("before", b.before), a("during", b.during);
}
template <class A>
void fields(A& a, HostFacts& h) {
  a("cpu", h.cpu), a("isa", h.isa), a("cores", h.cores), a("usable_cores", later(h.usable_cores));
  a("memory_mb", h.memory_mb), a("kernel", h.kernel), a("governor", or_null(h.governor));
  a("load_before", h.load_before), a("steal_percent", later(h.steal_percent));
  a("cpu_busy_percent", later(h.cpu_busy_percent)), a("memory_used_mb", later(h.memory_used_mb));
}
template <class A>
void fields(A& a, BuildFacts& b) {
  a("toolkit", or_null(b.toolkit)), a("git", or_null(b.git)), a("dirty", b.dirty);
  a("compiler", or_null(b.compiler)), a("libtorch", or_null(b.libtorch));
  a("onednn", later(or_null(b.onednn))), a("blas", later(or_null(b.blas))), a("zmq", or_null(b.zmq));
}
template <class A>
void fields(A& a, Asset& x) {
  a("name", or_null(x.name)), a("digest", or_null(x.digest));
}
template <class A>
void fields(A& a, Account& x) {
  a("announced", x.announced), a("completed", x.completed), a("failed", x.failed), a("lost", x.lost);
  a("double_counted", x.double_counted), a("duplicates_discarded", x.duplicates_discarded);
}
template <class A>
void fields(A& a, Rates& r) {
  a("requested", r.requested), a("scheduled", r.scheduled), a("released", r.released),
      a("completed", r.completed);
}
template <class A, class T>
void fields(A& a, PerPercentile<T>& p) {
  a("p50", p.p50), a("p90", p.p90), a("p95", p.p95), a("p99", p.p99), a("p999", p.p999);
}
template <class A>
void fields(A& a, Latency& l) {
  a("n", l.n), a("mean", l.mean), a("p50", l.p50), a("p90", l.p90), a("p95", l.p95), a("p99", l.p99);
  a("p999", l.p999), a("max", l.max), a("supported", l.supported), a("upper", l.upper);
}
template <class A>
void fields(A& a, Lateness& l) {
  a("p50", l.p50), a("p99", l.p99), a("max", l.max);
}
template <class A>
void fields(A& a, StageTime& s) {
  a("mean", s.mean), a("p50", s.p50), a("p99", s.p99);
}
template <class A>
void fields(A& a, StageTimes& s) {
  a("generator", s.generator), a("admission", s.admission), a("router", s.router), a("queue", s.queue);
  a("compute", s.compute), a("return", s.return_);
}
template <class A>
void fields(A& a, Accuracy& x) {
  a("top1", x.top1), a("agreement", x.agreement), a("labelled", x.labelled), a("compared", x.compared);
}
template <class A>
void fields(A& a, FirstLastPeak& m) {
  a("first", m.first), a("last", m.last), a("peak", m.peak);
}
template <class A>
void fields(A& a, WorkerReport& w) {
  a("name", w.name), a("host", w.host), a("slot", w.slot), a("samples", w.samples), a("batches", w.batches);
  a("failed", w.failed), a("busy_s", w.busy_s), a("utilization", w.utilization);
  a("service_ms_per_sample", w.service_ms_per_sample), a("cores", later(w.cores));
  a("cpu_percent", w.cpu_percent), a("rss_mb", w.rss_mb), a("data_mb_peak", later(w.data_mb_peak));
  a("lost", w.lost), a("note", w.note);
}
template <class A>
void fields(A& a, StageReport& s) {
  a("role", s.role), a("cpu_percent", s.cpu_percent), a("rss_mb", s.rss_mb),
      a("anonymous_mb", s.anonymous_mb);
}
template <class A>
void fields(A& a, Balance& b) {
  a("load_balancing_efficiency", b.load_balancing_efficiency);
  a("shard_distribution_efficiency", b.shard_distribution_efficiency), a("jain", b.jain);
}
template <class A>
void fields(A& a, RunEvent& e) {
  a("t_s", e.t_s), a("what", e.what);
}
template <class A>
void fields(A& a, SecondOfRun& s) {
  a("t_s", s.t_s), a("seconds", later(s.seconds)), a("offered", s.offered), a("completed", s.completed);
  a("queue", s.queue), a("p50_ms", later(s.p50_ms)), a("p99_ms", s.p99_ms), a("max_ms", later(s.max_ms));
}
template <class A>
void fields(A& a, WarmUpReport& w) {
  a("seconds", w.seconds), a("samples", w.samples), a("batches", w.batches);
  a("completed_rate", w.completed_rate), a("batch_latency_ms", w.batch_latency_ms);
}
template <class A>
void fields(A& a, Steadiness& s) {
  a("mean", s.mean), a("deviation", s.deviation), a("slope", s.slope), a("half_width", s.half_width);
}
template <class A>
void fields(A& a, SteadyState& s) {
  a("seconds", s.seconds), a("steady", s.steady), a("completed", s.completed), a("latency_ms", s.latency_ms);
  a("queue", s.queue);
}
template <class A>
void fields(A& a, RunReport& r) {
  a("run_id", r.run_id), a("valid", r.valid), a("verdicts", r.verdicts), a("slo", later(r.slo));
  a("strategy", r.strategy), a("nodes", r.nodes), a("backend", r.backend), a("rate_mode", r.rate_mode);
  a("payload", r.payload), a("credit", r.credit), a("started_utc", r.started_utc),
      a("duration_s", r.duration_s), a("warmup", later(r.warmup));
  a("samples", r.samples), a("batches", r.batches), a("rates", r.rates), a("latency_ms", r.latency_ms);
  a("batch_latency_ms", r.batch_latency_ms), a("generator_lateness_ms", r.generator_lateness_ms);
  a("stages_ms", r.stages_ms), a("accuracy", r.accuracy), a("balance", r.balance);
  a("data_moved_mb", later(r.data_moved_mb)), a("coupled", r.coupled);
  a("overloaded", r.overloaded), a("oversubscribed", r.oversubscribed), a("one_host", later(r.one_host));
  a("steady_state", later(r.steady_state)), a("resources_interval_s", later(r.resources_interval_s));
  a("clock_bound_ms", r.clock_bound_ms);
  a("workers", r.workers), a("stages", r.stages), a("events", r.events), a("config", r.config);
  a("host", r.host), a("versions", r.versions), a("data", r.data), a("weights", r.weights);
  a("series", r.series), a("service_ms", r.service_ms);
}

class Writer {
 public:
  template <class T>
  void operator()(const char* key, T&& value) {
    object_[key] = json(value, key);
  }
  Json take() { return std::move(object_); }

 private:
  static Json json(std::string& x, const char*) { return x; }
  template <class T>
  requires std::is_arithmetic_v<T>
  static Json json(T x, const char* key) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(x))
        throw Error("run report: {} is not a finite number: leave it out where undefined", key);
    }
    return x;
  }
  template <class String>
  static Json json(OrNull<String>& x, const char*) {
    return x.text.empty() ? Json(nullptr) : Json(x.text);
  }
  template <class T>
  static Json json(Later<T>& x, const char* key) {
    return json(x.value, key);
  }
  template <class T>
  static Json json(std::optional<T>& x, const char* key) {
    return x ? json(*x, key) : Json(nullptr);
  }
  template <class T>
  static Json json(std::vector<T>& list, const char* key) {
    Json array = Json::array();
    for (T& x : list) array.push_back(json(x, key));
    return array;
  }
  static Json json(HistogramBin& bin, const char* key) {
    return Json::array({json(bin.lower_ms, key), json(bin.count, key)});
  }
  static Json json(Config& config, const char* key) {
    Json object = Json::object();
    for (auto& [name, section] : config) {
      Json& inner = object[name] = Json::object();
      for (auto& [option, value] : section) {
        inner[option] = std::visit([&](auto& x) { return json(x, key); }, value);
      }
    }
    return object;
  }
  template <class T>
  requires std::is_class_v<T>
  static Json json(T& x, const char*) {
    Writer inner;
    fields(inner, x);
    return inner.take();
  }

  Json object_ = Json::object();
};

class Reader {
 public:
  Reader(const Json& object, const std::string& source, std::string path)
      : object_(object), source_(source), path_(std::move(path)) {
    if (!object.is_object()) fail(path_, "not an object");
  }
  template <class T>
  void operator()(const char* key, T&& value) {
    const std::string where = path_.empty() ? key : path_ + "." + key;
    const auto found = object_.find(key);
    if (found == object_.end()) fail(where, "missing");
    read(*found, value, where);
  }
  template <class T>
  void operator()(const char* key, Later<T> later) {
    if (object_.contains(key)) (*this)(key, later.value);
  }

 private:
  [[noreturn]] void fail(const std::string& where, const std::string& what) const {
    throw Error("{}: {}: {} (is this a {} file written by dp-collect?)", source_,
                where.empty() ? "top level" : where, what, RunReport::schema);
  }
  void expect(bool ok, const Json& json, const std::string& where, const char* wanted) const {
    if (!ok) fail(where, fmt::format("expected {}, found {}", wanted, json.dump().substr(0, 40)));
  }
  void read(const Json& json, bool& x, const std::string& where) const {
    expect(json.is_boolean(), json, where, "true or false");
    x = json.get<bool>();
  }
  void read(const Json& json, std::string& x, const std::string& where) const {
    expect(json.is_string(), json, where, "a string");
    x = json.get<std::string>();
  }
  void read(const Json& json, double& x, const std::string& where) const {
    expect(json.is_number(), json, where, "a number");
    x = json.get<double>();
  }
  template <class T>
  requires std::is_unsigned_v<T>
  void read(const Json& json, T& x, const std::string& where) const {
    expect(json.is_number_unsigned() && json.get<std::uint64_t>() <= std::numeric_limits<T>::max(), json,
           where, "a whole number from 0");
    x = json.get<T>();
  }
  template <class String>
  void read(const Json& json, OrNull<String>& x, const std::string& where) const {
    if (!json.is_null()) read(json, x.text, where);
  }
  template <class T>
  void read(const Json& json, std::optional<T>& x, const std::string& where) const {
    if (!json.is_null()) read(json, x.emplace(), where);
  }
  template <class T>
  void read(const Json& json, std::vector<T>& list, const std::string& where) const {
    expect(json.is_array(), json, where, "a list");
    for (const Json& entry : json) {
      const std::string inner = fmt::format("{}[{}]", where, list.size());
      read(entry, list.emplace_back(), inner);
    }
  }
  void read(const Json& json, HistogramBin& bin, const std::string& where) const {
    expect(json.is_array() && json.size() == 2, json, where, "[lower_ms, count]");
    read(json[0], bin.lower_ms, where);
    read(json[1], bin.count, where);
  }
  void read(const Json& json, ConfigValue& value, const std::string& where) const {
    if (json.is_string()) {
      value = json.get<std::string>();
    } else if (json.is_number_integer()) {
      value = json.get<std::int64_t>();
    } else {
      read(json, value.emplace<double>(), where);
    }
  }
  void read(const Json& json, Config& config, const std::string& where) const {
    expect(json.is_object(), json, where, "an object");
    for (const auto& [name, section] : json.items()) {
      expect(section.is_object(), section, where + "." + name, "an object");
      ConfigSection& options = config.emplace_back(name, ConfigSection{}).second;
      for (const auto& [option, value] : section.items()) {
        read(value, options.emplace_back(option, ConfigValue{}).second, where + "." + name + "." + option);
      }
    }
  }
  template <class T>
  requires std::is_class_v<T>
  void read(const Json& json, T& x, const std::string& where) const {
    Reader inner(json, source_, where);
    fields(inner, x);
  }

  const Json& object_;
  const std::string& source_;
  std::string path_;
};

}  // namespace

std::string write_run_report(const RunReport& report) {
  RunReport copy = report;
  Json json{{"schema", RunReport::schema}};
  Writer writer;
  fields(writer, copy);
  json.update(writer.take());
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

RunReport parse_run_report(std::string_view text, const std::string& source) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) throw Error("{}: not JSON (an interrupted run? delete it and run again)", source);
  std::string schema;
  Reader reader(json, source, "");
  reader("schema", schema);
  if (schema != RunReport::schema) {
    throw Error("{}: schema is \"{}\", this tool reads \"{}\"", source, schema, RunReport::schema);
  }
  RunReport report;
  fields(reader, report);
  if (!json.contains("one_host")) report.one_host = !report.clock_bound_ms;
  if (std::ranges::any_of(report.series, [](const SecondOfRun& row) { return row.seconds == 0; }))
    throw Error("{}: series: a row of 0 seconds, expected 1 or more", source);
  return report;
}

RunReport read_run_report(const std::filesystem::path& path) {
  return parse_run_report(read_text(path), path.string());
}

}  // namespace dp
