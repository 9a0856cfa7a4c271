// dp-collect: the ledger of a run; writes run.json.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <memory>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/shared_files.hpp"
#include "base/standard_streams.hpp"
#include "base/version.hpp"
#include "collect/batch_outputs.hpp"
#include "collect/collector.hpp"
#include "collect/kept_journal.hpp"
#include "collect/progress_line.hpp"
#include "collect/slo.hpp"
#include "data/predictions_file.hpp"
#include "live/live_outputs.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/host_facts.hpp"
#include "runtime/host_usage.hpp"
#include "runtime/link_options.hpp"
#include "runtime/process_usage.hpp"

namespace {

using namespace dp;

constexpr const char* example =
    "  dp-route & dp-infer --backend synthetic --service fixed:5ms &\n"
    "  dp-stream --data synthetic:3x32x32 --rate 1000 --samples 2000 &\n"
    "  dp-collect | jq '{valid, samples, rates, latency_ms}'";

Options declare() {
  Options options("dp-collect", "keep the ledger of a run and write what it measured as JSON", example);
  options.section("Report")
      .value("out", "FILE", "write the report there, atomically, instead of on stdout")
      .value("expected", "FILE",
             "predictions shipped with the weights, as --predictions writes them or one byte per sample id (255: "
             "none): report the agreement")
      .value("predictions", "FILE",
             "write the class of each sample id there, for --expected or numpy.load: uint16 in .npy format "
             "(65535: none)")
      .list("slo", "FIGURE=LIMIT[,…]",
            "status 3 if missed: sample latency p50, p90, p95, p99, p99.9, mean or max within a time "
            "(p99=50ms), or throughput of at least so many samples/s; a percentile needs enough batches "
            "(p99: 662)")
      .value("warmup", "TIME",
             "keep what is due in the first TIME of the run (with --rate max: comes back in it) out of "
             "latencies, rates and balance; it is accounted for, and told of apart",
             "0s")
      .value("events", "FILE",
             "write a JSON line there for each batch as it is settled, with its times in ms since the start; "
             "'-' is stdout, and then the report needs --out")
      .value("trace", "FILE",
             "write the life of each batch there as Chrome trace events, about 1.3 kB each: open it with "
             "ui.perfetto.dev")
      .value("run-id", "HEX", "up to 16 hexadecimal digits (default: drawn)");
  options.section("Journal")
      .value("journal", "FILE",
             "keep the ledger there: after a crash, start dp-collect again with the same FILE and the run goes on; "
             "'none' for pure speed (default: the --out FILE with .journal added, removed once the report is there "
             "or the run is interrupted; none without --out, or if that is a device or a pipe)")
      .flag("anew",
            "begin a new run, and forget what the journal holds of another once the new one begins; a file that is no "
            "journal is refused all the same, and a report that was never written is brought back first");
  options.section("Peers").value("bind", "ENDPOINT", "where all other tools connect (port 0: any)",
                                 "tcp://127.0.0.1:5603");
  options.section("Watching")
      .value(
          "live", "auto|none|ENDPOINT",
          "publish the state of the run twice a second: auto for where your dp-top on this host finds it, or "
          "an endpoint such as tcp://127.0.0.1:5604 (port 0: any); beyond this host it takes keys, and who "
          "looks on owns one of the role top (default: none)")
      .value("metrics", "HOST:PORT",
             "answer Prometheus at http://HOST:PORT/metrics (usual: 127.0.0.1:9464; port 0: any)");
  add_link_options(options, Role::collect);
  return options;
}

RunId run_id_of(const Options& options) {
  if (!options.has("run-id")) return RunId{random_seed() | 1};
  const std::string text = options.text("run-id");
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (error != std::errc{} || end != text.data() + text.size() || id == 0) {
    throw UsageError("--run-id '{}': give 1 to 16 hexadecimal digits, not all zero", text);
  }
  return RunId{id};
}

std::vector<Label> expected_of(const Options& options) {
  if (!options.has("expected")) return {};
  const MappedFile file(find_shared(options.text("expected")));
  try {
    std::vector<Label> classes = parse_predictions(file.bytes());
    if (classes.empty()) throw Error("holds no predictions");
    return classes;
  } catch (const Error& problem) {
    throw Error("--expected {}: {}", options.text("expected"), problem.what());
  }
}

/// Where the links lead, be it there or not; whoever writes to a path that cannot be says so.
std::filesystem::path place_of(const std::string& path) {
  std::error_code unknown;
  std::filesystem::path place = path;
  try {
    place = output_place(path).path;
  } catch (const Error&) {
  }
  const auto real = std::filesystem::weakly_canonical(std::filesystem::absolute(place), unknown);
  return unknown ? place : real;
}

/// Two of them in one file would leave neither; a device is not filled.
void require_apart(const Options& options, const std::vector<std::string>& names) {
  std::map<std::filesystem::path, std::string> taken;
  for (const std::string& name : names) {
    const std::string path = options.text(name);
    if (path.empty() || path == "-" || path == "none" || std::filesystem::is_character_file(path)) continue;
    const auto [other, fresh] = taken.try_emplace(place_of(path), name);
    if (!fresh)
      throw UsageError("--{} '{}': that is where --{} goes: give each its own", name, path, other->second);
  }
}

/// What is written at the end only would fail when all is done.
void require_outputs_writable(const Options& options, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!options.has(name)) continue;
    try {
      require_writable(options.text(name));
    } catch (const Error& problem) {
      throw Error("--{} {}", name, problem.what());
    }
  }
}

