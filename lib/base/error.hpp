// How a tool ends, and the exceptions that decide it. One catch site per main (`run_main`, options.hpp).
// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace dp {

/// Exit status of every tool.
enum class Exit : int {
  done = 0,          ///< it did what was asked
  failed = 1,        ///< it could not
  usage = 2,         ///< the command line was wrong
  invalid = 3,       ///< measured, but the figures are not valid
  interrupted = 130  ///< SIGINT or SIGTERM
};

/// Something went wrong while running: the message says what, with the value, and what to do next.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
  template <class... Args>
  requires(sizeof...(Args) > 0) explicit Error(fmt::format_string<Args...> format, Args&&... args)
      : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)) {}
};

/// The command line was wrong: exit status 2.
struct UsageError : Error {
  using Error::Error;
};

}  // namespace dp
