// The ledger's file as dp-collect keeps it: where it is, who is told what it holds, and when it may go.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "collect/collector.hpp"
#include "collect/journal_file.hpp"

namespace dp {

/// Where the ledger is kept, if anywhere.
struct JournalPlace {
  std::string path;        ///< "": nowhere
  bool temporary = false;  ///< nobody named it: it goes once the report is there
  bool anew = false;       ///< what it holds of another run is forgotten once a new one begins
};

class KeptJournal {
 public:
  /// One that nobody named and whose report is there as `out` was left by a crash in between, and is removed. Of one
  /// whose report is neither there nor said in it to be written, it is the only copy: that is brought back, also if a
  /// run is to begin anew.
  KeptJournal(JournalPlace place, const std::string& out);
  bool named() const { return used() && !place_.temporary; }
  /// It only brings back the report of a run that is over.
  bool recovers() const { return recovers_; }
  bool used() const { return !place_.path.empty(); }
  std::string name() const { return used() ? place_.path : "none"; }

  /// Tells the collector what the file holds. Throws Error.
  void open(Collector& collector);
  /// To be watched, once open: readable when something has become durable; then call `woken`.
  int descriptor() const { return file_->descriptor(); }
  void woken(Time now, Collector& collector, Outbox& out);
  /// Carries an Append out, and leaves any other action alone.
  void take(Action& action);
  /// Waits until all is durable, and tells.
  void sync(Collector& collector);
  /// The report is written: one with a name says so from now on, and one without goes.
  void reported();
  /// It is not needed any more, unless it still holds another run because none has begun anew.
  void remove_if_temporary();

 private:
  void take_anew(std::string records);

  JournalPlace place_;
  bool recovers_ = false;
  bool forgets_ = false;  ///< once a run begins
  bool ends_reported_ = false;
  std::string held_;  ///< of the new run, until it begins
  std::unique_ptr<JournalFile> file_;
};

}  // namespace dp