std::unique_ptr<BatchOutputs> outputs_of(const Options& options) {
  const std::string events = options.text("events"), trace = options.text("trace");
  if (events == "-" && !options.has("out"))
    throw UsageError("--events -: stdout is for the report: give --out FILE for that");
  if (trace == "-") throw UsageError("--trace -: a trace is whole at the end only: give a file");
  if (events.empty() && trace.empty()) return nullptr;
  return std::make_unique<BatchOutputs>(events, trace);
}

/// The ledger matters more than who looks on.
void note_all(const std::vector<std::string>& problems, Collector& collector) {
  for (const std::string& problem : problems) {
    log_warn("{}", problem);
    collector.note(now(), problem);
  }
}

LiveOptions live_options(const Options& options) {
  LiveOptions wanted;
  if (const std::string live = options.text("live"); !live.empty() && live != "none")
    wanted.live = live == local_run ? live : endpoint_option(options, "live");
  if (options.has("metrics"))
    wanted.metrics = checked_metrics_address(options.text("metrics"), options.has("insecure"));
  return wanted;
}

JournalPlace journal_place(const Options& options) {
  if (options.has("journal")) {
    const std::string path = options.text("journal");
    if (path.empty()) throw UsageError("--journal '': give a file, or none");
    return {path == "none" ? "" : path, false, options.has("anew")};
  }
  const std::string out = options.text("out");
  if (out.empty() || output_place(out).in_place) return {};
  return {out + ".journal", true, options.has("anew")};
}

HostFacts host_facts(const HostDescription& host, const HostUsage& usage) {
  HostFacts facts{host.cpu,          host.isa,
                  host.cores,        host.usable.count(),
                  host.memory_mb,    host.kernel,
                  host.governor,     host.load,
                  {usage.steal_percent_before(), usage.steal_percent_during()},
                  {},                {}};
  if (const auto busy = usage.busy_percent()) facts.cpu_busy_percent = {*busy, usage.busy_percent_max()};
  if (const auto used = usage.memory_used_mb()) facts.memory_used_mb = {*used, usage.memory_used_mb_peak()};
  return facts;
}

RunReport complete(RunReport report, const Options& options, const std::string& journal, RunId run,
                   HostFacts host, std::string started) {
  report.run_id = fmt::format("{:016x}", raw(run));
  report.started_utc = std::move(started);
  report.host = std::move(host);
  report.versions.toolkit = version;
  report.versions.git = git_revision;
  report.versions.dirty = git_dirty;
  report.versions.compiler = compiler;
  report.versions.zmq = zmq_version();
  const auto record = record_of(options, {"expected", "bind", "warmup", "events", "trace"});
  ConfigSection section;
  for (std::size_t i = 0; i + 1 < record.size(); i += 2) section.emplace_back(record[i], record[i + 1]);
  section.emplace_back("journal", journal);
  section.emplace_back("slo", fmt::format("{}", fmt::join(options.texts("slo"), ",")));
  report.config.emplace_back("collect", std::move(section));
  return report;
}

