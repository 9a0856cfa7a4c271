// SPDX-License-Identifier: MIT
#include "plot/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/options.hpp"

namespace dp {
namespace {

/// The words of a sentence, a number and its unit as one.
std::vector<std::string> unbroken(const std::string& sentence) {
  std::vector<std::string> words;
  for (const std::string& word : split(sentence, ' ')) {
    if (!words.empty() && !words.back().empty() && words.back().back() >= '0' && words.back().back() <= '9')
      words.back() += " " + word;
    else words.push_back(word);
  }
  return words;
}

}  // namespace

std::string nodes_text(std::uint32_t nodes) { return fmt::format("{} node{}", nodes, nodes == 1 ? "" : "s"); }

std::string number_text(double x) {
  if (x == 0) return "0";
  const int above = static_cast<int>(std::floor(std::log10(std::abs(x))));
  return fmt::format("{:.{}f}", x, std::max(0, 2 - above));
}

std::string range_text(const std::vector<double>& values, const char* number_format, const char* unit) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const std::string from = fmt::format(fmt::runtime(number_format), *low);
  const std::string to = fmt::format(fmt::runtime(number_format), *high);
  return (from == to ? "" : from + "–") + to + unit;
}

std::string with_interval(double value, const std::optional<double>& half_width, const char* unit) {
  return number_text(value) + (half_width ? " ± " + number_text(*half_width) : "") + " " + unit;
}

std::string listed(const std::vector<std::string>& words) {
  if (words.size() < 2) return words.empty() ? "" : words[0];
  return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

std::vector<std::string> lines_of(const std::string& sentence, std::size_t line_length) {
  std::vector<std::string> lines;
  std::string line;
  const auto width = [](const std::string& text) {  // characters, not bytes
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  };
  for (const std::string& word : unbroken(sentence)) {
    if (!line.empty() && width(line) + 1 + width(word) > line_length) {
      lines.push_back(line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  lines.push_back(line);
  return lines;
}

}  // namespace dp
