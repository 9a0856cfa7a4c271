// dp-audit: holds repeated runs against what their intervals promise.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "base/options.hpp"
#include "base/standard_streams.hpp"
#include "report/repeatability.hpp"
#include "report/sweep.hpp"

namespace {

using namespace dp;
using Json = nlohmann::ordered_json;

constexpr const char* example =
    "  mkdir runs\n"
    "  for n in 1 2 3 4 5 6 7 8; do\n"
    "    dp-collect --out runs/$n.json & dp-route & dp-infer --backend null &\n"
    "    dp-stream --data data/fixture/test_512.bin --rate max && wait\n"
    "  done\n"
    "  dp-audit runs\n"
    "Whether other seeds agree:\n"
    "  make -f Makefile.bench audit    # dp-audit --against OTHER RUNS";

/// Oldest first: the names of run files say nothing of time.
std::vector<RunReport> runs_of(const std::vector<std::string>& arguments) {
  std::vector<MeasuredRun> runs = load_runs(arguments);
  std::ranges::stable_sort(runs, {}, [](const MeasuredRun& run) { return run.report.started_utc; });
  std::vector<RunReport> reports;
  for (MeasuredRun& run : runs) {
    const RunReport& r = run.report;
    if (!reports.empty() && (r.strategy != reports[0].strategy || r.nodes != reports[0].nodes ||
                             r.backend != reports[0].backend || r.data.digest != reports[0].data.digest)) {
      throw Error(
          "{}: {} on {} nodes ({}); the runs before it are {} on {} ({}): give repetitions of one run",
          run.file, r.strategy, r.nodes, r.backend, reports[0].strategy, reports[0].nodes,
          reports[0].backend);
    }
    if (!r.valid) log_warn("{}: INVALID; it counts all the same", run.file);
    reports.push_back(std::move(run.report));
  }
  return reports;
}

std::string number(double x) { return fmt::format("{:.{}f}", x, std::abs(x) < 100 ? 2 : 0); }

std::string share(std::size_t part, std::size_t whole) {
  return fmt::format("{:.1f} % of {}", 100.0 * static_cast<double>(part) / static_cast<double>(whole), whole);
}

void show(const std::vector<Spread>& spreads) {
  print(
      "| figure | runs | mean | sd | least to most | correlation with the run before |\n"
      "| --- | --- | --- | --- | --- | --- |\n");
  for (const Spread& s : spreads) {
    print("| {}, {} | {} | {} | {:.2f} % | {} to {} | {:.2f} (±{:.2f} if independent) |\n", s.figure,
               s.unit, s.values.size(), number(s.mean), s.mean != 0 ? 100 * s.sd / s.mean : 0,
               number(s.least), number(s.most), s.lag1, 2 / std::sqrt(static_cast<double>(s.values.size())));
  }
  print(
      "\n95 % intervals of a few of these runs, against the mean of the others:\n\n"
      "| figure | runs in the interval | its mean half-width | promised to cover | did cover, of all choices "
      "| of neighbours in time |\n"
      "| --- | --- | --- | --- | --- | --- |\n");
  for (const Spread& s : spreads) {
    for (const Coverage& c : s.coverage) {
      print("| {} | {} | ± {} ({:.1f} %) | {:.1f} % | {} | {} of {} |\n", s.figure, c.group,
                 number(c.mean_half_width), s.mean != 0 ? 100 * c.mean_half_width / s.mean : 0,
                 100 * c.promised, share(c.covering, c.intervals), c.consecutive_ok, c.consecutive);
    }
  }
}

Json json_of(const Spread& s) {
  Json coverage = Json::array();
  for (const Coverage& c : s.coverage) {
    coverage.push_back({{"group", c.group},
                        {"promised", c.promised},
                        {"intervals", c.intervals},
                        {"covering", c.covering},
                        {"consecutive", c.consecutive},
                        {"consecutive_covering", c.consecutive_ok},
                        {"mean_half_width", c.mean_half_width}});
  }
  return {{"figure", s.figure}, {"unit", s.unit},       {"mean", s.mean},
          {"sd", s.sd},         {"least", s.least},     {"most", s.most},
          {"lag1", s.lag1},     {"coverage", coverage}, {"values", s.values}};
}

Exit spread(const Options& options) {
  std::vector<Spread> spreads;
  for (RepeatedFigure& figure : figures_of(runs_of(options.arguments())))
    spreads.push_back(spread_of(figure.name, figure.unit, std::move(figure.values)));
  if (options.has("json")) {
    Json all = Json::array();
    for (const Spread& s : spreads) all.push_back(json_of(s));
    print("{}\n", all.dump(1));
  } else {
    show(spreads);
  }
  return Exit::done;
}

Exit agree(const Options& options) {
  const std::vector<RepeatedFigure> first = figures_of(runs_of(options.arguments()));
  const std::vector<RepeatedFigure> second = figures_of(runs_of(split(options.text("against"), ',')));
  const double confidence = 1 - 0.05 / static_cast<double>(std::max<std::size_t>(1, first.size()));
  std::vector<Agreement> all;
  for (const RepeatedFigure& figure : first) {
    const auto other = std::ranges::find(second, figure.name, &RepeatedFigure::name);
    if (other == second.end()) continue;
    all.push_back(agreement_of(figure.name, figure.unit, figure.values, other->values, confidence));
  }
  if (all.empty()) throw Error("the two sets of runs have no figure in common");
  Json list = Json::array();
  for (const Agreement& a : all) {
    list.push_back({{"figure", a.figure},
                    {"unit", a.unit},
                    {"first", a.first},
                    {"second", a.second},
                    {"half_width", a.half_width},
                    {"agree", a.agree}});
    if (options.has("json")) continue;
    print("{:<4} {}: {} and {} {}, difference {} ± {}\n", a.agree ? "ok" : "OFF", a.figure,
               number(a.first), number(a.second), a.unit, number(a.first - a.second), number(a.half_width));
  }
  if (options.has("json")) print("{}\n", list.dump(1));
  return std::ranges::all_of(all, &Agreement::agree) ? Exit::done : Exit::invalid;
}

Options declare() {
  Options options("dp-audit", "hold repeated runs against what their intervals promise", example);
  options.section("Audit")
      .value("against", "RUN.json,...",
             "other runs, or folders of them: does Welch's interval of each difference contain 0, at 95 % "
             "for all "
             "figures together? (status 3 if not)")
      .flag("json", "print JSON instead of a table")
      .positional("RUN.json...",
                  "repetitions of one run: files, @FILE holding "
                  "their paths, or folders that are searched for them");
  return options;
}

Exit run(const Options& options) {
  if (options.arguments().empty()) throw UsageError("no RUN.json given (write some with dp-collect --out)");
  return options.has("against") ? agree(options) : spread(options);
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
