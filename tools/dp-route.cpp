// dp-route: spreads batches over workers by a strategy.
// SPDX-License-Identifier: MIT
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.hpp"
#include "base/output_file.hpp"
#include "base/standard_streams.hpp"
#include "route/dispatcher_trace.hpp"
#include "route/router.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/link_options.hpp"
#include "runtime/process_usage.hpp"

namespace {

using namespace dp;

constexpr const char* example =
    "  dp-collect & dp-route --strategy uniform --workers 2 --decisions decisions.ndjson &\n"
    "  for w in 1 2; do dp-infer --backend synthetic --service exp:5ms --seed $w & done\n"
    "  dp-stream --data synthetic:3x32x32 --rate 1000 --samples 2000 && wait";

Options declare() {
  std::vector<std::string_view> names;
  for (const StrategyKind& kind : strategy_kinds()) names.push_back(kind.name);
  Options options("dp-route", "spread batches over dp-infer workers by a strategy", example);
  options.section("Routing")
      .value("strategy", fmt::format("{}", fmt::join(names, "|")),
             "which worker gets a batch; some take parameters, as in jsq:d=3: see --list-strategies", "dynamic")
      .flag("list-strategies", "print what strategies there are, a line each, and do nothing else: name, rule, source, "
                               "traits, cost of a decision, parameters, separated by tabs; of the one given as --strategy only")
      .value("workers", "W", "start when W workers are connected and warm", "1")
      .value("seed", "N", "for ties", "1")
      .value("decisions", "FILE",
             "log every decision, one JSON object a line; '-' is stdout. Where lines cannot be written, or more than "
             "64 MiB of them wait for a reader, the log stops, routing goes on, and the status is 1");
  options.value("dispatcher-trace", "FILE",
                "record every call of the dispatcher and every answer, for dp-replay; a file or pipe that cannot be written is "
                "treated as that of --decisions is");
  options.section("Failures")
      .value("lease", "TIME", "a worker that does not renew its batch for this long loses it", "10s")
      .value("lease-cap", "TIME", "and after this long in any case", "10min")
      .value("attempts", "K", "give a batch up after K failed attempts", "4")
      .value("buffer", "N", "batches kept until they are settled; 0: 256 inline, 65536 by reference", "0");
  options.section("Peers")
      .value("stream-bind", "ENDPOINT", "where dp-stream connects (port 0: any)", "tcp://127.0.0.1:5601")
      .value("worker-bind", "ENDPOINT", "where dp-infer connects (port 0: any)", "tcp://127.0.0.1:5602")
      .value("collect", "ENDPOINT", "where dp-collect listens", "tcp://127.0.0.1:5603");
  add_link_options(options, Role::route);
  return options;
}

/// A log that is written while batches are routed. What cannot be written is told of once: what is computed is worth more
/// than what is said of it.
class Log {
 public:
  /// Throws Error that names the flag.
  Log(const Options& options, const std::string& flag) try : flag_("--" + flag), path_(options.text(flag)), file_(path_) {
    if (file_.regular()) file_.cut(0);
  } catch (const Error& problem) {
    throw Error("--{} {}", flag, problem.what());
  }
  void append(std::string text) { file_.append(std::move(text)); }
  void check() {
    if (file_.unread() && !std::exchange(told_unread_, true))
      log_warn("{} {}: nobody reads it: what it is told waits, up to 64 MiB", flag_, path_);
    const std::string problem = file_.problem();
    if (!problem.empty() && !std::exchange(told_, true))
      log_warn("{} {}: what follows is not written there; routing goes on", flag_, problem);
  }
  void flush() { file_.drain(); }
  /// Throws Error if not everything was written.
  void close() {
    flush();
    if (const std::string problem = file_.problem(); !problem.empty())
      throw Error("{} {}: the log is not whole", flag_, problem);
  }

