// What dp-route did, for the run's report, and its decisions, for the log. Bounded, however long a run is.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <utility>

#include "route/router_options.hpp"
#include "route/roster.hpp"
#include "wire/stage.hpp"

namespace dp {

class RouterRecord {
 public:
  /// `keeps_decisions`: for the log; otherwise they are dropped. `trace` is told of every call of the dispatcher.
  RouterRecord(const Roster& roster, bool keeps_decisions, DispatcherTrace* trace)
      : roster_(roster), keeps_decisions_(keeps_decisions), trace_(trace) {}

  /// Something that a reader of the report should know; also said at once.
  void note(Time now, std::string what, Outbox& out) {
    constexpr std::size_t most_events = 200;
    out.warn(what);
    if (report_.events.size() >= most_events) return;
    report_.events.push_back(std::move(what));
    report_.event_times.push_back(now);
  }
  /// An attempt ended badly at the worker of this name.
  void blame(const std::string& worker) {
    constexpr std::size_t most_names = 4096;  // names are the workers' own
    if (failures_.size() < most_names || failures_.contains(worker)) ++failures_[worker];
  }
  /// That one did not, after all.
  void pardon(const std::string& worker) {
    const auto found = failures_.find(worker);
    if (found != failures_.end() && --found->second == 0) failures_.erase(found);
  }
  void retried() { ++report_.retries; }
  /// The stream had to wait for room.
  void was_full() { ++report_.full; }

  /// The dispatcher was called, or its strategy has answered.
  void called(const DispatcherCall& call) {
    if (trace_) trace_->called(call);
    if (!keeps_decisions_) return;
    if (call.kind == DispatcherCall::Kind::answer && (call.slot || !call.flag))
      decided(call.at, call.batch, call.attempt, call.slot ? "assign" : "central", call.slot);
    if (call.kind == DispatcherCall::Kind::sent)
      decided(call.at, call.batch, call.ticket.attempt, "dispatch", call.ticket.slot);
  }
  void decided(Time now, const BatchMeta& batch, std::uint32_t attempt, const char* what, std::optional<Slot> slot) {
    if (!keeps_decisions_) return;
    const bool known = slot && *slot < roster_.names().size();
    decisions_.push_back({now, batch.id, batch.shard, attempt, what, slot, known ? roster_.names()[*slot] : ""});
  }
  void hand_out_decisions(Outbox& out) {
    for (Decision& decision : decisions_) out.push(std::move(decision));
    decisions_.clear();
  }

  /// What is known here of the run.
  Report report() const {
    Report report = report_;
    report.slots = roster_.names();
    for (const auto& [name, count] : failures_) {
      report.failing.push_back(name);
      report.failures.push_back(count);
    }
    return report;
  }

 private:
  const Roster& roster_;
  bool keeps_decisions_;
  DispatcherTrace* trace_;
  std::vector<Decision> decisions_;
  std::map<std::string, std::uint64_t> failures_;
  Report report_;
};

}  // namespace dp
