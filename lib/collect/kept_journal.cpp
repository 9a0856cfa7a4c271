// SPDX-License-Identifier: MIT
#include "collect/kept_journal.hpp"

#include <filesystem>
#include <optional>

#include "base/file.hpp"
#include "base/log.hpp"
#include "report/run_report.hpp"

namespace dp {
namespace {

/// The run that came to its end in this journal; none of one that cannot be read: that says so when it is opened.
std::optional<RunId> run_that_ended(const std::string& path) {
  RunId run{};
  bool ended = false;
  try {
    const MappedFile file(path);
    read_journal(file.bytes(), [&](JournalRecord&& record) {
      if (const auto* opened = std::get_if<Opened>(&record)) run = opened->run;
      ended = std::holds_alternative<Ended>(record);
    });
  } catch (const Error&) {
    return std::nullopt;
  }
  return ended ? std::optional(run) : std::nullopt;
}

bool is_report_of(RunId run, const std::string& path) {
  try {
    return read_run_report(path).run_id == fmt::format("{:016x}", raw(run));
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

KeptJournal::KeptJournal(JournalPlace place, const std::string& out) : place_(std::move(place)) {
  const auto ended = place_.temporary ? run_that_ended(place_.path) : std::nullopt;
  if (!ended) return;
  if (is_report_of(*ended, out)) std::filesystem::remove(place_.path);
  else recovers_ = true;
}

void KeptJournal::open(Collector& collector) {
  if (!used()) return;
  const bool forgets = place_.anew && !recovers_;
  file_ = std::make_unique<JournalFile>(place_.path, [&](JournalRecord&& record) {
    if (!forgets) collector.replay(std::move(record));
  });
  if (forgets) return file_->forget();
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
