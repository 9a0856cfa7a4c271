// Which batches are at which worker when, and the picture of it.
// SPDX-License-Identifier: MIT
#include "plot/worker_lanes.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "../report/make_run.hpp"
#include "make_batches.hpp"
#include "plot/pictures.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using nlohmann::json;
using testing::ElementsAre;

MeasuredRun run_of_two() {
  MeasuredRun run = make_run({.nodes = 2, .rate_mode = "open"});
  run.report.workers.resize(2);
  run.report.workers[0].name = "w10";
  run.report.workers[1].name = "w2";
  return run;
}

TEST(WorkerLanes, AreInTheOrderOfTheWorkersNumbers) {
  EXPECT_THAT(workers_of(run_of_two().report), ElementsAre("w2", "w10"));
}

TEST(WorkerLanes, WindowHoldsTenBatchesOfAWorkerAroundTheMiddle) {
  const TimeWindow window = middle_of(make_batches(), 2);  // 7950 ms of 80 batches and 2 workers
  EXPECT_DOUBLE_EQ(window.until_ms - window.from_ms, 7950 * 10 * 2 / 80.0);
  EXPECT_DOUBLE_EQ((window.from_ms + window.until_ms) / 2, 4010);
}

TEST(WorkerLanes, OfAShortRunShowTheWhole) {
  BatchTimes times = make_batches();
  times.batches.resize(6);
  const TimeWindow window = middle_of(times, 2);
  EXPECT_EQ(window.from_ms, 0);
  EXPECT_EQ(window.until_ms, 550);
}

TEST(WorkerLanes, AreSharedByBatchesThatDoNotMeet) {
  BatchTimes times = make_batches();
  times.batches.resize(6);
  for (BatchTime& batch : times.batches) batch.worker = "w0";
  times.batches[1].collected_ms = 260;  // still there when the next one comes
  std::vector<std::size_t> lanes;
  for (const LaneBatch& at : lanes_of(times, {60, 450})) lanes.push_back(at.lane);
  EXPECT_THAT(lanes, ElementsAre(0, 1, 0, 0)) << "of those routed at 100, 200, 300 and 400 ms";
}

TEST(WorkerTimeline, CutsBarsAtItsWindowAndStatesMedians) {
  PlotData data;
  data.shown = ShownRun{run_of_two(), make_batches(), 1};
  const auto pictures =
      make_pictures(data, std::filesystem::path(DP_SOURCE_DIR) / "lib/plot/templates", {"worker_timeline"});
  const json spec = json::parse(pictures.at(0).spec);
  std::string title;
  for (const json& line : spec.at("title").at("text")) title.append(line.get<std::string>()).append(" ");
  // Of the 1987.5 ms from 3016.25 on w2 computes ten times 30 ms, w10 nine times and 23.75 ms: 15.1 and 14.8 %.
  EXPECT_EQ(title,
            "uniform on 2 nodes at 1000 samples/s: workers compute 15 % of the time; a batch waits 10.0 ms, "
            "computes "
            "30.0 ms, returns in 10.0 ms ");
  for (const json& row : spec.at("data").at("values")) {
    EXPECT_GE(row.at("from"), 3.01625 - 1e-9);
    EXPECT_LE(row.at("until"), 5.00375 + 1e-9);
  }
}

}  // namespace
}  // namespace dp
