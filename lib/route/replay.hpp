// A dispatcher's trace, played again.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "route/dispatcher_trace.hpp"

namespace dp {

struct ReplayedTrace {
  std::uint64_t calls = 0, decisions = 0, batches_sent = 0;
  std::uint64_t same = 0;  ///< decisions that are those of the trace
};

/// Through a bare dispatcher, with the strategy that ran. Throws Error at the first answer that is not the recorded one.
ReplayedTrace replay(TraceReader& trace);

/// What another strategy would have answered, placements being made as they were: so it is asked about the same states.
/// `see` is told of each decision: the recorded answer, and the other.
ReplayedTrace ask_another(TraceReader& trace, const std::string& strategy,
                          const std::function<void(const DispatcherCall&, std::optional<Slot>)>& see);

}  // namespace dp
