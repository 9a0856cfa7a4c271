// latency_over_time: one run as it went: rates, what was under way, latency.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "plot/plot_data.hpp"
#include "plot/sheet.hpp"
#include "plot/time_slots.hpp"
#include "plot/words.hpp"

namespace dp {
namespace {

constexpr std::size_t fewest_slots = 5, width = 620;
constexpr std::size_t most_dots = 3000;

PlotJson point(double at_s, const char* what, double value, const char* unit, const TimeSlot& slot) {
  return {{"at", at_s},
          {"what", what},
          {"value", value},
          {"says", fmt::format("{} {}", number_text(value), unit)},
          {"time", fmt::format("{:.6g}–{:.6g} s", slot.from_s, slot.until_s)}};
}

/// Steps: a point at the beginning of each slot, and one at the end of the last.
void add_steps(PlotJson& rows, const std::vector<TimeSlot>& slots, const char* what, double TimeSlot::*figure,
               const char* unit) {
  for (const TimeSlot& slot : slots) rows.push_back(point(slot.from_s, what, slot.*figure, unit, slot));
  const TimeSlot& last = slots.back();
  rows.push_back(point(last.until_s, what, last.*figure, unit, last));
}

PlotJson rate_rows(const std::vector<TimeSlot>& slots) {
  PlotJson rows = PlotJson::array();
  add_steps(rows, slots, "offered", &TimeSlot::offered, "samples/s");
  add_steps(rows, slots, "completed", &TimeSlot::completed, "samples/s");
  return rows;
}

PlotJson queue_rows(const std::vector<TimeSlot>& slots) {
  PlotJson rows = PlotJson::array();
  rows.push_back(point(0, "under way", 0, "samples", {}));
  for (const TimeSlot& slot : slots)
    rows.push_back(point(slot.until_s, "under way", slot.under_way, "samples", slot));
  return rows;
}

PlotJson latency_rows(const std::vector<TimeSlot>& slots) {
  PlotJson rows = PlotJson::array();
  for (const TimeSlot& slot : slots) {
    const double middle = (slot.from_s + slot.until_s) / 2;
    if (slot.max_ms) rows.push_back(point(middle, "slowest", *slot.max_ms, "ms", slot));
    if (slot.p50_ms) rows.push_back(point(middle, "median", *slot.p50_ms, "ms", slot));
  }
  return rows;
}

PlotJson dot_rows(const ShownRun& shown) {
  PlotJson rows = PlotJson::array();
  if (!shown.times || shown.times->batches.size() > most_dots) return rows;
  for (const BatchTime& batch : shown.times->batches)
    rows.push_back({{"at", batch.collected_ms / 1e3}, {"value", batch.latency_ms}});
  return rows;
}

PlotJson happening_rows(const RunReport& report, double until_s) {
  PlotJson rows = PlotJson::array();
  for (const RunEvent& event : report.events) {
    if (event.t_s >= 0 && event.t_s <= until_s)
      rows.push_back({{"at", event.t_s}, {"what", event.what}, {"time", fmt::format("{:.2f} s", event.t_s)}});
  }
  return rows;
}

double most(const std::vector<TimeSlot>& slots, double TimeSlot::*figure) {
  double value = 0;
  for (const TimeSlot& slot : slots) value = std::max(value, slot.*figure);
  return value;
}

/// ", p50 6.6 ms, p99 39 ms", as far as the batches support them.
std::string latency_text(const Latency& ms) {
  std::string text;
  if (ms.p50 && ms.supported.p50) text += fmt::format("p50 {} ms", number_text(*ms.p50));
  if (ms.p99 && ms.supported.p99) text += fmt::format(", p99 {} ms", number_text(*ms.p99));
  return text.empty() ? "too few batches to state a latency" : "latency " + text;
}

std::string finding(const RunReport& report, const std::vector<TimeSlot>& slots) {
  if (report.overloaded)
    return fmt::format("{}: overloaded, the queue grows to {:.0f} samples", run_text(report),
                       most(slots, &TimeSlot::under_way));
  if (!report.valid) return run_text(report) + ": INVALID, no latency is stated of it";
  if (report.rate_mode == "max")  // the latency of such a run is but how long it was
    return fmt::format("{}: {:.0f} samples/s completed", run_text(report), report.rates.completed);
  const char* remark = report.steady_state.steady == false ? "not steady, " : "";
  return fmt::format("{}: {}{}", run_text(report), remark, latency_text(report.batch_latency_ms));
}

/// " Vertical lines: at 8.2 s worker w2 was lost (and 1 more)."
std::string happenings_text(const PlotJson& happenings) {
  if (happenings.empty()) return "";
  const PlotJson& first = happenings.front();
  std::string text = fmt::format(" Vertical lines: at {:.1f} s {}", first.at("at").get<double>(),
                                 first.at("what").get<std::string>());
  if (happenings.size() > 1) text += fmt::format(" (and {} more)", happenings.size() - 1);
  return text + ".";
}

/// Where the axis of rates ends: what fills the buffers at the start of a run as fast as possible would dwarf the rest.
double highest_rate(const std::vector<TimeSlot>& slots) {
  const double offered = most(slots, &TimeSlot::offered), completed = most(slots, &TimeSlot::completed);
  return completed > 0 && offered > 3 * completed ? 1.5 * completed : 1.05 * std::max(offered, completed);
}

std::string explanation(const ShownRun& shown, const std::vector<TimeSlot>& slots, const PlotValues& values) {
  const RunReport& report = shown.run.report;
  std::string text = run_notes(shown);
  if (!report.overloaded && !report.steady_state.steady) text += " It is too short to be judged steady.";
  text += fmt::format(" Slots of {:.6g} s; latency is that of a batch from its scheduled release.",
                      slots.front().until_s - slots.front().from_s);
  if (values.at("$has_dots") == true) text += " Dots: batches.";
  if (const double offered = most(slots, &TimeSlot::offered); offered > highest_rate(slots))
    text += fmt::format(" Offered beyond the panel: {:.0f} samples/s{}.", offered,
                        report.rate_mode == "max" ? ", which fills the buffers" : "");
  if (report.warmup.seconds > 0) text += " Grey: warm-up, in no figure of the run.";
  return text + happenings_text(values.at("$happenings"));
}

}  // namespace

std::vector<Picture> latency_over_time_picture(const PlotData& data, const Templates& templates) {
  if (!data.shown) return {};
  const RunReport& report = data.shown->run.report;
  const auto slots = data.shown->times ? slots_of(*data.shown->times) : slots_of(report);
  if (slots.size() < fewest_slots) return {};
  const double end = slots.back().until_s;
  PlotJson dots = dot_rows(*data.shown), happenings = happening_rows(report, end);
  PlotValues values{{"$fill", templates.looks({report.strategy}).at(0).fill},
                    {"$total_width", width},
                    {"$end", end},
                    {"$highest_rate", highest_rate(slots)},
                    {"$has_warmup", report.warmup.seconds > 0},
                    {"$warmup", report.warmup.seconds},
                    {"$has_dots", !dots.empty()},
                    {"$has_happenings", !happenings.empty()},
                    {"$rates", rate_rows(slots)},
                    {"$queue", queue_rows(slots)},
                    {"$latencies", latency_rows(slots)},
                    {"$dots", std::move(dots)},
                    {"$happenings", std::move(happenings)}};
  values.merge(title_values(finding(report, slots), explanation(*data.shown, slots, values), width));
  return {templates.fill("latency_over_time", "latency_over_time", values)};
}

}  // namespace dp
