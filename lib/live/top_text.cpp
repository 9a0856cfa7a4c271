// SPDX-License-Identifier: MIT
#include "live/top_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace dp {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The digits at the start of the text, without leading zeros, taken off it.
std::string_view take_number(std::string_view& text) {
  while (text.size() > 1 && text[0] == '0' && is_digit(text[1])) text.remove_prefix(1);
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  const std::string_view digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string clean(text);
  std::ranges::replace_if(
      clean, [](char c) { return c < ' ' || c > '~'; }, '?');
  return clean;
}

std::string fitted(std::string text, std::size_t width) {
  if (text.size() <= width) return text;
  text.resize(width);
  if (width > 0) text.back() = '~';
  return text;
}

void clip(Line& line, int width) {
  auto room = static_cast<std::size_t>(std::max(width, 0));
  std::size_t length = 0;
  for (const Span& span : line) length += span.text.size();
  if (length <= room) return;
  for (Span& span : line) {
    const bool last = span.text.size() >= room;
    if (last) span.text = fitted(span.text + "~", room);
    room -= span.text.size();
  }
  std::erase_if(line, [](const Span& span) { return span.text.empty(); });
}

bool natural_less(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) && is_digit(b[0])) {
      const std::string_view x = take_number(a), y = take_number(b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[0] != b[0]) {
      return a[0] < b[0];
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.size() != b.size()) return a.size() < b.size();
  return whole_a < whole_b;  // 07 and 7
}

std::string clock_text(Duration elapsed) {
  const auto s = elapsed / std::chrono::seconds(1);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string rate_text(std::uint64_t samples, Duration window) {
  if (window <= Duration{}) return "-";
  const double rate = static_cast<double>(samples) / to_seconds(window);
  return rate < 1e6 ? fmt::format("{:.{}f}", rate, rate < 1000 ? 1 : 0) : fmt::format("{:.3g}", rate);
}

std::string ms_text(Duration time) {
  const double ms = to_ms(time);
  return fmt::format("{:.{}f}", ms, ms < 1 ? 3 : ms < 10 ? 2 : ms < 1000 ? 1 : 0);
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes == 0) return "-";
  const double mb = static_cast<double>(bytes) / 1e6;
  return mb < 10'000 ? fmt::format("{:.0f}M", mb) : fmt::format("{:.1f}G", mb / 1000);
}

std::string percent_text(Duration part, Duration whole) {
  if (whole <= Duration{}) return "-";
  return fmt::format("{:.0f}", 100 * to_seconds(part) / to_seconds(whole));
}

std::string age_text(Duration age) {
  const auto s = age / std::chrono::seconds(1);
  if (s < 100) return fmt::format("{}s", s);
  return s < 6000 ? fmt::format("{}m", s / 60) : fmt::format("{}h", s / 3600);
}

}  // namespace dp