 private:
  std::string flag_, path_;
  OutputFile file_;
  bool told_unread_ = false, told_ = false;
};

/// NDJSON.
std::string line_of(const Decision& d) {
  nlohmann::ordered_json line = {{"t_ns", d.at.time_since_epoch().count()},
                                 {"batch", raw(d.batch)},
                                 {"shard", d.shard},
                                 {"attempt", d.attempt},
                                 {"what", d.what}};
  line["slot"] = d.slot ? nlohmann::ordered_json(*d.slot) : nullptr;
  line["worker"] = d.worker.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(d.worker);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// The dispatcher's trace, for dp-replay.
class Trace final : public DispatcherTrace {
 public:
  explicit Trace(const Options& options) : log_(options, "dispatcher-trace") {}
  void begins(const std::string& strategy, const StrategySetup& setup) override {
    writer_.emplace(strategy, setup, [this](std::string block) { log_.append(std::move(block)); });
  }
  void called(const DispatcherCall& call) override { writer_->add(call); }
  void check() {
    if (writer_) writer_->flush();
    log_.check();
  }
  void flush() {
    check();
    log_.flush();
  }
  void close() {
    check();
    log_.close();
  }

 private:
  Log log_;
  std::optional<TraceWriter> writer_;
};

std::string traits_text(const StrategyTraits& traits) {
  std::vector<std::string> words{traits.elastic ? "extra workers are capacity" : "extra workers are spares"};
  if (traits.needs_shards) words.emplace_back("needs shards");
  if (traits.needs_feedback) words.emplace_back("learns from service times");
  if (traits.others_move == 0) words.emplace_back("only a lost worker's keys move");
  if (traits.others_move > 0) words.push_back(fmt::format("up to {:g} % of other keys move", 100 * *traits.others_move));
  return fmt::format("{}", fmt::join(words, ", "));
}

void list_strategies(const Options& options) {
  const StrategySpec given = parse_strategy(options.text("strategy"));
  for (const StrategyKind& kind : strategy_kinds()) {
    if (options.has("strategy") && &kind != given.kind) continue;
    std::vector<std::string> parameters;
    for (const auto& [key, meaning] : kind.parameters) parameters.push_back(fmt::format("{}: {}", key, meaning));
    write_stdout(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", kind.name, kind.rule, kind.source, traits_text(kind.traits),
                             kind.traits.scans ? "grows with the workers" : "constant", fmt::join(parameters, "; ")));
  }
}

RouterOptions settings_of(const Options& options) {
  RouterOptions settings;
  settings.strategy = options.text("strategy");
  parse_strategy(settings.strategy);  // refuses what it does not know
  settings.workers = static_cast<std::uint32_t>(options.count("workers", 1, 4096));
  settings.seed = options.count("seed", 0, UINT64_MAX);
  settings.lease = options.duration("lease");
  settings.lease_cap = options.duration("lease-cap");
  settings.attempts = static_cast<std::uint32_t>(options.count("attempts", 1, 1000));
  settings.buffer = options.count("buffer", 0, 10'000'000);
  settings.log_decisions = options.has("decisions");
  settings.timing = link_timing(options);
  if (settings.lease < settings.timing.missed * settings.timing.heartbeat) {
    throw UsageError("--lease '{}': give at least three heartbeats ({:g} s), since heartbeats renew it",
                     options.text("lease"), 3 * to_seconds(settings.timing.heartbeat));
  }
  settings.boot_id = boot_id();
  settings.record =
      record_of(options, {"strategy", "workers", "seed", "lease", "lease-cap", "attempts", "buffer"});
  return settings;
}

Exit run(Options& options) {
  if (options.has("list-strategies")) {
    list_strategies(options);
    return Exit::done;
  }
  RouterOptions settings = settings_of(options);
  const std::string stream_bind = endpoint_option(options, "stream-bind");
  const std::string worker_bind = endpoint_option(options, "worker-bind");
  const std::string collect = endpoint_option(options, "collect");

  EventLoop loop(set_up_process());
  Transport transport(security_option(options, Role::route));
  const std::string stream_at = transport.bind(stream_bind, {Role::stream});
  const std::string worker_at = transport.bind(worker_bind, {Role::infer}, max_control_bytes);
  transport.dial(collect_peer, collect, max_ledger_bytes);
  std::optional<Log> decisions;
  if (options.has("decisions")) decisions.emplace(options, "decisions");
  std::optional<Trace> trace;
  if (options.has("dispatcher-trace")) settings.trace = &trace.emplace(options);
  loop.on_action([&](Action& action) {
    if (const auto* decision = std::get_if<Decision>(&action); decision && decisions)
      decisions->append(line_of(*decision));
  });
  Router router(settings, random_seed());
  ProcessUsage usage;
  loop.every(usage_interval, [&](Time now, Outbox& out) { router.usage(now, usage.read(), out); });
  loop.every(std::chrono::milliseconds(200), [&](Time, Outbox&) {
    if (decisions) decisions->check();
    if (trace) trace->check();
  });
  print_ready("dp-route", fmt::format("stream={} worker={}", stream_at, worker_at));
  Exit status = Exit::failed;
  try {
    status = loop.run(router, transport);
  } catch (const Error&) {  // what was recorded of a failed run is worth as much
    if (decisions) decisions->flush();
    if (trace) trace->flush();
    throw;
  }
  log_debug("{} batches are not settled", router.buffered());
  if (decisions) decisions->close();
  if (trace) trace->close();
  return status;
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
