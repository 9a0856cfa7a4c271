// Reading what dp-collect --events wrote, and which run it is of.
// SPDX-License-Identifier: MIT
#include "plot/batch_times.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "../report/make_run.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "plot/shown_run.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

const std::string header = R"({"type":"run","schema":"dp.events/1","run_id":"b2"})"
                           "\n";
const std::string batch =
    R"({"type":"batch","id":7,"seq":0,"samples":32,"status":"ok","attempt":1,"scheduled_ms":5,"released_ms":6,"sent_ms":7,"routed_ms":8,"received_ms":9,"started_ms":10,"done_ms":20,"collected_ms":25,"latency_ms":20,"worker":"w0"})"
    "\n";
const std::string failed =
    R"({"type":"batch","id":8,"seq":1,"samples":32,"status":"failed","attempt":3,"scheduled_ms":5,"released_ms":6,"collected_ms":99,"why":"lost"})"
    "\n";

/// A folder of its own, gone with the test.
class BatchTimesFile : public testing::Test {
 protected:
  ~BatchTimesFile() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path file(const std::string& name, const std::string& text) const {
    write_atomically(folder_ / name, text);
    return folder_ / name;
  }
  std::vector<MeasuredRun> runs() const {
    std::vector<MeasuredRun> runs{
        make_run({.run_id = "a1", .nodes = 4, .rate_mode = "open"}),
        make_run({.run_id = "b2", .nodes = 1, .rate_mode = "open"}),
        make_run({.run_id = "c3", .nodes = 8, .rate_mode = "open", .valid = false})};
    for (MeasuredRun& run : runs) run.file = folder_ / (run.report.run_id + ".json");
    return runs;
  }

 private:
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("dp-batch-times-" + std::to_string(getpid()));
};

template <class Body>
std::string error_of(Body body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST_F(BatchTimesFile, HoldsTheBatchesThatSucceeded) {
  const BatchTimes times = read_batch_times(file("e.ndjson", header + batch + failed + batch.substr(0, 40)));
  EXPECT_EQ(times.run_id, "b2");
  ASSERT_EQ(times.batches.size(), 1u);
  const BatchTime& b = times.batches[0];
  EXPECT_EQ(b.id, 7u);
  EXPECT_EQ(b.samples, 32u);
  EXPECT_EQ(b.worker, "w0");
  EXPECT_EQ(b.scheduled_ms, 5);
  EXPECT_EQ(b.routed_ms, 8);
  EXPECT_EQ(b.started_ms, 10);
  EXPECT_EQ(b.done_ms, 20);
  EXPECT_EQ(b.collected_ms, 25);
  EXPECT_EQ(b.latency_ms, 20);
}

TEST_F(BatchTimesFile, NamesTheLineThatIsNone) {
  const auto path = file("e.ndjson", header + batch + "{\"type\":\"batch\"}\n");
  EXPECT_THAT(error_of([&] { read_batch_times(path); }),
              HasSubstr("e.ndjson: line 3 is none of dp.events/1"));
  const auto headless = file("f.ndjson", batch);
  EXPECT_THAT(error_of([&] { read_batch_times(headless); }), HasSubstr("f.ndjson: does not say which run"));
}

TEST_F(BatchTimesFile, BesideARunDecidesWhichRunIsShown) {
  file("none.ndjson", "not JSON\n");
  file("other.ndjson", R"({"type":"run","schema":"dp.events/1","run_id":"d4"})"
                       "\n");
  EXPECT_EQ(shown_run(runs(), "").run.report.run_id, "a1") << "valid, and of those on the most nodes";
  EXPECT_FALSE(shown_run(runs(), "").times);
  file("b2.ndjson", header + batch);
  const ShownRun shown = shown_run(runs(), "");
  EXPECT_EQ(shown.run.report.run_id, "b2");
  ASSERT_TRUE(shown.times);
  EXPECT_EQ(shown.times->batches.size(), 1u);
  EXPECT_THAT(run_notes(shown), HasSubstr("Run b2.json, one of 3"));
}

TEST_F(BatchTimesFile, GivenMustBeOfOneOfTheRuns) {
  const auto path = file("x/e.ndjson", header + batch);
  EXPECT_EQ(shown_run(runs(), path).run.report.run_id, "b2");
  EXPECT_THAT(error_of([&] { shown_run({runs()[0]}, path); }),
              HasSubstr("e.ndjson: is of run b2, which is not among the runs"));
}

}  // namespace
}  // namespace dp
