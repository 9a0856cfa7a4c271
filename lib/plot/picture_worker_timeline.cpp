// worker_timeline: each batch at each worker in a short part of one run: waiting, being computed, returning.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/words.hpp"
#include "plot/worker_lanes.hpp"
#include "stats/summary.hpp"

namespace dp {
namespace {

constexpr std::size_t width = 620, most_workers = 16, most_rows = 24;

struct Stage {
  const char* name;
  double BatchTime::*from;
  double BatchTime::*until;
};
constexpr std::array<Stage, 3> stages{{{"queue", &BatchTime::routed_ms, &BatchTime::started_ms},
                                       {"compute", &BatchTime::started_ms, &BatchTime::done_ms},
                                       {"return", &BatchTime::done_ms, &BatchTime::collected_ms}}};

double within(const BatchTime& batch, const Stage& stage, const TimeWindow& window) {
  return std::max(
      0.0, std::min(batch.*stage.until, window.until_ms) - std::max(batch.*stage.from, window.from_ms));
}

PlotJson row_of(const LaneBatch& at, const Stage& stage, const TimeWindow& window) {
  const BatchTime& batch = at.batch;
  return {{"worker", batch.worker},
          {"lane", at.lane},
          {"stage", stage.name},
          {"from", std::max(batch.*stage.from, window.from_ms) / 1e3},
          {"until", std::min(batch.*stage.until, window.until_ms) / 1e3},
          {"batch", fmt::format("{} ({} samples)", batch.id, batch.samples)},
          {"says", number_text(batch.*stage.until - batch.*stage.from) + " ms"}};
}

PlotJson rows_of(const std::vector<LaneBatch>& lanes, const std::vector<std::string>& workers,
                 const TimeWindow& window) {
  PlotJson rows = PlotJson::array();
  for (const LaneBatch& at : lanes) {
    if (at.lane >= most_rows || std::find(workers.begin(), workers.end(), at.batch.worker) == workers.end())
      continue;
    for (const Stage& stage : stages) {
      if (within(at.batch, stage, window) > 0) rows.push_back(row_of(at, stage, window));
    }
  }
  return rows;
}

/// "62–66 %": of the window, from the least to the busiest worker.
std::string busy_text(const std::vector<LaneBatch>& lanes, const std::vector<std::string>& workers,
                      const TimeWindow& window) {
  std::vector<double> shares;
  for (const std::string& worker : workers) {
    double busy = 0;
    for (const LaneBatch& at : lanes) {
      if (at.batch.worker == worker) busy += within(at.batch, stages[1], window);
    }
    shares.push_back(100 * busy / (window.until_ms - window.from_ms));
  }
  return range_text(shares, "{:.0f}", " %");
}

std::string median_text(const std::vector<LaneBatch>& lanes, const Stage& stage) {
  std::vector<double> ms;
  for (const LaneBatch& at : lanes) ms.push_back(at.batch.*stage.until - at.batch.*stage.from);
  return number_text(median_of(ms)) + " ms";
}

std::string finding(const RunReport& report, const std::vector<LaneBatch>& lanes,
                    const std::vector<std::string>& workers, const TimeWindow& window) {
  return fmt::format("{}: workers compute {} of the time; a batch waits {}, computes {}, returns in {}",
                     run_text(report), busy_text(lanes, workers, window), median_text(lanes, stages[0]),
                     median_text(lanes, stages[1]), median_text(lanes, stages[2]));
}

/// The most batches that were at one worker at once.
std::size_t at_once(const std::vector<LaneBatch>& lanes) {
  std::size_t most = 0;
  for (const LaneBatch& at : lanes) most = std::max(most, at.lane + 1);
  return most;
}

std::string explanation(const ShownRun& shown, const TimeWindow& window, std::size_t workers,
                        std::size_t rows) {
  std::string text = run_notes(shown);
  if (shown.run.report.overloaded) text += " It is overloaded.";
  text += fmt::format(
      " {:.3f} to {:.3f} s of {:.1f} s. Queue: from the router to the start of computing; return: until it "
      "is "
      "recorded. A worker has as many rows as batches at once; medians are of the batches shown.",
      window.from_ms / 1e3, window.until_ms / 1e3, shown.run.report.duration_s);
  if (workers > most_workers) text += fmt::format(" The first {} of {} workers.", most_workers, workers);
  if (rows > most_rows) text += fmt::format(" The first {} of up to {} rows.", most_rows, rows);
  return text;
}

std::size_t height_of(std::size_t workers, std::size_t rows) {
  const std::size_t row = std::clamp<std::size_t>(420 / (workers * rows), 6, 22);
  return workers * (rows * row + 8);
}

}  // namespace

std::vector<Picture> worker_timeline_picture(const PlotData& data, const Templates& templates) {
  if (!data.shown || !data.shown->times) return {};
  const BatchTimes& times = *data.shown->times;
  const auto all = workers_of(data.shown->run.report);
  const TimeWindow window = middle_of(times, all.size());
  const auto lanes = lanes_of(times, window);
  const std::vector<std::string> workers(all.begin(), all.begin() + std::min(all.size(), most_workers));
  PlotJson rows = rows_of(lanes, workers, window);
  if (rows.empty()) return {};
  PlotValues values = title_values(finding(data.shown->run.report, lanes, workers, window),
                                   explanation(*data.shown, window, all.size(), at_once(lanes)), width);
  PlotJson names = PlotJson::array(), lane_numbers = names;
  for (const Stage& stage : stages) names.push_back(stage.name);
  for (std::size_t lane = 0; lane < std::min(at_once(lanes), most_rows); ++lane) lane_numbers.push_back(lane);
  values.merge(PlotValues{{"$rows", std::move(rows)},
                          {"$workers", workers},
                          {"$lanes", lane_numbers},
                          {"$stages", names},
                          {"$stage_fills", templates.stage_fills({"queue", "compute", "return"})},
                          {"$from", window.from_ms / 1e3},
                          {"$until", window.until_ms / 1e3},
                          {"$total_width", width},
                          {"$height", height_of(workers.size(), lane_numbers.size())}});
  return {templates.fill("worker_timeline", "worker_timeline", values)};
}

}  // namespace dp
