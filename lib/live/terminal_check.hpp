// Whether stdin and stdout are a terminal that can be drawn on. Apart from terminal.cpp: curses' two headers define
// macros that do not go together with C++ names.
// SPDX-License-Identifier: MIT
#pragma once

namespace dp {

/// Throws Error that says what to do instead; ncurses itself would end the process.
void require_terminal();

}  // namespace dp
