// SPDX-License-Identifier: MIT
#include "collect/kept_journal.hpp"

#include <filesystem>

#include "base/file.hpp"
#include "base/log.hpp"

namespace dp {
namespace {

/// True of the journal of a run that came to its end; one that cannot be read says so when it is opened.
bool has_ended(const std::string& path) {
  bool ended = false;
  try {
    const MappedFile file(path);
    read_journal(file.bytes(),
                 [&](JournalRecord&& record) { ended = std::holds_alternative<Ended>(record); });
  } catch (const Error&) {
    return false;
  }
  return ended;
}

}  // namespace

KeptJournal::KeptJournal(JournalPlace place, const std::string& out) : place_(std::move(place)) {
  if (!place_.temporary || !has_ended(place_.path)) return;
  if (std::filesystem::exists(out)) std::filesystem::remove(place_.path);
  else recovers_ = true;
}

void KeptJournal::open(Collector& collector) {
  if (!used()) return;
  file_ = std::make_unique<JournalFile>(place_.path,
                                        [&](JournalRecord&& record) { collector.replay(std::move(record)); });
  if (file_->torn()) log_warn("{}: {} bytes of a torn last record cut off", place_.path, file_->torn());
  if (!collector.resumed()) return;
  log_warn("{}: {} run {:016x}, {} batches settled (to begin anew, remove the file)", place_.path,
           collector.finished() ? "this is the report of" : "going on with", raw(collector.run()),
           collector.settled());
}

void KeptJournal::woken(Time now, Collector& collector, Outbox& out) {
  collector.durable(now, file_->durable(), out);
}

void KeptJournal::take(Action& action) {
  if (auto* append = std::get_if<Append>(&action); append && file_) file_->append(std::move(append->records));
}

void KeptJournal::sync(Collector& collector) {
  if (!file_) return;
  file_->close();
  Outbox nobody;
  collector.durable(now(), file_->durable(), nobody);
}

void KeptJournal::remove_if_temporary() {
  if (used() && place_.temporary) std::filesystem::remove(place_.path);
}

}  // namespace dp
