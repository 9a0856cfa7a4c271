// Finding, reading and grouping the runs of a sweep.
// SPDX-License-Identifier: MIT
#include "report/sweep.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/options.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

/// Every *.json below `folder` that is a run report, in a stable order; the tables written there are not.
void add_folder(const fs::path& folder, std::vector<fs::path>& files) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
    if (read_text(entry.path()).substr(0, 200).find(RunReport::schema) != std::string::npos)
      found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
}

void add_argument(const std::string& argument, std::vector<fs::path>& files) {
  if (argument.starts_with('@')) {
    for (const std::string& line : split(read_text(argument.substr(1)), '\n')) {
      if (!line.empty()) add_argument(line, files);
    }
  } else if (fs::is_directory(argument)) {
    add_folder(argument, files);
  } else {
    files.emplace_back(argument);
  }
}

/// What a run had in force; "" where its report does not tell.
std::string option_of(const RunReport& report, std::string_view of_stage, std::string_view option) {
  for (const auto& [stage, options] : report.config) {
    if (stage != of_stage) continue;
    for (const auto& [name, value] : options) {
      if (name != option) continue;
      return std::visit(
          [](const auto& text) {
            if constexpr (std::is_same_v<std::decay_t<decltype(text)>, std::string>) return text;
            else return fmt::format("{}", text);
          },
          value);
    }
  }
  return "";
}

struct Constant {
  std::string name, value;
};

/// The layout for as many ranks as there are workers is one layout.
std::string layout_of(const RunReport& r) {
  std::string layout = option_of(r, "stream", "layout");
  const std::string ranks = fmt::format("distributed:{}", r.nodes);
  if (layout == ranks || layout.starts_with(ranks + ",")) layout.replace(0, ranks.size(), "distributed:W");
  return layout;
}

/// What every run of one table must share.
std::vector<Constant> constants_of(const RunReport& r, RatesMay rates) {
  std::vector<Constant> constants{{"backend", r.backend},
                                  {"payload", r.payload},
                                  {"data", r.data.digest.empty() ? r.data.name : r.data.digest},
                                  {"weights", r.weights.digest.empty() ? r.weights.name : r.weights.digest}};
  constants.push_back({"layout", layout_of(r)});
  constants.push_back({"batch-size", option_of(r, "stream", "batch-size")});
  for (const char* option : {"threads", "credit", "service", "per-sample"})
    constants.push_back({option, option_of(r, "infer", option)});
  if (r.rate_mode != "open") return constants;
  // Nothing arrives, and nothing waits to be filled, as fast as possible.
  for (const char* option : {"arrivals", "batch-timeout"})
    constants.push_back({option, option_of(r, "stream", option)});
  if (rates == RatesMay::not_differ)
    constants.push_back({"rate", fmt::format("{:.6g}/s", r.rates.requested.value_or(0))});
  return constants;
}

void check_distinct(const std::vector<MeasuredRun>& runs) {
  std::map<std::string, const MeasuredRun*> first;
  for (const MeasuredRun& run : runs) {
    const auto [found, fresh] = first.try_emplace(run.report.run_id, &run);
    if (!fresh) {
      throw Error("{} and {} are the same run ({}): give one of them", found->second->file, run.file,
                  run.report.run_id);
    }
  }
}

/// Iterations of two builds are averaged like those of one, which somebody may want and nobody should overlook.
void warn_of_several_builds(const std::vector<MeasuredRun>& runs) {
  std::set<std::string> builds;
  for (const MeasuredRun& run : runs) {
    const BuildFacts& v = run.report.versions;
    builds.insert(fmt::format("{}{} ({}, LibTorch {}, oneDNN {}, {})", v.git, v.dirty ? " with changes" : "",
                              v.compiler, v.libtorch, v.onednn, v.blas));
  }
  if (builds.size() > 1) log_warn("these are runs of {} builds: {}", builds.size(), fmt::join(builds, ", "));
}

Repetitions repetitions_of(std::vector<const MeasuredRun*> runs) {
  std::sort(runs.begin(), runs.end(), [](const MeasuredRun* a, const MeasuredRun* b) {
    return std::tie(a->report.started_utc, a->report.run_id) <
           std::tie(b->report.started_utc, b->report.run_id);
  });
  Repetitions repetitions;
  std::map<std::string, std::size_t> seen;
  for (const MeasuredRun* run : runs) {
    const std::string seed = option_of(run->report, "stream", "seed");
    repetitions.emplace(Iteration{seed, seen[seed]++}, run);
  }
  return repetitions;
}

}  // namespace

void check_comparable(const std::vector<MeasuredRun>& runs, RatesMay rates) {
  std::map<std::string, std::pair<std::string, const MeasuredRun*>> first;
  for (const MeasuredRun& run : runs) {
    for (const Constant& c : constants_of(run.report, rates)) {
      const auto& [value, other] = first.try_emplace(c.name, c.value, &run).first->second;
      if (value == c.value) continue;
      throw Error("runs that are not comparable: {} is {} in {} and {} in {} (summarise them separately)",
                  c.name, value, other->file, c.value, run.file);
    }
  }
}

std::vector<MeasuredRun> load_runs(const std::vector<std::string>& arguments) {
  std::vector<fs::path> files;
  for (const std::string& argument : arguments) add_argument(argument, files);
  std::vector<MeasuredRun> runs;
  std::set<fs::path> seen;
  for (const fs::path& file : files) {
    if (!seen.insert(fs::weakly_canonical(file)).second) continue;
    MeasuredRun& run = runs.emplace_back(MeasuredRun{file.string(), read_run_report(file)});
    run.report.service_ms = {};
  }
  if (runs.empty())
    throw Error("no run.json among {} (write one with dp-collect --out)", fmt::join(arguments, " "));
  check_distinct(runs);
  warn_of_several_builds(runs);
  return runs;
}

Sweep group_runs(std::vector<MeasuredRun> runs) {
  const auto closed = [](const MeasuredRun& run) {
    return run.report.rate_mode != "open" && run.report.rate_mode != "max";
  };
  if (const auto n = std::erase_if(runs, closed); n > 0) log_warn("left out {} closed-loop runs", n);
  if (runs.empty()) throw Error("only closed-loop runs: nothing to compare at a rate or at max");
  check_comparable(runs, RatesMay::not_differ);
  Sweep sweep;
  sweep.runs = std::move(runs);
  using Key = std::tuple<std::size_t, std::string, std::uint32_t>;
  std::map<Key, std::array<std::vector<const MeasuredRun*>, 2>> groups;
  for (const MeasuredRun& run : sweep.runs) {
    const RunReport& r = run.report;
    groups[{strategy_order(r.strategy), r.strategy, r.nodes}][r.rate_mode == "max"].push_back(&run);
  }
  for (const auto& [key, group] : groups) {
    sweep.cells.push_back(
        {std::get<1>(key), std::get<2>(key), repetitions_of(group[0]), repetitions_of(group[1])});
  }
  return sweep;
}

std::vector<const MeasuredRun*> counted(const Repetitions& repetitions) {
  std::vector<const MeasuredRun*> all, valid;
  for (const auto& [iteration, run] : repetitions) {
    all.push_back(run);
    if (run->report.valid) valid.push_back(run);
  }
  return valid.empty() ? all : valid;
}

std::size_t strategy_order(const std::string& strategy) {
  static constexpr std::array<std::string_view, 3> first{"uniform", "dynamic", "sharded"};
  return static_cast<std::size_t>(std::find(first.begin(), first.end(), strategy) - first.begin());
}

}  // namespace dp
