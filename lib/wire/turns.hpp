// Whose turn it is among sockets that are read one after the other: a few messages each, so that a flood on one keeps no
// other waiting.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace dp {

class Turns {
 public:
  static constexpr int most_in_a_row = 16;

  std::size_t among(std::size_t sockets) const { return turn_ % sockets; }
  /// The one whose turn it is had something to be taken, or nothing.
  void took(bool something) {
    if (something && ++in_a_row_ < most_in_a_row) return;
    ++turn_;
    in_a_row_ = 0;
  }

 private:
  std::size_t turn_ = 0;
  int in_a_row_ = 0;
};

}  // namespace dp
