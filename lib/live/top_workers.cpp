// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "live/rate_span.hpp"
#include "live/top_text.hpp"
#include "wire/message.hpp"

namespace dp {
namespace {

constexpr int state_width = 5;
constexpr int narrow = 72;  ///< characters; below that there is room for less

struct Row {
  std::string name, host;
  PeerPresence presence{};
  std::uint64_t samples = 0, retried = 0, recent_samples = 0, rss = 0;
  Duration busy{}, recent_cpu{}, recent_span{}, unheard{};
  double cpu() const {
    return recent_span > Duration{} ? to_seconds(recent_cpu) / to_seconds(recent_span) : -1;
  }
};

std::vector<Row> rows_of(const Snapshot& s) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < s.roles.size(); ++i) {
    if (s.roles[i] != static_cast<std::uint8_t>(Role::infer)) continue;
    rows.push_back({printable(s.names[i]), printable(s.hosts[i]), static_cast<PeerPresence>(s.states[i]),
                    s.samples[i], s.retried[i], s.recent_samples[i], s.rss_bytes[i], s.busy[i],
                    s.recent_cpu[i], s.recent_span[i], s.unheard[i]});
  }
  return rows;
}

/// Largest first, but names in their order, where 10 comes after 9.
void sort_rows(std::vector<Row>& rows, SortKey key) {
  std::ranges::sort(rows, [](const Row& a, const Row& b) { return natural_less(a.name, b.name); });
  const auto by = [&](auto figure) {
    std::ranges::stable_sort(rows, [&](const Row& a, const Row& b) { return figure(a) > figure(b); });
  };
  if (key == SortKey::rate) by([](const Row& r) { return r.recent_samples; });
  if (key == SortKey::share) by([](const Row& r) { return r.samples; });
  if (key == SortKey::cpu) by([](const Row& r) { return r.cpu(); });
  if (key == SortKey::memory) by([](const Row& r) { return r.rss; });
}

/// Of the work done so far, by all workers.
std::string share_text(std::uint64_t samples, std::uint64_t all) {
  return all ? fmt::format("{:.1f}", 100 * static_cast<double>(samples) / static_cast<double>(all)) : "-";
}

std::string service_text(const Row& r) {
  return r.samples ? fmt::format("{:.3f}", to_ms(r.busy) / static_cast<double>(r.samples)) : "-";
}

Span state_of(PeerPresence presence) {
  constexpr const char* names[] = {"up", "LOST", "left"};
  constexpr Style styles[] = {Style::good, Style::bad, Style::faint};
  const auto i = static_cast<std::size_t>(presence);
  return {fmt::format("{:<{}}", names[i], state_width), styles[i]};
}

/// What follows a worker's name, host and state.
struct Column {
  const char* name;
  int width;  ///< characters
  std::optional<SortKey> sort;
  bool essential;
};
constexpr std::array<Column, 8> columns{{{"SAMPLES", 9, {}, true},
                                         {"%", 6, SortKey::share, true},
                                         {"/s", 8, SortKey::rate, true},
                                         {"MS/SAMP", 9, {}, false},
                                         {"CPU%", 6, SortKey::cpu, true},
                                         {"RSS", 7, SortKey::memory, true},
                                         {"RETRY", 6, {}, true},
                                         {"AGO", 4, {}, false}}};

/// What goes where on a screen of some width: without room for all, the host goes, and what is not essential.
struct Layout {
  std::size_t name = 7, host = 4;
  bool all = true;

