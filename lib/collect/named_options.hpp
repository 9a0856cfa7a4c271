// Options as peers tell them: name, value, name, value, …
// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace dp {

/// The value of an option; "" if it was not told.
inline std::string option_of(const std::vector<std::string>& options, std::string_view name) {
  for (std::size_t i = 0; i + 1 < options.size(); i += 2) {
    if (options[i] == name) return options[i + 1];
  }
  return "";
}

inline std::uint32_t count_or_zero(const std::string& text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace dp
