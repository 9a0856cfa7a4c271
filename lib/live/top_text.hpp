// Figures of the frame as short texts, and its table of workers.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "live/top_frame.hpp"

namespace dp {

/// What is not printable ASCII becomes '?', one for each byte.
std::string printable(std::string_view text);
/// Cut to `width` characters, the last of them '~' if something went.
std::string fitted(std::string text, std::size_t width);
void clip(Line& line, int width);

/// By name, where 10 comes after 9.
bool natural_less(std::string_view a, std::string_view b);

std::string clock_text(Duration elapsed);                       ///< 1:02:03
std::string rate_text(std::uint64_t samples, Duration window);  ///< per second; "-" for no time
std::string ms_text(Duration time);                             ///< in ms, three significant digits or so
std::string bytes_text(std::uint64_t bytes);                    ///< 123 M; "-" for 0
std::string percent_text(Duration part, Duration whole);        ///< "-" for no time
std::string age_text(Duration age);

/// CPU and memory of dp-stream, dp-route and dp-collect.
Line processes(const Snapshot& snapshot);
/// Heading and rows of the workers in `room` lines, from `view.first_row`; the last says what is left out.
std::vector<Line> workers(const Snapshot& snapshot, const View& view, std::size_t room);

}  // namespace dp
