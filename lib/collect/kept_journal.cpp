// SPDX-License-Identifier: MIT
#include "collect/kept_journal.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <utility>

#include "base/file.hpp"
#include "base/log.hpp"
#include "report/run_report.hpp"

namespace dp {
namespace {

/// Follows the records: what a journal says of its run's end. A HAPPENED after the end says that the report is written.
struct End {
  void take(const JournalRecord& record) {
    if (const auto* opened = std::get_if<Opened>(&record)) run = opened->run;
    ended = ended || std::holds_alternative<Ended>(record);
    reported = reported || (ended && std::holds_alternative<Happened>(record));
  }
  RunId run{};
  bool ended = false, reported = false;
};

/// Of a run that came to its end in this journal; none of one that cannot be read: that says so when it is opened.
std::optional<End> end_in(const std::string& path) {
  End end;
  try {
    const MappedFile file(path);
    read_journal(file.bytes(), [&](JournalRecord&& record) { end.take(record); });
  } catch (const Error&) {
    return std::nullopt;
  }
  return end.ended ? std::optional(end) : std::nullopt;
}

/// Of a run, not only of a dp-collect that waits for one.
bool begins(const std::string& records) {
  bool run = false;
  read_journal(std::as_bytes(std::span(records)),
               [&](JournalRecord&& record) { run = run || std::holds_alternative<Run>(record); });
  return run;
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
  const auto end = place_.temporary || place_.anew ? end_in(place_.path) : std::nullopt;
  if (!end) return;
  const bool there = is_report_of(end->run, out);
  if (there && place_.temporary) std::filesystem::remove(place_.path);
  recovers_ = !there && (place_.temporary || !end->reported);
}

void KeptJournal::open(Collector& collector) {
  if (!used()) return;
  const bool anew = place_.anew && !recovers_;
  End end;
  file_ = std::make_unique<JournalFile>(place_.path, [&](JournalRecord&& record) {
    end.take(record);
    if (anew) forgets_ = true;
    else collector.replay(std::move(record));
  });
  ends_reported_ = end.reported;
  if (anew) return;
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
  auto* append = std::get_if<Append>(&action);
  if (!append || !file_) return;
  if (forgets_) take_anew(std::move(append->records));
  else file_->append(std::move(append->records));
}

/// While no run has begun nothing was promised to anybody, and what the file holds is worth more.
void KeptJournal::take_anew(std::string records) {
  held_ += records;
  if (!begins(held_)) return file_->append("");  // counts as durable
  file_->forget();
  forgets_ = ends_reported_ = false;
  file_->append(std::exchange(held_, {}));
}

void KeptJournal::sync(Collector& collector) {
  if (!file_) return;
  file_->close();
  Outbox nobody;
  collector.durable(now(), file_->durable(), nobody);
}

void KeptJournal::reported() {
  if (!named()) return remove_if_temporary();
  if (ends_reported_) return;
  std::string record;
  JournalRecord written = Happened{now(), "the report was written"};
  append_record(record, written);
  try {
    file_->append(std::move(record));
    file_->close();
  } catch (const Error& problem) {
    log_warn("{}", problem.what());  // the report is there all the same
  }
}

void KeptJournal::remove_if_temporary() {
  if (used() && place_.temporary && !forgets_) std::filesystem::remove(place_.path);
}

}  // namespace dp
