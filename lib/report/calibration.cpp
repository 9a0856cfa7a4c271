// SPDX-License-Identifier: MIT
#include "report/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "stats/summary.hpp"

namespace dp {
namespace {

using Verdict = CalibrationRow::Verdict;
using Json = nlohmann::ordered_json;

std::optional<RatioInterval> interval_of(const std::vector<double>& ratios, double confidence) {
  const auto half = ci_half_width(ratios, confidence);
  if (!half) return std::nullopt;
  return RatioInterval{mean_of(ratios) - *half, mean_of(ratios) + *half};
}

bool within(const RatioInterval& interval, double margin) {
  return interval.low >= 1 - margin && interval.high <= 1 + margin;
}
bool apart(const RatioInterval& interval, double margin) {
  return interval.low > 1 + margin || interval.high < 1 - margin;
}

std::pair<Verdict, std::string> decide(const CalibrationRow& row) {
  const CalibrationCell& cell = row.cell;
  if (row.handoff_ms > most_handoff * cell.service_ms) {
    return {Verdict::off, fmt::format("a batch takes {:.2f} ms longer than drawn, over {:.0f} % of {:.0f} ms",
                                      row.handoff_ms, 100 * most_handoff, cell.service_ms)};
  }
  if (2 * row.used < cell.runs.size()) {
    const auto spoilt = std::ranges::find_if(cell.runs, [](auto& run) { return !run.left_out.empty(); });
    return {Verdict::not_shown, spoilt->left_out};
  }
  if (!row.interval) return {Verdict::not_shown, "one run has no interval: measure at least two"};
  if (apart(*row.interval, row.margin)) return {Verdict::off, "the interval lies outside the margin"};
  if (apart(*row.raw, row.margin)) return {Verdict::off, "the raw interval lies outside the margin"};
  if (!within(*row.interval, row.margin)) {
    return {Verdict::not_shown, "the interval is wider than the margin: measure longer or more often"};
  }
  return {Verdict::ok, ""};
}

/// "0.981-1.012", or "-".
std::string text_of(const std::optional<RatioInterval>& interval) {
  return interval ? fmt::format("{:.3f}-{:.3f}", interval->low, interval->high) : "-";
}

/// "10", or "8/10" when two were left out.
std::string runs_of(const CalibrationRow& row) {
  const std::size_t all = row.cell.runs.size();
  return row.used < all ? fmt::format("{}/{}", row.used, all) : fmt::format("{}", all);
}

/// A mean over the runs used, or "-" when there is none.
std::string mean_text(const CalibrationRow& row, double mean, int digits) {
  return row.used > 0 ? fmt::format("{:.{}f}", mean, digits) : "-";
}

Json json_of(const std::optional<RatioInterval>& interval) {
  return interval ? Json::array({interval->low, interval->high}) : Json(nullptr);
}
Json mean_json(const CalibrationRow& row, double mean) { return row.used > 0 ? Json(mean) : Json(nullptr); }
Json json_of(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

CalibrationRow judge_calibration(CalibrationCell cell, double margin) {
  CalibrationRow row;
  row.cell = std::move(cell);
  row.margin = margin;
  std::vector<double> theory, drawn, measured, handoff, ratios, raw;
  for (const Observation& run : row.cell.runs) {
    if (!run.left_out.empty()) continue;
    ++row.used;
    theory.push_back(run.theory_ms);
    drawn.push_back(run.drawn_ms);
    measured.push_back(run.measured_ms);
    handoff.push_back(run.handoff_ms);
    ratios.push_back(1 + (run.measured_ms - run.drawn_ms) / run.theory_ms);
    raw.push_back(run.measured_ms / run.theory_ms);
  }
  row.theory_ms = mean_of(theory);
  row.drawn_ms = mean_of(drawn);
  row.measured_ms = mean_of(measured);
  row.handoff_ms = mean_of(handoff);
  row.ratio = mean_of(ratios);
  row.interval = interval_of(ratios, 0.95);
  row.raw = interval_of(raw, raw_confidence);
  std::tie(row.verdict, row.reason) = decide(row);
  return row;
}

const char* name_of(Verdict verdict) {
  return verdict == Verdict::ok ? "ok" : verdict == Verdict::off ? "off" : "not shown";
}

std::string calibration_table(const std::vector<CalibrationRow>& rows) {
  std::string text = fmt::format(
      "{:<8} {:<8} {:>7} {:>6} {:<6} {:>6} {:>8} {:>8} {:>8} {:>6} {:<13} {:<13} {:>6} {:>8}  {}\n", "model",
      "strategy", "workers", "credit", "figure", "runs", "theory", "drawn", "measured", "ratio", "interval",
      "raw", "margin", "handoff", "verdict");
  for (const CalibrationRow& row : rows) {
    const CalibrationCell& cell = row.cell;
    text += fmt::format(
        "{:<8} {:<8} {:>7} {:>6} {:<6} {:>6} {:>8} {:>8} {:>8} {:>6} {:<13} {:<13} {:>6} {:>8}  "
        "{}{}\n",
        cell.model, cell.strategy, cell.workers, cell.credit, cell.figure, runs_of(row),
        mean_text(row, row.theory_ms, 2), mean_text(row, row.drawn_ms, 2), mean_text(row, row.measured_ms, 2),
        mean_text(row, row.ratio, 3), text_of(row.interval), text_of(row.raw),
        fmt::format("{:.1f} %", 100 * row.margin), mean_text(row, row.handoff_ms, 3), name_of(row.verdict),
        row.reason.empty() ? "" : ": " + row.reason);
  }
  for (const CalibrationRow& row : rows) {
    if (!row.cell.blind_ms) continue;
    text += fmt::format(
        "Seen from the service alone the {} of the stalled worker is {:.2f} ms: what waited is not in it.\n",
        row.cell.figure, *row.cell.blind_ms);
  }
  text +=
      "Times in ms. drawn: what the model makes of the runs' own draws. ratio: 1 + (measured - drawn) / "
      "theory,\n";
  text += "with its 95 % interval. ";
  return text + fmt::format("raw: {:.1f} % interval of measured / theory.\n", 100 * raw_confidence);
}

std::string calibration_json(const std::vector<CalibrationRow>& rows) {
  Json list = Json::array();
  for (const CalibrationRow& row : rows) {
    const CalibrationCell& cell = row.cell;
    Json runs = Json::array();
    for (const Observation& run : cell.runs) {
      runs.push_back({{"theory_ms", run.theory_ms},
                      {"drawn_ms", run.drawn_ms},
                      {"measured_ms", run.measured_ms},
                      {"handoff_ms", run.handoff_ms},
                      {"left_out", run.left_out.empty() ? Json(nullptr) : Json(run.left_out)}});
    }
    list.push_back({{"model", cell.model},
                    {"strategy", cell.strategy},
                    {"workers", cell.workers},
                    {"credit", cell.credit},
                    {"figure", cell.figure},
                    {"runs_used", row.used},
                    {"theory_ms", mean_json(row, row.theory_ms)},
                    {"drawn_ms", mean_json(row, row.drawn_ms)},
                    {"measured_ms", mean_json(row, row.measured_ms)},
                    {"ratio", mean_json(row, row.ratio)},
                    {"interval", json_of(row.interval)},
                    {"raw_interval", json_of(row.raw)},
                    {"margin", row.margin},
                    {"handoff_ms", mean_json(row, row.handoff_ms)},
                    {"service_alone_ms", json_of(cell.blind_ms)},
                    {"verdict", name_of(row.verdict)},
                    {"reason", row.reason},
                    {"runs", std::move(runs)}});
  }
  return Json{{"schema", "dp.calibration/1"}, {"rows", std::move(list)}}.dump(1, ' ') + "\n";
}

}  // namespace dp
