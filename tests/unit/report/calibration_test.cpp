// Verdicts on made-up runs, and what a run's figures become, worked out by hand.
// SPDX-License-Identifier: MIT
#include "report/calibration.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "report/calibration_cells.hpp"

namespace dp {
namespace {

using Verdict = CalibrationRow::Verdict;
using testing::HasSubstr;

/// Runs of 100 ms in theory, each of which drew and measured so much.
CalibrationCell cell_with(const std::vector<std::pair<double, double>>& drawn_and_measured) {
  CalibrationCell cell{"M/M/c", "dynamic", 4, 1, "mean", {}, 50, {}};
  for (const auto& [drawn, measured] : drawn_and_measured)
    cell.runs.push_back({100, drawn, measured, 0.4, ""});
  return cell;
}

// Deviations from the draws 0, 1 and 2 ms of 100: mean ratio 1.01, standard deviation 0.01, and t(0.975; 2) =
// 4.303, so ± 0.02484. Raw ratios 0.9, 1.0, 1.1: t(0.9995; 2) = 31.599, so ± 1.8244.
TEST(Calibration, TheIntervalIsStudentsOverRuns) {
  const CalibrationRow row = judge_calibration(cell_with({{90, 90}, {99, 100}, {108, 110}}), 0.05);
  EXPECT_NEAR(row.theory_ms, 100, 1e-9);
  EXPECT_NEAR(row.measured_ms, 100, 1e-9);
  EXPECT_NEAR(row.ratio, 1.01, 1e-9);
  EXPECT_NEAR(row.interval->low, 1.01 - 0.02484, 1e-5);
  EXPECT_NEAR(row.interval->high, 1.01 + 0.02484, 1e-5);
  EXPECT_NEAR(row.raw->high, 1 + 1.8244, 1e-3);
  EXPECT_EQ(row.verdict, Verdict::ok);
}

TEST(Calibration, AnIntervalThatReachesBeyondTheMarginShowsNothing) {
  const CalibrationRow row = judge_calibration(cell_with({{90, 90}, {99, 100}, {108, 110}}), 0.03);
  EXPECT_EQ(row.verdict, Verdict::not_shown);
  EXPECT_THAT(row.reason, HasSubstr("wider than the margin"));
}

// Within a tenth of a millisecond of one another, but all ten per cent longer than their draws explain.
TEST(Calibration, RunsThatTheirDrawsDoNotExplainAreOff) {
  const CalibrationRow row = judge_calibration(cell_with({{90, 100.1}, {99, 109}, {108, 117.9}}), 0.05);
  EXPECT_EQ(row.verdict, Verdict::off);
  EXPECT_THAT(row.reason, HasSubstr("the interval lies outside the margin"));
}

// As drawn, but the draws themselves are not those of theory.
TEST(Calibration, DrawsThatTheoryDoesNotExplainAreOff) {
  const CalibrationRow row = judge_calibration(cell_with({{120, 120}, {120.1, 120.1}, {119.9, 119.9}}), 0.05);
  EXPECT_EQ(row.verdict, Verdict::off);
  EXPECT_THAT(row.reason, HasSubstr("raw interval"));
}

// 2.6 ms of 50 are more than 5 %: a slow worker must not pass as hand-off.
TEST(Calibration, TooMuchHandOffIsOffEvenWithoutAnInterval) {
  CalibrationCell cell = cell_with({{100, 100}});
  cell.runs[0].handoff_ms = 2.6;
  const CalibrationRow row = judge_calibration(cell, 0.05);
  EXPECT_EQ(row.verdict, Verdict::off);
  EXPECT_THAT(row.reason, HasSubstr("2.60 ms longer than drawn"));
}

TEST(Calibration, OneRunShowsNothing) {
  const CalibrationRow row = judge_calibration(cell_with({{100, 100}}), 0.05);
  EXPECT_EQ(row.verdict, Verdict::not_shown);
  EXPECT_EQ(row.interval.has_value(), false);
}

TEST(Calibration, TableAndJsonHoldTheSameRow) {
  const auto rows = std::vector{judge_calibration(cell_with({{90, 90}, {99, 100}, {108, 110}}), 0.05)};
  EXPECT_THAT(calibration_table(rows), HasSubstr("  100.00    99.00   100.00  1.010 0.985-1.035"));
  const auto row = nlohmann::json::parse(calibration_json(rows))["rows"][0];
  EXPECT_EQ(row["verdict"], "ok");
  EXPECT_EQ(row["runs"].size(), 3);
  EXPECT_NEAR(row["interval"][1].get<double>(), 1.03484, 1e-5);
}

/// Two batches, due after 0 and 1 s, that drew 2 s each at a rate of one in four seconds.
const DrawnRun two_batches{0.25, 2, {0, 1}, {2, 2}};

RunReport report_of(const std::string& strategy, double measured_ms) {
  RunReport report;
  report.strategy = strategy;
  report.nodes = report.credit = 1;
  report.batches.announced = report.batches.completed = 2;
  report.stages_ms.compute = {2000, 2000, 2000};
  report.batch_latency_ms.mean = measured_ms;
  report.batch_latency_ms.p50 = measured_ms;
  return report;
}

CalibrationRow only_row(const CalibrationCells& cells) {
  const auto rows = cells.judged(0.05);
  EXPECT_EQ(rows.size(), 1);
  return rows.at(0);
}

// M/M/1 half busy: 4 s in theory. The draws give 2 s and, after a wait of 1 s, 3 s.
TEST(CalibrationCells, ARunIsHeldAgainstTheoryAndItsDraws) {
  for (const char* strategy : {"dynamic", "uniform"}) {
    CalibrationCells cells;
    cells.add("r.json", report_of(strategy, 2600), two_batches);
    const CalibrationRow row = only_row(cells);
    EXPECT_NEAR(row.theory_ms, 4000, 1e-6);
    EXPECT_NEAR(row.cell.runs[0].drawn_ms, 2500, 1e-6);
    EXPECT_NEAR(row.ratio, 1.025, 1e-9);  // 100 ms of 4000 over what was drawn
    EXPECT_NEAR(row.handoff_ms, 0, 1e-9);
  }
}

// 50 ms on the way there and as long on the way back make the service 2.1 s: 52.5 % busy, 2.1 / 0.475 s. The
// draws give 2.1 s and, after a wait of 1.1 s, 3.2 s.
TEST(CalibrationCells, HandOffCountsAsService) {
  RunReport report = report_of("dynamic", 2650);
  report.stages_ms.queue.mean = report.stages_ms.return_.mean = 50;
  CalibrationCells cells;
  cells.add("r.json", report, two_batches);
  const CalibrationRow row = only_row(cells);
  EXPECT_NEAR(row.handoff_ms, 100, 1e-9);
  EXPECT_NEAR(row.theory_ms, 2100 / 0.475, 1e-6);
  EXPECT_NEAR(row.ratio, 1, 1e-9);
}

// A computation of 4 s instead of 2 s: theory goes along with 5 %, the rest is found.
TEST(CalibrationCells, ASlowWorkerDoesNotPassAsHandOff) {
  RunReport report = report_of("dynamic", 2650);
  report.stages_ms.compute.mean = 4000;
  CalibrationCells cells;
  cells.add("r.json", report, two_batches);
  const CalibrationRow row = only_row(cells);
  EXPECT_NEAR(row.handoff_ms, 2000, 1e-9);
  EXPECT_NEAR(row.theory_ms, 2100 / 0.475, 1e-6);
  EXPECT_EQ(row.verdict, Verdict::off);
}

// With the next batch waiting at the worker, the queue there is a queue.
TEST(CalibrationCells, WaitingAtTheWorkerIsNoHandOff) {
  RunReport report = report_of("uniform", 2500);
  report.credit = 8;
  report.stages_ms.queue.mean = 500;
  CalibrationCells cells;
  cells.add("r.json", report, two_batches);
  EXPECT_NEAR(only_row(cells).handoff_ms, 0, 1e-9);
}

TEST(CalibrationCells, RunsWithLostBatchesOrALateGeneratorAreLeftOut) {
  RunReport good = report_of("dynamic", 2500), lost = good, late = good;
  lost.batches.completed = 1;
  late.generator_lateness_ms.p99 = 60;  // over 2 % of 2.5 s
  CalibrationCells cells;
  for (const RunReport& report : {good, good, lost, late}) cells.add("r.json", report, two_batches);
  EXPECT_EQ(only_row(cells).used, 2);
  EXPECT_NE(only_row(cells).verdict, Verdict::not_shown);
  EXPECT_THAT(calibration_table(cells.judged(0.05)), HasSubstr(" 2/4 "));
  cells.add("r.json", late, two_batches);
  EXPECT_EQ(only_row(cells).verdict, Verdict::not_shown);
  EXPECT_THAT(only_row(cells).reason, HasSubstr("r.json: 1 of 2 batches completed"));
}

TEST(CalibrationCells, OtherStrategiesHaveNoTheory) {
  CalibrationCells cells;
  EXPECT_THROW(cells.add("r.json", report_of("sharded", 2500), two_batches), Error);
}

// 1000 batches in 20 s, half busy, the worker gone for 1 s: p99 is 0.01 · 20 · 0.5 = 0.1 s below the longest,
// 1.01 s.
TEST(CalibrationCells, AStallIsHeldAgainstTheSchedule) {
  RunReport report = report_of("uniform", 20);
  report.batches.announced = report.batches.completed = 1000;
  report.stages_ms.compute = {11, 10, 10};
  report.batch_latency_ms.supported.p99 = true;
  report.batch_latency_ms.p99 = 910;
  report.batch_latency_ms.max = 1000;
  CalibrationCells cells;
  for (int i = 0; i < 2; ++i) cells.add("s.json", report, StalledRun{50, 0.01, 1});
  const auto rows = cells.judged(0.05);
  ASSERT_EQ(rows.size(), 2);
  EXPECT_NEAR(rows[0].theory_ms, 1010, 1e-6);
  EXPECT_EQ(rows[0].cell.figure, "max");
  EXPECT_NEAR(rows[1].theory_ms, 910, 1e-6);
  EXPECT_EQ(rows[1].verdict, Verdict::ok);
  EXPECT_NEAR(*rows[1].cell.blind_ms, 10, 1e-9);
  EXPECT_THAT(calibration_table(rows), HasSubstr("p99 of the stalled worker is 10.00 ms"));
  report.nodes = 2;
  EXPECT_THROW(cells.add("s.json", report, StalledRun{50, 0.01, 1}), Error);
}

}  // namespace
}  // namespace dp
