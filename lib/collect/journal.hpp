// The journal of a run: what dp-collect must not forget, as records of an append-only file. The format alone
// (JOURNAL.md is the same in prose); journal_file.hpp has the file. All times are on the clock of the
// dp-collect that wrote them.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "wire/message.hpp"

namespace dp {

inline constexpr std::uint32_t journal_format = 2;

/// A dp-collect begins, or goes on, to write: the first record, and one more for each restart.
struct Opened {
  std::uint32_t format = journal_format;
  RunId run{};
  std::string boot_id;       ///< same boot id: the times before and after are on one clock
  Time at{};                 ///< monotonic clock
  std::int64_t wall_ns = 0;  ///< the same moment, ns since 1970-01-01 UTC: joins the clocks of two boots
  auto header() { return std::tie(format, run, boot_id, at, wall_ns); }
};

/// A batch's one entry in the ledger.
struct Settlement {
  BatchId batch{};
  bool failed = false;
  std::uint32_t attempt = 0;
  std::string worker;  ///< who computed it; "" if it failed
  std::string why;     ///< "" unless it failed
  Time sent{}, routed{};
  WorkerTimes at_worker;
  Time collected{};
  std::vector<Label> predictions;  ///< one a sample; none if it failed
  auto header() {
    return std::tie(batch, failed, attempt, worker, why, sent, routed, at_worker.received, at_worker.started,
                    at_worker.done, collected);
  }
  auto arrays() { return std::tie(predictions); }
};

/// Something worth telling in the report.
struct Happened {
  Time at{};
  std::string what;
  auto header() { return std::tie(at, what); }
};

/// Everything is settled, and everyone has left or was waited for.
struct Ended {
  auto header() { return std::tie(); }
};

/// The order is the type number in the file: append only.
using JournalRecord = std::variant<Opened, Run, Announce, Settlement, Happened, Eos, Ended, Report>;

/// Appends one record: checksum, length, type, body.
void append_record(std::string& to, JournalRecord& record);

/// Calls `replay` for each record in order and returns how many bytes they take; what follows is a torn tail,
/// to be cut off. Throws Error when it cannot be one: a bad record with good ones after it, another format, a
/// file that is no journal.
std::size_t read_journal(std::span<const std::byte> bytes,
                         const std::function<void(JournalRecord&&)>& replay);

}  // namespace dp
