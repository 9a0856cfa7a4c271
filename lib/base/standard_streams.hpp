// stdin, stdout and stderr: that they are nobody else's files, and that what is written to stdout arrives.
// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "base/error.hpp"

namespace dp {

/// Whoever read stdout has left, as `| head` does.
struct ReaderLeft : Error {
  using Error::Error;
};

/// Fills those of descriptors 0 to 2 that are closed, so that no file opened from here on is taken for stdout or stderr;
/// what is written there still fails.
void fill_standard_descriptors();

/// Has a write that cannot be done fail with EPIPE or EFBIG, as one to a full disk does, instead of ending the process.
/// Returns whether a closed pipe would have ended it.
bool ignore_signals_of_writes();

/// Writes to stdout at once, without a buffer. Throws Error with the reason, and ReaderLeft.
void write_stdout(std::string_view text);

/// Throws Error where what was written to stdout did not arrive after all.
void check_stdout();

/// Formats to stdout, as fmt::print, but checked.
template <class... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  write_stdout(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace dp
