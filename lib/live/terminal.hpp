// The terminal dp-top draws on, by ncurses. One per process.
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "live/top_frame.hpp"

struct screen;

namespace dp {

/// Keys that are no character.
enum Key : int { no_key = 0, key_up = 0x1000, key_down, key_page_up, key_page_down, other_key };

class Terminal {
 public:
  /// Takes stdin and stdout over. Throws Error if they are no terminal, or one that cannot be drawn on.
  Terminal();
  /// Leaves the terminal as it was.
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  int width() const;
  int height() const;
  void show(const std::vector<Line>& lines);
  /// The next key that was pressed, a character or a Key; no_key when none waits.
  int key();

 private:
  ::screen* screen_;  ///< of ncurses
};

}  // namespace dp