  Layout(const std::vector<Row>& rows, int width) : all(width >= narrow) {
    int others = state_width + 2;
    for (const Column& column : columns) others += all || column.essential ? column.width : 0;
    const auto left = static_cast<std::size_t>(std::max(width - others, 0));
    for (const Row& r : rows) {
      name = std::max(name, r.name.size());
      host = std::max(host, r.host.size());
    }
    if (!all) host = 0;
    name = std::min(name, std::max<std::size_t>(left > host ? left - host : 0, left / 2));
    host = std::min(host, left - name);
  }
  std::string who(const std::string& its_name, const std::string& its_host) const {
    std::string text = fmt::format("{:<{}} ", fitted(its_name, name), name);
    return host ? text + fmt::format("{:<{}} ", fitted(its_host, host), host) : text;
  }
  std::string figures(const std::array<std::string, columns.size()>& texts) const {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (all || columns[i].essential) line += fmt::format("{:>{}}", texts[i], columns[i].width);
    }
    return line;
  }
};

Line heading(const Layout& layout, SortKey sort) {
  const auto marked = [&](const char* text, bool chosen) { return std::string(chosen ? "*" : "") + text; };
  std::array<std::string, columns.size()> names;
  for (std::size_t i = 0; i < columns.size(); ++i)
    names[i] = marked(columns[i].name, columns[i].sort == sort);
  const std::string who = layout.who(marked("WORKER", sort == SortKey::name), "HOST");
  return {{fmt::format("{}{:<{}}{}", who, "STATE", state_width, layout.figures(names)), Style::heading}};
}

Line line_of(const Row& r, const Layout& layout, std::uint64_t all, Duration window) {
  const bool there = r.presence == PeerPresence::connected;
  const std::string figures = layout.figures(
      {fmt::to_string(r.samples), share_text(r.samples, all), rate_text(r.recent_samples, window),
       service_text(r), there ? percent_text(r.recent_cpu, r.recent_span) : "-",
       there ? bytes_text(r.rss) : "-", fmt::to_string(r.retried), age_text(r.unheard)});
  return {{layout.who(r.name, r.host)}, state_of(r.presence), {figures, there ? Style::plain : Style::faint}};
}

}  // namespace

const char* name_of(SortKey key) {
  constexpr const char* names[] = {"name", "rate", "share", "cpu", "memory"};
  return names[static_cast<int>(key)];
}

std::vector<Line> workers(const Snapshot& s, const View& view, std::size_t room) {
  std::vector<Row> rows = rows_of(s);
  if (room == 0) return {};
  if (rows.empty()) return {{{"no workers yet", Style::faint}}};
  sort_rows(rows, view.sort);
  const Layout layout(rows, view.width);
  std::uint64_t all = 0;
  for (const Row& r : rows) all += r.samples;
  std::vector<Line> lines{heading(layout, view.sort)};
  const bool all_fit = rows.size() + 1 <= room && s.unlisted == 0;
  const std::size_t shown =
      all_fit ? rows.size() : std::min(rows.size(), room - std::min<std::size_t>(room, 2));
  const std::size_t first =
      std::min(static_cast<std::size_t>(std::max(view.first_row, 0)), rows.size() - shown);
  for (std::size_t i = first; i < first + shown; ++i)
    lines.push_back(line_of(rows[i], layout, all, rate_span(s, s.recent_window)));
  if (!all_fit) {
    std::string rest =
        fmt::format("workers {} to {} of {} (up, down)", first + 1, first + shown, rows.size());
    if (s.unlisted) rest += fmt::format(", {} more processes are not listed", s.unlisted);
    lines.push_back({{std::move(rest), Style::faint}});
  }
  return lines;
}

Line processes(const Snapshot& s) {
  std::string text = "tools   ";
  for (std::size_t i = 0; i < s.roles.size(); ++i) {
    const auto role = static_cast<Role>(s.roles[i]);
    if (role == Role::infer) continue;
    text += fmt::format(" {} {}% {}", name_of(role), percent_text(s.recent_cpu[i], s.recent_span[i]),
                        bytes_text(s.rss_bytes[i]));
    if (static_cast<PeerPresence>(s.states[i]) == PeerPresence::lost) text += " LOST";
    if (static_cast<PeerPresence>(s.states[i]) == PeerPresence::left) text += " left";
  }
  return {{text}};
}

}  // namespace dp