void warn_of(std::string_view failing, const std::vector<Verdict>& verdicts) {
  for (const Verdict& v : verdicts) {
    if (!v.ok)
      log_warn("{}: {}: {} (required: {}); {}", failing, v.criterion, v.observed, v.required, v.remedy);
  }
}

Exit run(Options& options) {
  CollectorOptions settings;
  settings.timing = link_timing(options);
  settings.boot_id = boot_id();
  settings.run = run_id_of(options);
  settings.expected = expected_of(options);
  settings.keep_predictions = options.has("predictions");
  const std::vector<Objective> objectives = parse_objectives(options.texts("slo"));
  settings.warmup = options.duration("warmup");
  const std::string bind = endpoint_option(options, "bind");
  const LiveOptions wanted = live_options(options);
  settings.watched = !wanted.live.empty() || !wanted.metrics.empty();
  const HostDescription host = describe_host();
  const std::string started = utc_now();

  require_apart(options, {"out", "journal", "predictions", "events", "trace"});
  require_outputs_writable(options, {"out", "predictions", "trace"});
  EventLoop loop(set_up_process());
  const std::unique_ptr<BatchOutputs> outputs = outputs_of(options);  // with threads of its own

  const std::optional<Security> security = security_option(options, Role::collect);
  Transport transport(security);
  KeptJournal journal(journal_place(options), options.text("out"));
  settings.journal = journal.used();
  settings.will_be_back = journal.named();
  settings.begun = now();
  settings.wall_ns = std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  Collector collector(settings, random_seed());
  if (outputs) collector.observe(*outputs);
  journal.open(collector);
  loop.on_action([&](Action& action) { journal.take(action); });
  if (journal.used())
    loop.watch(journal.descriptor(), [&](Time now, Outbox& out) { journal.woken(now, collector, out); });
  if (outputs) {
    outputs->replayed();
    loop.every(std::chrono::milliseconds(200), [&](Time, Outbox&) { note_all(outputs->pump(), collector); });
  }
  if (options.has("run-id") && collector.run() != settings.run) {
    throw Error("--run-id {}: the journal {} is of run {:016x}", options.text("run-id"), journal.name(),
                raw(collector.run()));
  }
  const std::string at = transport.bind(bind, {Role::stream, Role::route, Role::infer}, max_ledger_bytes);
  LiveOutputs live(wanted, security);
  ProcessUsage usage;
  HostMeter meter;
  HostUsage host_usage;
  loop.every(usage_interval, [&](Time now, Outbox& out) {
    collector.usage(now, usage.read(), out);
    host_usage.add(meter.read(), collector.started());
    if (live.any()) live.publish(collector.session(), collector.snapshot(now));
  });
  {
    ProgressLine line(options.has("quiet"));
    loop.every(std::chrono::milliseconds(250), [&](Time now, Outbox&) {
      if (const auto progress = collector.progress(now)) line.show(*progress);
    });
    print_ready("dp-collect", fmt::format("bind={} run={:016x}{}", at, raw(collector.run()), live.ready()));
    Exit status = Exit::failed;
    try {
      status = loop.run(collector, transport);
      host_usage.add(meter.read(), collector.started());
      journal.sync(collector);
      if (live.any()) live.publish(collector.session(), collector.snapshot(now()));
    } catch (const Error&) {
      if (live.any()) live.publish(collector.session(), collector.snapshot(now()));
      if (!collector.started()) journal.remove_if_temporary();
      throw;
    }
    if (outputs) note_all(outputs->close(), collector);
    if (status == Exit::interrupted) journal.remove_if_temporary();
    if (status != Exit::done) return status;
  }
  RunReport report = complete(collector.report(), options, journal.name(), collector.run(),
                              host_facts(host, host_usage), started);
  report.slo = judge(objectives, report);
  const std::string text = write_run_report(report);
  if (options.has("out")) {
    write_atomically(options.text("out"), text);
  } else {
    write_stdout(text);
    check_stdout();
  }
  if (options.has("predictions"))
    write_atomically(options.text("predictions"), predictions_file(collector.predictions()));
  if (collector.ended()) journal.reported();
  if (journal.recovers())
    throw Error("{}: brought back the report of the run before; start again for a new one",
                options.has("out") ? options.text("out") : "stdout");
  warn_of("INVALID", report.verdicts);
  warn_of("missed", report.slo);
  return report.valid && std::ranges::all_of(report.slo, &Verdict::ok) ? Exit::done : Exit::invalid;
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
