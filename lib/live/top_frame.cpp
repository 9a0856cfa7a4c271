// The parts of the frame from top to bottom; top_workers.cpp has the table of workers.
// SPDX-License-Identifier: MIT
#include "live/top_frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "live/rate_span.hpp"
#include "live/top_text.hpp"
#include "stats/percentile_support.hpp"

namespace dp {
namespace {

constexpr Duration patience = std::chrono::seconds(3);
constexpr std::size_t most_warnings = 4;

using Lines = std::vector<Line>;

const char* name_of(RunState state) {
  constexpr const char* names[] = {"waiting for peers", "running", "done", "stopped"};
  return names[static_cast<int>(state)];
}

bool over(const Heard& heard) {
  return heard.latest && (heard.latest->state == RunState::done || heard.latest->state == RunState::stopped);
}

Line title(const Heard& heard, const View& view) {
  Line line{{"dp-top  ", Style::title}};
  if (heard.latest) {
    const Snapshot& s = *heard.latest;
    line.push_back({fmt::format("run {:016x}  ", raw(s.run)), Style::plain});
    line.push_back({name_of(s.state), s.state == RunState::running ? Style::good : Style::title});
    if (s.elapsed > Duration{}) line.push_back({"  " + clock_text(s.elapsed), Style::plain});
    if (!s.strategy.empty()) line.push_back({"  " + printable(s.strategy), Style::plain});
  }
  if (view.paused) line.push_back({"  PAUSED", Style::bad});
  line.push_back({(heard.latest ? "  " : "") + printable(heard.endpoint), Style::faint});
  return line;
}

Line samples(const Snapshot& s) {
  const double part =
      s.planned ? 100 * static_cast<double>(s.completed + s.failed) / static_cast<double>(s.planned) : 0;
  Line line{{fmt::format("samples  {} of {} ({:.0f}%)", s.completed, s.planned, std::floor(part))}};
  line.push_back({fmt::format("  failed {}", s.failed), s.failed ? Style::bad : Style::plain});
  line.push_back({fmt::format("  retries {}  duplicates {}", s.retries, s.duplicates)});
  return line;
}

Line rates(const Snapshot& s) {
  const auto recent = [&](std::uint64_t n) { return rate_text(n, rate_span(s, s.recent_window)); };
  std::string text = "rate/s   ";
  if (s.requested > 0) text += fmt::format("wanted {:g}  ", s.requested);
  text +=
      fmt::format("offered {}  completed {}  (last {:.0f} s)  whole run {}", recent(s.recent_offered),
                  recent(s.recent_completed), to_seconds(s.recent_window),
                  rate_text(s.completed, rate_span(s, s.elapsed)));
  return {{text}};
}

/// A percentile without enough batches is marked, never bare.
std::string percentile_text(const SnapshotLatency& l, double p, Duration value) {
  if (l.batches == 0) return "-";
  return ms_text(value) + (supported(p, l.batches) ? " " : "?");
}

Line latency(const char* what, const SnapshotLatency& l) {
  return {{fmt::format("{:<9}{:>10}{:>10}{:>10}   of {} batches", what, percentile_text(l, 0.5, l.p50),
                       percentile_text(l, 0.95, l.p95), percentile_text(l, 0.99, l.p99), l.batches)}};
}

Line queue(const Snapshot& s) {
  return {{fmt::format("queue    {} samples in {} batches released and not settled", s.waiting_samples,
                       s.waiting_batches)}};
}

void add_stages(const Snapshot& s, Lines& lines) {
  constexpr const char* format = "{:<9}{:>9}{:>10}{:>8}{:>8}{:>9}{:>8}{:>5}";
  const SnapshotStages& t = s.stages;
  lines.push_back(
      {{fmt::format(format, "stage", "generator", "admission", "router", "queue", "compute", "return", "ms"),
        Style::heading}});
  lines.push_back(
      {{fmt::format(format, " recent", ms_text(t.generator), ms_text(t.admission), ms_text(t.router),
                    ms_text(t.queue), ms_text(t.compute), ms_text(t.back), "")}});
}

void add_warnings(const Snapshot& s, Lines& lines) {
  for (std::size_t i = 0; i < std::min(s.warnings.size(), most_warnings); ++i)
    lines.push_back({{fmt::format("! {}", printable(s.warnings[i])), Style::bad}});
  if (s.warnings.size() > most_warnings)
    lines.push_back({{fmt::format("! and {} more warnings", s.warnings.size() - most_warnings), Style::bad}});
}

Lines help() {
  Lines lines;
  for (const char* text :
       {"keys", "  q       quit", "  s       sort the workers by the next column",
        "  n r a   sort by name, rate, share", "  c m     sort by CPU, memory", "  p       pause, and go on",
        "  up down page-up page-down   through the workers", "  h ?     this help", "",
        "latency is that of batches, from their schedule until the ledger has them; a percentile",
        "marked ? has too few batches to be relied on. RETRY counts batches that others had tried."})
    lines.push_back({{text}});
  return lines;
}

Lines body(const Snapshot& s) {
  Lines lines{samples(s), rates(s)};
  lines.push_back(
      {{fmt::format("{:<9}{:>9}{:>10}{:>10}{:>28}", "latency", "p50", "p95", "p99", "ms"), Style::heading}});
  lines.push_back(latency(" recent", s.recent));
  lines.push_back(latency(" whole", s.whole));
  add_stages(s, lines);
  lines.push_back(queue(s));
  lines.push_back(processes(s));
  add_warnings(s, lines);
  return lines;
}

}  // namespace

std::string why_silent(const Heard& heard) {
  if (heard.endpoint.empty())
    return "no run of yours on this host can be watched: start dp-collect with --live auto, or give its "
           "ENDPOINT";
  const std::string endpoint = printable(heard.endpoint);
  if (!heard.complaint.empty()) return fmt::format("{} {}", endpoint, printable(heard.complaint));
  const double s = to_seconds(heard.silence);
  return fmt::format("nothing heard from {} for {:.{}f} s: is dp-collect running?", endpoint,
                     s < 1 ? s : std::floor(s), s < 1 ? 1 : 0);
}

std::string silence_of(const Heard& heard) {
  if (heard.silence < patience || over(heard)) return "";
  return why_silent(heard);
}

std::vector<Line> draw(const Heard& heard, const View& view) {
  Lines lines{title(heard, view)};
  if (const std::string silence = silence_of(heard); !silence.empty())
    lines.push_back({{silence, Style::bad}});
  if (over(heard) && heard.silence >= patience)
    lines.push_back({{"the run is over; waiting for the next one", Style::faint}});
  const auto height = static_cast<std::size_t>(std::max(view.height, 0));
  if (view.help) {
    std::ranges::move(help(), std::back_inserter(lines));
  } else if (heard.latest) {
    std::ranges::move(body(*heard.latest), std::back_inserter(lines));
    const std::size_t room = height > lines.size() + 1 ? height - lines.size() - 1 : 0;
    std::ranges::move(workers(*heard.latest, view, room), std::back_inserter(lines));
  } else if (lines.size() == 1) {
    lines.push_back({{"listening ...", Style::faint}});
  }
  const Line keys{{"q quit  s sort  p pause  h help", Style::faint}};
  if (height > 0 && lines.size() >= height) lines.resize(height - 1);
  if (height > 0 && view.keys) lines.push_back(keys);
  lines.resize(std::min(lines.size(), height));
  for (Line& line : lines) clip(line, view.width);
  return lines;
}

std::string plain_text(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines) {
    for (const Span& span : line) text += span.text;
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace dp
