// SPDX-License-Identifier: MIT
#include "live/terminal.hpp"

#include <curses.h>

#include <cstdlib>

#include "base/error.hpp"
#include "live/terminal_check.hpp"

namespace dp {
namespace {

constexpr short colour_good = 1, colour_bad = 2, colour_title = 3;

/// Bold and reverse speak where there are no colours.
attr_t look_of(Style style) {
  const bool colours = has_colors() && !std::getenv("NO_COLOR");
  const auto colour = [&](short pair) { return colours ? static_cast<attr_t>(COLOR_PAIR(pair)) : attr_t{0}; };
  switch (style) {
    case Style::title:
      return A_BOLD | colour(colour_title);
    case Style::heading:
      return A_REVERSE;
    case Style::good:
      return colour(colour_good);
    case Style::bad:
      return A_BOLD | colour(colour_bad);
    case Style::faint:
      return A_DIM;
    default:
      return A_NORMAL;
  }
}

}  // namespace

Terminal::Terminal() {
  require_terminal();
  screen_ = ::newterm(nullptr, stdout, stdin);
  if (!screen_) throw Error("the terminal cannot be used (give --once or --json)");
  ::cbreak();
  ::noecho();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::set_escdelay(25);
  ::curs_set(0);
  if (std::getenv("NO_COLOR") || !::has_colors()) return;
  ::start_color();
  ::use_default_colors();
  ::init_pair(colour_good, COLOR_GREEN, -1);
  ::init_pair(colour_bad, COLOR_RED, -1);
  ::init_pair(colour_title, COLOR_CYAN, -1);
}

Terminal::~Terminal() {
  ::endwin();
  ::delscreen(screen_);
}

int Terminal::width() const { return getmaxx(stdscr); }
int Terminal::height() const { return getmaxy(stdscr); }

void Terminal::show(const std::vector<Line>& lines) {
  ::erase();
  int row = 0;
  for (const Line& line : lines) {
    ::move(row++, 0);
    for (const Span& span : line) {
      ::attrset(static_cast<int>(look_of(span.style)));
      ::addstr(span.text.c_str());
    }
  }
  ::attrset(A_NORMAL);
  ::refresh();
}

int Terminal::key() {
  const int key = ::getch();
  switch (key) {
    case ERR:
      return no_key;
    case KEY_UP:
      return key_up;
    case KEY_DOWN:
      return key_down;
    case KEY_PPAGE:
      return key_page_up;
    case KEY_NPAGE:
      return key_page_down;
    case KEY_RESIZE:
      ::clearok(curscr, TRUE);  // terminals differ in what they keep of the picture
      return other_key;
    default:
      return key > 0 && key < 0x100 ? key : other_key;
  }
}

}  // namespace dp
