// When a journal that nobody named may go: never while it is the only copy of a report.
// SPDX-License-Identifier: MIT
#include "collect/kept_journal.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "base/file.hpp"
#include "report/run_report.hpp"
#include "sample_journal.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using namespace sample;

struct KeptJournals : testing::Test {
  KeptJournals() {
    std::string pattern = (fs::temp_directory_path() / "dp-kept-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    out = folder / "run.json";
    path = folder / "run.json.journal";
    write_atomically(path, written(opened()) + written(Ended{}));
  }
  ~KeptJournals() override { fs::remove_all(folder); }
  void report_of(RunId run) const {
    RunReport report;
    report.run_id = fmt::format("{:016x}", raw(run));
    write_atomically(out, write_run_report(report));
  }
  KeptJournal kept(bool anew = false) const { return {{path.string(), true, anew}, out.string()}; }

  fs::path folder, out, path;
};

TEST_F(KeptJournals, GoesOnceItsReportIsThere) {
  report_of(opened().run);
  EXPECT_FALSE(kept().recovers());
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(KeptJournals, StaysWhereNoReportIs) {
  for (const bool anew : {false, true}) EXPECT_TRUE(kept(anew).recovers());
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(KeptJournals, StaysWhereAnotherRunsReportIs) {
  report_of(RunId{0xB2});
  EXPECT_TRUE(kept().recovers());
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(KeptJournals, StaysWhereSomethingElseIs) {
  fs::create_directory(out);
  EXPECT_TRUE(kept().recovers());
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(KeptJournals, WithANameAndBegunAnewBringsBackAReportThatIsNowhereElse) {
  const auto named = [&](bool anew, const fs::path& to) {
    return KeptJournal({path.string(), false, anew}, to.string()).recovers();
  };
  EXPECT_TRUE(named(true, out));
  EXPECT_TRUE(named(true, "")) << "stdout, which cannot be looked at";
  EXPECT_FALSE(named(false, out)) << "it is gone on with";
  report_of(opened().run);
  EXPECT_FALSE(named(true, out));
  EXPECT_TRUE(fs::exists(path)) << "it has a name";
  Happened written_down{Time{}, "the report was written"};
  write_atomically(path, written(opened()) + written(Ended{}) + written(written_down));
  EXPECT_FALSE(named(true, "")) << "it says that its report is somewhere";
  EXPECT_FALSE(kept().recovers());
  EXPECT_FALSE(fs::exists(path)) << "a copy beside the report";
}

struct BegunAnew : KeptJournals {
  BegunAnew() : before(written(opened()) + written(Happened{Time{}, "something"})) {
    write_atomically(path, before);
    journal.emplace(JournalPlace{path.string(), true, true}, out.string());
    journal->open(collector);
  }
  void append(const std::string& records) {
    Action action = Append{records};
    journal->take(action);
    journal->sync(collector);
  }
  std::string now_in_it() const { return read_text(path); }

  std::string before;
  Collector collector{{}, 1};
  std::optional<KeptJournal> journal;
};

TEST_F(BegunAnew, KeepsWhatItHoldsUntilARunBegins) {
  EXPECT_FALSE(collector.resumed());
  append(written(opened()));
  append(written(Happened{Time{}, "nobody came"}));
  EXPECT_EQ(now_in_it(), before);
  journal->remove_if_temporary();
  EXPECT_EQ(now_in_it(), before) << "it holds what another run left";
}

TEST_F(BegunAnew, HoldsTheNewRunAloneOnceThatBegins) {
  append(written(opened()));
  append(written(filled<dp::Run>()));
  append(written(Happened{Time{}, "more"}));
  EXPECT_EQ(now_in_it(), written(opened()) + written(filled<dp::Run>()) + written(Happened{Time{}, "more"}));
  journal->remove_if_temporary();
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(KeptJournals, OfARunThatDidNotEndIsNotARecovery) {
  write_atomically(path, written(opened()));
  EXPECT_FALSE(kept().recovers());
  EXPECT_TRUE(fs::exists(path));
}

}  // namespace
}  // namespace dp
