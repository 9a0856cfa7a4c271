// SPDX-License-Identifier: MIT
#include "plot/percentile_lines.hpp"

#include <algorithm>
#include <set>

#include "plot/sheet.hpp"

namespace dp {
namespace {

struct Field {
  std::optional<double> Latency::*value;
  bool PerPercentile<bool>::*supported;
};
using Supported = PerPercentile<bool>;
constexpr std::array<Field, percentiles.size()> fields{{{&Latency::p50, &Supported::p50},
                                                        {&Latency::p90, &Supported::p90},
                                                        {&Latency::p95, &Supported::p95},
                                                        {&Latency::p99, &Supported::p99},
                                                        {&Latency::p999, &Supported::p999}}};

std::optional<Estimate> estimate(const std::vector<const MeasuredRun*>& runs, const Field& field) {
  std::vector<double> values;
  for (const MeasuredRun* run : runs) {
    const Latency& latency = run->report.latency_ms;
    const auto& value = latency.*field.value;
    if (!value || !(latency.supported.*field.supported)) return std::nullopt;
    values.push_back(*value);
  }
  return estimate_of(values);
}

bool may_be_stated(const PlotCell& c) { return c.valid_at_rate > 0 && !c.overloaded; }

PercentileLine line_of(const PlotCell& c, const Cell& cell) {
  const auto runs = counted(cell.at_rate);
  PercentileLine line{c, {}, UINT64_MAX};
  for (const MeasuredRun* run : runs) line.batches = std::min(line.batches, run->report.latency_ms.n);
  for (const Field& field : fields) {
    const auto ms = may_be_stated(c) ? estimate(runs, field) : std::nullopt;
    if (!ms) break;
    line.ms.push_back(*ms);
  }
  return line;
}

}  // namespace

std::vector<PercentileLine> percentile_lines(const PlotData& data) {
  std::vector<PercentileLine> lines;
  for (const PlotCell& c : cells_at_rate(data.cells)) {
    const auto cell = std::find_if(
        data.sweep->cells.begin(), data.sweep->cells.end(),
        [&](const Cell& other) { return other.strategy == c.strategy && other.nodes == c.nodes; });
    lines.push_back(line_of(c, *cell));
  }
  return lines;
}

std::size_t reached(const std::vector<PercentileLine>& lines) {
  std::size_t most = 0;
  for (const PercentileLine& line : lines) most = std::max(most, line.ms.size());
  return most;
}

std::vector<std::uint32_t> panels_of(const std::vector<PercentileLine>& lines) {
  std::set<std::uint32_t> panels;
  for (const PercentileLine& line : lines) {
    if (!line.ms.empty()) panels.insert(line.cell.nodes);
  }
  return {panels.begin(), panels.end()};
}

std::vector<PercentileLine> telling_lines(const std::vector<PercentileLine>& lines) {
  std::vector<PercentileLine> telling;
  for (const bool accept_oversubscribed : {false, true}) {
    for (const PercentileLine& line : lines) {
      if (line.ms.size() < 2 || (line.cell.oversubscribed && !accept_oversubscribed)) continue;
      if (!telling.empty() && line.cell.nodes > telling.front().cell.nodes) telling.clear();
      if (telling.empty() || line.cell.nodes == telling.front().cell.nodes) telling.push_back(line);
    }
    if (!telling.empty()) break;
  }
  return telling;
}

}  // namespace dp
