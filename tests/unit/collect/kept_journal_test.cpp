// When a journal that nobody named may go: never while it is the only copy of a report.
// SPDX-License-Identifier: MIT
#include "collect/kept_journal.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

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

TEST_F(KeptJournals, OfARunThatDidNotEndIsNotARecovery) {
  write_atomically(path, written(opened()));
  EXPECT_FALSE(kept().recovers());
  EXPECT_TRUE(fs::exists(path));
}

}  // namespace
}  // namespace dp
