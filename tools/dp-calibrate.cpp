// dp-calibrate: holds runs of synthetic workers against queueing theory. What a run drew is worked out from
// the seeds in its report and the router's decision log.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/options.hpp"
#include "base/random.hpp"
#include "base/standard_streams.hpp"
#include "data/dataset.hpp"
#include "data/plan.hpp"
#include "report/calibration_cells.hpp"

namespace {

using namespace dp;
namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* example =
    "  for n in 1 2 3; do\n"
    "    dp-collect --out r$n.json & dp-route --workers 2 --decisions r$n.decisions &\n"
    "    for w in 0 1; do\n"
    "      dp-infer --name w$w --seed $((n * 100 + w)) --backend synthetic --service exp:50ms --credit 1 &\n"
    "    done\n"
    "    dp-stream --data synthetic:3x32x32 --rate 28 --arrivals poisson --batch-size 1 --samples 112 \\\n"
    "      --seed $n && wait\n"
    "  done\n"
    "  dp-calibrate --margin 20 r1.json r2.json r3.json\n"
    "Longer, more often, and a worker that stands still:\n"
    "  pipelines/calibrate.sh";

void declare(Options& options) {
  options.section("Theory")
      .value("margin", "PERCENT", "how far from theory the whole interval may reach", "2")
      .flag("json", "print JSON, with every run's figures, instead of a table")
      .positional(
          "RUN.json...",
          "run files; RUN.decisions beside each (dp-route --decisions), or RUN.stall: the seconds for which "
          "its worker stood still");
}

/// A run and where it came from.
struct Run {
  fs::path path;
  RunReport report;

  std::string option(const std::string& stage, const std::string& name) const {
    for (const auto& [section, options] : report.config) {
      for (const auto& [key, value] : options) {
        const auto* text = std::get_if<std::string>(&value);
        if (section == stage && key == name && text) return *text;
      }
    }
    throw Error("{}: config.{}.{} is missing: this run cannot be calibrated", path.string(), stage, name);
  }
  fs::path beside(const char* extension) const { return fs::path(path).replace_extension(extension); }
  double rate() const {
    return parse_number("config.stream.rate", option("stream", "rate"), lowest_rate, highest_rate);
  }

  /// Throws Error when the run was not made with this value.
  void need(const char* stage, const char* name, const char* value) const {
    if (const std::string found = option(stage, name); found != value) {
      throw Error("{}: --{} {}: the theory here is for --{} {}", path.string(), name, found, name, value);
    }
  }
  /// Mean in seconds of "exp:50ms" or "fixed:10ms", which has to begin with `kind`. A slow-down is not looked
  /// at: it is one of the things to be found.
  double service(std::string_view kind) const {
    const std::string text = option("infer", "service");
    if (!text.starts_with(kind)) {
      throw Error("{}: --service {}: the theory here is for --service {}TIME", path.string(), text, kind);
    }
    return to_seconds(parse_duration("config.infer.service", text.substr(kind.size())));
  }
};

/// When each batch is due, in seconds, from the plan's seed.
std::vector<double> arrivals_of(const Run& run) {
  run.need("stream", "arrivals", "poisson");
  PlanOptions options;
  options.layout = run.option("stream", "layout");
  options.samples = parse_count("config.stream.samples", run.option("stream", "samples"), 1, 100'000'000);
  options.batch_size = {1, 1};
  options.rate = run.rate();
  options.poisson = true;
  options.seed = parse_count("config.stream.seed", run.option("stream", "seed"), 0, UINT64_MAX);
  const Plan plan(options, open_dataset(run.option("stream", "data"))->size());
  std::vector<double> due;
  for (Plan::Cursor cursor = plan.begin(); const auto batch = cursor.next();) {
    due.push_back(to_seconds(batch->scheduled));
  }
  return due;
}

/// A field of a decision; "" when it is not there or no text.
std::string text_in(const Json& decision, const char* field) {
  const auto found = decision.find(field);
  return found != decision.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The time drawn for each batch, in seconds: worker wK draws one number a batch, in the order of dispatch,
/// from a seed K above that of w0, as run-local.sh starts them.
std::vector<double> draws_of(const Run& run, double mean, std::size_t batches) {
  const std::uint64_t seed = parse_count("config.infer.seed", run.option("infer", "seed"), 0, UINT64_MAX);
  const fs::path log = run.beside(".decisions");
  std::map<std::string, Rng> workers;
  std::vector<double> drawn(batches, -1.0);
  for (const std::string& line : split(read_text(log), '\n')) {
    const Json decision = Json::parse(line, nullptr, false);
    if (!decision.is_object() || text_in(decision, "what") != "dispatch") continue;
    const std::string worker = text_in(decision, "worker");
    const auto found = decision.find("batch");
    const bool known = found != decision.end() && found->is_number_unsigned();
    const std::uint64_t batch = known ? found->get<std::uint64_t>() : UINT64_MAX;
    if (batch >= batches || drawn[batch] >= 0 || !worker.starts_with('w')) {
      throw Error("{}: batch {} at worker '{}': each batch of the run has to go once to one of w0, w1, …",
                  log.string(), batch, worker);
    }
    const std::uint64_t k = parse_count("worker w", worker.substr(1), 0, 65'535);
    drawn[batch] = workers.try_emplace(worker, seed + k).first->second.exponential(mean);
  }
  if (const auto missing = std::ranges::count(drawn, -1.0)) {
    throw Error("{}: {} of {} batches are not in it (another run's log?)", log.string(), missing, batches);
  }
  return drawn;
}

StalledRun stall_of(const Run& run) {
  run.need("stream", "arrivals", "constant");
  const std::string text = read_text(run.beside(".stall"));
  const std::string first = text.substr(0, text.find('\n'));
  return {run.rate(), run.service("fixed:"), parse_number(run.beside(".stall").string(), first, 0, 1e6)};
}

void add(const fs::path& path, CalibrationCells& cells) {
  const Run run{path, read_run_report(path)};
  if (run.report.backend != "synthetic") {
    throw Error("{}: backend {}: the theory here is for --backend synthetic", path.string(),
                run.report.backend);
  }
  run.need("stream", "batch-size", "1");
  if (run.report.warmup.batches > 0) {
    throw Error(
        "{}: {} batches are kept apart: measure without --warmup, the draws are replayed from the start",
        path.string(), run.report.warmup.batches);
  }
  if (fs::exists(run.beside(".stall"))) return cells.add(path.string(), run.report, stall_of(run));
  const double mean = run.service("exp:");
  DrawnRun drawn{run.rate(), mean, arrivals_of(run), {}};
  drawn.services = draws_of(run, mean, drawn.arrivals.size());
  cells.add(path.string(), run.report, drawn);
}

Exit run(const Options& options) {
  if (options.arguments().empty()) throw UsageError("no RUN.json given (pipelines/calibrate.sh makes some)");
  const double margin = options.number("margin", 0.01, 99) / 100;
  CalibrationCells cells;
  for (const std::string& path : options.arguments()) add(path, cells);
  const std::vector<CalibrationRow> rows = cells.judged(margin);
  write_stdout(options.has("json") ? calibration_json(rows) : calibration_table(rows));
  const bool all =
      std::ranges::all_of(rows, [](auto& row) { return row.verdict == CalibrationRow::Verdict::ok; });
  return all ? Exit::done : Exit::invalid;
}

}  // namespace

int main(int argc, char** argv) {
  Options options("dp-calibrate", "hold runs of synthetic workers against queueing theory", example);
  declare(options);
  return run_main(std::move(options), argc, argv, run);
}
