// SPDX-License-Identifier: MIT
#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace dp {

void set_up_log(std::string_view tool, std::string_view level, bool quiet) {
  auto logger = spdlog::stderr_logger_mt(std::string(tool));
  logger->set_pattern("%n: %v");
  const auto threshold = spdlog::level::from_str(std::string(level));
  logger->set_level(quiet ? std::max(threshold, spdlog::level::warn) : threshold);
  spdlog::set_default_logger(std::move(logger));
}

void log_line(LogLevel level, std::string_view text) {
  switch (level) {
    case LogLevel::debug:
      spdlog::debug("debug: {}", text);
      break;
    case LogLevel::info:
      spdlog::info("{}", text);
      break;
    case LogLevel::warn:
      spdlog::warn("warning: {}", text);
      break;
    case LogLevel::error:
      spdlog::error("error: {}", text);
      break;
  }
}

bool log_shows(LogLevel level) {
  constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                  spdlog::level::warn, spdlog::level::err};
  return spdlog::should_log(levels[static_cast<int>(level)]);
}

}  // namespace dp
