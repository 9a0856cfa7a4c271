// SPDX-License-Identifier: MIT
#include "live/terminal_check.hpp"

#include <curses.h>
#include <term.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.hpp"

namespace dp {

void require_terminal() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1)
    throw Error("this is no terminal: give --once for one picture as text, or --json");
  int status = 0;
  const char* name = std::getenv("TERM");
  const bool known = ::setupterm(nullptr, STDOUT_FILENO, &status) == OK;
  const bool places = known && ::tigetstr("cup");
  if (known) ::del_curterm(::cur_term);
  if (!places)
    throw Error(
        "TERM '{}': nothing can be placed on such a terminal: give --once for one picture as text, or --json",
        name ? name : "");
}

}  // namespace dp
