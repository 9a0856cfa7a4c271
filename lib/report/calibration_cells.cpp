// SPDX-License-Identifier: MIT
#include "report/calibration_cells.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "stats/histogram.hpp"
#include "stats/queue_replay.hpp"
#include "stats/queueing.hpp"
#include "stats/summary.hpp"

namespace dp {
namespace {

constexpr double tail = 0.99;
constexpr double ms = 1e3;

double percentile_of(std::vector<double> values, double p) {
  std::ranges::sort(values);
  return values[nearest_rank(p, values.size()) - 1];
}

/// What a worker's place is taken for beside the time drawn: from dispatch until the router knows that the
/// worker is free, for which the return of the result to the collector stands. With more than one credit the
/// next batch is there already, and the queue at the worker is a queue.
double handoff_ms(const RunReport& report, double StageTime::*figure, double drawn_ms) {
  const StageTimes& stage = report.stages_ms;
  const double queue = report.credit == 1 ? stage.queue.*figure : 0;
  return queue + stage.compute.*figure + stage.return_.*figure - drawn_ms;
}

/// Mean of n values and one more.
double running_mean(const std::optional<double>& mean, std::size_t n, double value) {
  return (mean.value_or(0) * static_cast<double>(n) + value) / static_cast<double>(n + 1);
}

/// Why this run cannot be held against theory; "" when it can.
std::string complaint(const std::string& file, const RunReport& report) {
  if (report.batches.completed != report.batches.announced) {
    return fmt::format("{}: {} of {} batches completed", file, report.batches.completed,
                       report.batches.announced);
  }
  const double late = report.generator_lateness_ms.p99,
               allowed = std::max(1.0, 0.02 * report.batch_latency_ms.p50.value_or(0));
  if (late > allowed)
    return fmt::format("{}: the generator was {:.2f} ms late (p99), over {:.2f} ms", file, late, allowed);
  return "";
}

}  // namespace

void CalibrationCells::add(const std::string& file, const RunReport& report, const DrawnRun& drawn) {
  const bool shared = report.strategy == "dynamic";
  if (!shared && report.strategy != "uniform") {
    throw Error("{}: strategy {}: theory is at hand for dynamic and uniform", file, report.strategy);
  }
  const double handoff = handoff_ms(report, &StageTime::mean, ms * mean_of(drawn.services));
  const double counted = std::min(handoff / ms, most_handoff * drawn.mean_service);
  std::vector<double> services = drawn.services;
  for (double& service : services) service += counted;
  const auto replayed =
      (shared ? replay_shared_queue : replay_round_robin)(drawn.arrivals, services, report.nodes);
  const QueueLoad load{drawn.rate, drawn.mean_service + counted, report.nodes};
  const std::string model = shared ? "M/M/c" : "E_N/M/1";
  const auto put_figure = [&](const char* name, double theory, double replay, double measured) {
    put(file, report, model, {name, {ms * theory, ms * replay, measured, handoff}}, ms * drawn.mean_service);
  };
  const Latency& measured = report.batch_latency_ms;
  put_figure("mean", (shared ? shared_queue_mean : round_robin_mean)(load), mean_of(replayed),
             measured.mean.value_or(0));
  if (!measured.supported.p99) return;
  put_figure("p99", (shared ? shared_queue_percentile : round_robin_percentile)(load, tail),
             percentile_of(replayed, tail), measured.p99.value_or(0));
}

void CalibrationCells::add(const std::string& file, const RunReport& report, const StalledRun& stalled) {
  if (report.nodes != 1 || report.credit != 1) {
    throw Error("{}: {} workers with credit {}: a stall is predicted for one worker with --credit 1", file,
                report.nodes, report.credit);
  }
  const double handoff = handoff_ms(report, &StageTime::p50, ms * stalled.service);
  const double span = static_cast<double>(report.batches.announced) / stalled.rate;
  const Stall stall{stalled.rate, stalled.service + handoff / ms, stalled.stall, span};
  const auto put_figure = [&](const char* name, double p, double measured, std::optional<double> blind) {
    const double theory = ms * stalled_percentile(stall, p);
    put(file, report, "stalled", {name, {theory, theory, measured, handoff}, blind}, ms * stalled.service);
  };
  const Latency& measured = report.batch_latency_ms;
  if (measured.supported.p99) put_figure("p99", tail, measured.p99.value_or(0), report.stages_ms.compute.p99);
  put_figure("max", 1, measured.max.value_or(0), std::nullopt);
}

void CalibrationCells::put(const std::string& file, const RunReport& report, const std::string& model,
                           const Figure& figure, double service_ms) {
  CalibrationCell& cell = cells_[{model, report.nodes, report.credit, figure.name}];
  cell.model = model;
  cell.strategy = report.strategy;
  cell.workers = report.nodes;
  cell.credit = report.credit;
  cell.figure = figure.name;
  cell.service_ms = service_ms;
  if (figure.blind_ms) cell.blind_ms = running_mean(cell.blind_ms, cell.runs.size(), *figure.blind_ms);
  cell.runs.push_back(figure.values);
  cell.runs.back().left_out = complaint(file, report);
}

std::vector<CalibrationRow> CalibrationCells::judged(double margin) const {
  std::vector<CalibrationRow> rows;
  for (const auto& [key, cell] : cells_) rows.push_back(judge_calibration(cell, margin));
  return rows;
}

}  // namespace dp
