// SPDX-License-Identifier: MIT
#include "plot/shown_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/error.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

const MeasuredRun* find_run(const std::vector<MeasuredRun>& runs, const std::string& run_id) {
  const auto found = std::find_if(runs.begin(), runs.end(),
                                  [&](const MeasuredRun& run) { return run.report.run_id == run_id; });
  return found == runs.end() ? nullptr : &*found;
}

auto rank(const MeasuredRun* run) {
  const RunReport& r = run->report;
  return std::tuple(r.valid, !r.overloaded, r.rate_mode == "open", !r.oversubscribed, r.nodes);
}

const MeasuredRun& best_of(const std::vector<const MeasuredRun*>& runs) {
  return **std::max_element(runs.begin(), runs.end(),
                            [](const MeasuredRun* a, const MeasuredRun* b) { return rank(a) < rank(b); });
}

ShownRun given_run(const std::vector<MeasuredRun>& runs, const fs::path& events) {
  BatchTimes times = read_batch_times(events);
  const MeasuredRun* run = find_run(runs, times.run_id);
  if (!run)
    throw Error("{}: is of run {}, which is not among the runs (give its run.json too)", events.string(),
                times.run_id);
  if (times.batches.empty()) throw Error("{}: no batch in it succeeded", events.string());
  return {*run, std::move(times), runs.size()};
}

}  // namespace

ShownRun shown_run(const std::vector<MeasuredRun>& runs, const fs::path& events) {
  if (!events.empty()) return given_run(runs, events);
  std::vector<const MeasuredRun*> candidates;
  std::map<const MeasuredRun*, BatchTimes> times;
  for (const fs::path& path : events_beside(runs)) {
    BatchTimes read = read_batch_times(path);
    if (!read.batches.empty()) times.emplace(find_run(runs, read.run_id), std::move(read));
  }
  for (const MeasuredRun& run : runs) {
    if (times.empty() || times.contains(&run)) candidates.push_back(&run);
  }
  const MeasuredRun& best = best_of(candidates);
  if (times.empty()) return {best, std::nullopt, runs.size()};
  return {best, std::move(times.at(&best)), runs.size()};
}

std::string run_text(const RunReport& r) {
  std::string load = "as fast as possible";
  if (r.rate_mode == "open") load = fmt::format("at {:.6g} samples/s", r.rates.requested.value_or(0));
  if (r.rate_mode == "closed") load = "in closed loop";
  return fmt::format("{} on {} {}", r.strategy, nodes_text(r.nodes), load);
}

std::string run_notes(const ShownRun& shown) {
  const RunReport& r = shown.run.report;
  std::string notes = fmt::format("Run {}", fs::path(shown.run.file).filename().string());
  if (shown.of > 1) notes += fmt::format(", one of {} (give one alone to see another)", shown.of);
  notes += ".";
  if (!r.valid) notes += " It is INVALID:";
  std::string failed;
  for (const Verdict& verdict : r.verdicts) {
    if (!verdict.ok) failed += fmt::format("{} {}", failed.empty() ? "" : ",", verdict.criterion);
  }
  if (!r.valid) notes += failed + ".";
  if (r.oversubscribed) notes += " Oversubscribed: more threads than cores.";
  return notes;
}

}  // namespace dp
