// SPDX-License-Identifier: MIT
#include "collect/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace dp {

ProgressLine::ProgressLine(bool quiet)
    : shown_(!quiet && ::isatty(STDERR_FILENO) == 1), colour_(!std::getenv("NO_COLOR")) {}

ProgressLine::~ProgressLine() {
  if (dirty_) std::fputs("\r\x1b[K", stderr);
}

void ProgressLine::show(const Collector::Progress& p) {
  if (!shown_) return;
  const double left = p.rate > 0 ? static_cast<double>(p.planned - p.samples) / p.rate : 0;
  const std::string p99 = p.p99_ms ? fmt::format("{:.1f} ms", *p.p99_ms) : "–";
  const std::string text =
      fmt::format("{}/{} samples  {:.0f}/s  p99 {}  ETA {:.0f} s", p.samples, p.planned, p.rate, p99, left);
  std::fputs(fmt::format("\r{}{}{}\x1b[K", colour_ ? "\x1b[36m" : "", text, colour_ ? "\x1b[0m" : "").c_str(),
             stderr);
  dirty_ = true;
}

}  // namespace dp
