// The one run that pictures of a single run show.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plot/batch_times.hpp"

namespace dp {

struct ShownRun {
  MeasuredRun run;
  std::optional<BatchTimes> times;  ///< absent without an events file
  std::size_t of = 1;               ///< so many runs it was chosen from
};

/// That of the events file `events`; where that is "", one with an events file beside it. Of several: valid, not
/// overloaded, at a rate, not oversubscribed, on the most nodes; then the first. Throws Error where `events` is of none
/// of the runs, or holds no batch.
ShownRun shown_run(const std::vector<MeasuredRun>& runs, const std::filesystem::path& events);

/// "dynamic on 2 nodes at 1000 samples/s".
std::string run_text(const RunReport& report);

/// Which run it is, and what is doubtful about it: sentences for a subtitle.
std::string run_notes(const ShownRun& shown);

}  // namespace dp
