// What must hold at every step, whatever the adversary does. Watches messages as they are sent and the journal
// as it is written; knows nothing of the stages' insides.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <set>
#include <string>

#include "collect/journal.hpp"
#include "disk.hpp"
#include "scenario.hpp"

namespace dp::adversary {

/// An invariant was broken: says which.
struct Violation : Error {
  using Error::Error;
};

class Invariants {
 public:
  Invariants(const Scenario& scenario, std::uint64_t batches) : scenario_(scenario), batches_(batches) {}

  /// A stage sends this.
  void sent(Role from, Role to, const Envelope& envelope);
  /// This reaches a stage.
  void delivered(Role to, const Envelope& envelope);
  /// So many batches are kept by the router.
  void buffered(std::size_t batches) const;
  /// More of the journal is durable: settled what was announced before, none twice.
  void durable(const Disk& disk);
  /// Everything is settled and the file says so.
  void complete() const;

  std::uint64_t settled() const { return durable_.size(); }

 private:
  using Link = std::pair<Session, Session>;  ///< whoever takes batches, whoever gives them
  void told(BatchId id, const char* in) const;
  void limit(Link link, std::uint64_t limit, std::uint64_t window);
  void take(JournalRecord& record);
  void check_settlement(const Settlement& settlement) const;

  const Scenario& scenario_;
  std::uint64_t batches_;
  std::map<Link, std::uint64_t> limits_, sent_, delivered_;
  std::string opened_;    ///< the journal's first record, with which any part of it can be read
  std::size_t read_ = 0;  ///< bytes of the journal seen to be durable
  std::set<std::uint64_t> announced_;
  std::map<BatchId, Settlement> durable_;
  bool ended_ = false;
};

}  // namespace dp::adversary
