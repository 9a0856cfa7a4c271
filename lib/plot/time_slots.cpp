// SPDX-License-Identifier: MIT
#include "plot/time_slots.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "stats/histogram.hpp"

namespace dp {
namespace {

constexpr double most_slots = 120, batches_a_slot = 8;

/// 1, 2 or 5 times a power of ten, and not less than `seconds`.
double round_width(double seconds) {
  const double power = std::pow(10, std::floor(std::log10(seconds)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * power >= seconds * 0.999) return step * power;
  }
  return 10 * power;
}

double end_s(const BatchTimes& times) {
  double end = 0;
  for (const BatchTime& batch : times.batches) end = std::max(end, batch.collected_ms / 1e3);
  return end;
}

struct Counts {
  double offered = 0, completed = 0;  ///< samples
  std::vector<double> ms;             ///< latencies of the batches completed
};

TimeSlot slot_of(Counts& counts, double from_s, double until_s, double under_way) {
  TimeSlot slot{
      from_s, until_s, counts.offered / (until_s - from_s), counts.completed / (until_s - from_s), under_way,
      {},     {}};
  if (counts.ms.empty()) return slot;
  std::sort(counts.ms.begin(), counts.ms.end());
  slot.p50_ms = counts.ms[nearest_rank(0.5, counts.ms.size()) - 1];
  slot.max_ms = counts.ms.back();
  return slot;
}

/// The rates of a last slot that is all but empty of time would say nothing: it joins the one before.
bool too_short(double seconds, double width) { return seconds < width / 4; }

/// Adds what came between the end of a slot and `until_s`. Its median stays: that of both together is not known.
void join(TimeSlot& slot, double offered, double completed, double queue, double until_s,
          std::optional<double> max_ms) {
  const double before = slot.until_s - slot.from_s, after = std::max(before, until_s - slot.from_s);
  slot.offered = (slot.offered * before + offered) / after;
  slot.completed = (slot.completed * before + completed) / after;
  slot.until_s = slot.from_s + after;
  slot.under_way = queue;
  if (max_ms) slot.max_ms = std::max(slot.max_ms.value_or(0), *max_ms);
}

}  // namespace

std::vector<TimeSlot> slots_of(const BatchTimes& times) {
  const double end = end_s(times), batches = static_cast<double>(times.batches.size());
  if (!(end > 0)) return {};
  const double width = round_width(std::max(end / most_slots, end * batches_a_slot / batches));
  const auto full = static_cast<std::size_t>(end / width);
  const bool joined = full > 0 && too_short(end - static_cast<double>(full) * width, width);
  std::vector<Counts> counts(joined ? full : full + 1);
  const auto at = [&](double ms) -> Counts& {
    const double place = std::clamp(ms / 1e3 / width, 0.0, static_cast<double>(counts.size() - 1));
    return counts[static_cast<std::size_t>(place)];
  };
  for (const BatchTime& batch : times.batches) {
    at(batch.scheduled_ms).offered += static_cast<double>(batch.samples);
    at(batch.collected_ms).completed += static_cast<double>(batch.samples);
    at(batch.collected_ms).ms.push_back(batch.latency_ms);
  }
  std::vector<TimeSlot> slots;
  double under_way = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double from = static_cast<double>(i) * width;
    const double until = i + 1 == counts.size() ? end : from + width;
    under_way += counts[i].offered - counts[i].completed;
    slots.push_back(slot_of(counts[i], from, until, under_way));
  }
  return slots;
}

std::vector<TimeSlot> slots_of(const RunReport& report) {
  std::vector<TimeSlot> slots;
  // n samples of a schedule are n intervals, the last one's to its end.
  const double scheduled =
      report.rates.requested ? static_cast<double>(report.samples.announced) / *report.rates.requested : 0;
  const double end = std::max(report.duration_s, scheduled);
  for (const SecondOfRun& row : report.series) {
    const double until = std::min(end, row.t_s + row.seconds), seconds = until - row.t_s;
    const auto offered = static_cast<double>(row.offered), completed = static_cast<double>(row.completed),
               queue = static_cast<double>(row.queue);
    if (too_short(seconds, row.seconds) && !slots.empty())
      join(slots.back(), offered, completed, queue, end, row.max_ms);
    else
      slots.push_back(
          {row.t_s, until, offered / seconds, completed / seconds, queue, row.p50_ms, row.max_ms});
  }
  return slots;
}

}  // namespace dp
