// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "route/dispatcher.hpp"
#include "wire/link.hpp"

namespace dp {

/// Whoever keeps a trace of the dispatcher.
class DispatcherTrace {
 public:
  virtual ~DispatcherTrace() = default;
  virtual void begins(const std::string& strategy, const StrategySetup& setup) = 0;
  virtual void called(const DispatcherCall& call) = 0;
};

struct RouterOptions {
  std::string strategy = "dynamic";  ///< with its parameters: parse_strategy() reads it
  std::uint32_t workers = 1;         ///< wanted
  Duration lease = std::chrono::seconds(10);
  Duration lease_cap = std::chrono::minutes(10);  ///< however often it is renewed
  std::uint32_t attempts = 4;                     ///< charged attempts before a batch is given up
  std::uint64_t buffer = 0;                       ///< batches; 0: 256 inline, 65,536 by reference
  Duration grace = std::chrono::seconds(3);       ///< after a restart: for workers to come back
  Duration give_up = std::chrono::seconds(5);     ///< for goodbyes at the end
  std::uint64_t seed = 1;
  bool log_decisions = false;
  DispatcherTrace* trace = nullptr;  ///< told of every call of the dispatcher
  std::string boot_id;
  LinkTiming timing;
  std::vector<std::string> record;  ///< options as given, for the report: name, value, …
};

}  // namespace dp
