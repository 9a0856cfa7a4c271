// Messages for people, on stderr: `tool: warning: text`. Data goes to stdout and never through here.
// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace dp {

enum class LogLevel { debug, info, warn, error };

/// Names the tool and sets the threshold once, at start.
void set_up_log(std::string_view tool, std::string_view level, bool quiet);
void log_line(LogLevel level, std::string_view text);
/// Whether lines of this level are shown.
bool log_shows(LogLevel level);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::warn, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace dp
