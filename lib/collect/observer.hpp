// Who is told of each batch the ledger has settled, as a record a person could want to look at: --events and
// --trace. Not for figures: the recorder has those.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "wire/message.hpp"

namespace dp {

/// A batch as it stands in the ledger, all times on the collector's clock.
struct SettledBatch {
  BatchId id{};
  std::size_t samples = 0;
  bool failed = false;
  std::uint32_t attempt = 0;  ///< the one that settled it, from 1; if it failed, how many there were
  std::string worker, why;    ///< "" if it failed; "" unless it failed
  OutboundTimes outbound;     ///< of a failed one: scheduled and released only
  WorkerTimes at_worker;      ///< not of a failed one
  Time collected{};
};

/// Told in the order of the ledger, each batch once, after the journal has it; a restarted ledger tells what
/// its journal holds again.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Before everything else; `resumed`: an earlier process began this run.
  virtual void opened(RunId run, bool resumed) = 0;
  /// The schedule's zero is fixed.
  virtual void started(Time t0) = 0;
  virtual void settled(const SettledBatch& batch) = 0;
  /// Something worth telling.
  virtual void happened(Time at, const std::string& what) = 0;
};

}  // namespace dp
