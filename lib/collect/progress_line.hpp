// How far a run is, for the person at the terminal of dp-collect.
// SPDX-License-Identifier: MIT
#pragma once

#include "collect/collector.hpp"

namespace dp {

/// One line on a terminal, rewritten in place and gone at the end; nothing anywhere else.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void show(const Collector::Progress& progress);

 private:
  bool shown_, colour_, dirty_ = false;
};

}  // namespace dp
