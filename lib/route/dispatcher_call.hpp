// A call of the dispatcher, or an answer of its strategy, as a record: what a decision log and a trace are made from.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "route/strategy.hpp"

namespace dp {

/// One attempt at a batch: `life` tells a worker's replacement in the slot from the one before.
struct Ticket {
  BatchId batch{};
  std::uint32_t attempt = 0;
  Slot slot = 0;
  std::uint32_t life = 0;
  bool operator==(const Ticket&) const = default;
};

/// How an attempt ended. What was served teaches a strategy by `observe`, whatever is said here.
enum class AttemptEnd : std::uint8_t { served, failed, returned, settled_elsewhere, lease_ran_out };

/// The worker that a batch has failed on.
struct Excluded {
  Slot slot = 0;
  std::uint32_t life = 0;
  bool operator==(const Excluded&) const = default;
};

struct DispatcherCall {
  /// `answer` and `sent` are what the dispatcher says, all others what it is told.
  enum class Kind : std::uint8_t { join, leave, credit, arrive, answer, adopt, next, sent, finish, withdraw, observe };
  Kind kind{};
  Time at{};
  BatchMeta batch{};          ///< arrive, answer, adopt, sent; of withdraw the id
  std::uint32_t attempt = 0;  ///< arrive, answer, adopt
  std::optional<Slot> slot{}; ///< join, leave, credit, adopt, observe; answer: nothing if the batch waits centrally
  Ticket ticket{};            ///< sent, finish
  std::optional<Excluded> exclude{};  ///< arrive
  bool flag = false;  ///< join: it resumes; leave: its queue is kept; answer: the batch has been asked about before
  AttemptEnd ended{};                    ///< finish
  std::uint64_t credit = 0;
  Duration service{}, response{};  ///< observe; its samples are the batch's
};

}  // namespace dp
