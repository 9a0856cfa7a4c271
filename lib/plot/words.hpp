// The words and numbers of titles and labels.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dp {

std::string nodes_text(std::uint32_t nodes);  ///< "1 node", "2 nodes"

/// To three significant digits, without exponent: "0.0123", "4.56", "78.9", "1235".
std::string number_text(double x);

/// "2.1–2.3×": from the least to the largest, once where they read alike.
std::string range_text(const std::vector<double>& values, const char* number_format, const char* unit);

/// "2020 ± 349 samples/s".
std::string with_interval(double value, const std::optional<double>& half_width, const char* unit);

/// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& words);

/// Breaks a sentence at spaces, but not between a number and its unit, into lines of at most `line_length` characters.
std::vector<std::string> lines_of(const std::string& sentence, std::size_t line_length);

}  // namespace dp
