// Which runs make up a cell and which of them count.
// SPDX-License-Identifier: MIT
#include "report/sweep.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "make_run.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

template <class Body>
std::string error_of(Body body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

class Files : public testing::Test {
 protected:
  Files() { fs::remove_all(folder_); }
  ~Files() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const RunReport& report) const {
    write_atomically(folder_ / name, write_run_report(report));
    return (folder_ / name).string();
  }

  const fs::path folder_ = fs::temp_directory_path() / ("dp-sweep-" + std::to_string(getpid()));
};

TEST_F(Files, AreGivenByNameListOrFolderAndReadOnce) {
  const std::string a = write("runs/a.json", make_run({.run_id = "a"}).report);
  const std::string b = write("runs/deeper/b.json", make_run({.run_id = "b"}).report);
  write_atomically(folder_ / "runs/summary.json", "{\"schema\": \"dp.summary/1\"}");
  write_atomically(folder_ / "list", a + "\n" + b + "\n");
  EXPECT_EQ(load_runs({a}).size(), 1u);
  EXPECT_EQ(load_runs({"@" + (folder_ / "list").string()}).size(), 2u);
  EXPECT_EQ(load_runs({(folder_ / "runs").string(), a}).size(), 2u);
}

TEST_F(Files, OfOneRunTwiceAreRefused) {
  const std::string a = write("a.json", make_run({.run_id = "a"}).report);
  const std::string copy = write("copy.json", make_run({.run_id = "a"}).report);
  EXPECT_THAT(error_of([&] { load_runs({a, copy}); }), HasSubstr("are the same run (a)"));
}

TEST_F(Files, ThatHoldNoRunAreNamed) {
  write_atomically(folder_ / "x.json", "{}");
  EXPECT_THAT(error_of([&] { load_runs({(folder_ / "x.json").string()}); }),
              HasSubstr("x.json: schema: missing"));
  EXPECT_THAT(error_of([&] { load_runs({folder_.string()}); }), HasSubstr("no run.json among"));
}

std::vector<std::string> cell_names(const Sweep& sweep) {
  std::vector<std::string> names;
  for (const Cell& c : sweep.cells) names.push_back(c.strategy + std::to_string(c.nodes));
  return names;
}

TEST(Sweep, OrdersCellsByStrategyThenNodes) {
  const Sweep sweep =
      group_runs({make_run({.strategy = "jsq"}), make_run({.strategy = "sharded"}),
                  make_run({.strategy = "uniform", .nodes = 10}),
                  make_run({.strategy = "uniform", .nodes = 2}), make_run({.strategy = "dynamic"})});
  EXPECT_THAT(cell_names(sweep),
              testing::ElementsAre("uniform2", "uniform10", "dynamic1", "sharded1", "jsq1"));
}

TEST(Sweep, TellsRepetitionsOfOneSeedApartByTheirStart) {
  const Sweep sweep = group_runs({make_run({.run_id = "late", .seed = 1, .started = "T2"}),
                                  make_run({.run_id = "early", .seed = 1, .started = "T1"}),
                                  make_run({.run_id = "other", .seed = 2, .started = "T0"})});
  const Repetitions& at_max = sweep.cells.at(0).at_max;
  EXPECT_EQ(at_max.at({"1", 0})->report.run_id, "early");
  EXPECT_EQ(at_max.at({"1", 1})->report.run_id, "late");
  EXPECT_EQ(at_max.at({"2", 0})->report.run_id, "other");
}

TEST(Sweep, KeepsRunsAtTheRateAndAtMaxApart) {
  const Sweep sweep = group_runs({make_run({.rate_mode = "open"}), make_run({}), make_run({.seed = 2})});
  EXPECT_EQ(sweep.cells.at(0).at_rate.size(), 1u);
  EXPECT_EQ(sweep.cells.at(0).at_max.size(), 2u);
}

TEST(Sweep, RefusesRunsThatDifferInWhatMustBeConstant) {
  MeasuredRun other = make_run({});
  other.file = "other.json";
  other.report.payload = "reference";
  EXPECT_THAT(error_of([&] {
                group_runs({make_run({}), other});
              }),
              HasSubstr("payload is inline in run.json and reference in other.json"));
  MeasuredRun faster = make_run({.rate_mode = "open"});
  faster.report.rates.requested = 2000;
  EXPECT_THAT(error_of([&] {
                group_runs({make_run({.rate_mode = "open"}), faster});
              }),
              HasSubstr("rate is 1000/s"));
}

TEST(Sweep, RefusesRunsOfOtherBatches) {
  MeasuredRun small = make_run({}), large = make_run({.run_id = "2"});
  small.report.config[0].second.emplace_back("batch-size", "8");
  large.report.config[0].second.emplace_back("batch-size", "32");
  large.file = "large.json";
  EXPECT_THAT(error_of([&] {
                group_runs({small, large});
              }),
              HasSubstr("batch-size is 8 in run.json and 32 in large.json"));
  EXPECT_NO_THROW(group_runs({small}));
}

TEST(Sweep, ComparesArrivalsOfRunsAtARateOnly) {
  MeasuredRun max = make_run({}), constant = make_run({.run_id = "2", .rate_mode = "open"});
  MeasuredRun poisson = make_run({.run_id = "3", .rate_mode = "open"});
  for (MeasuredRun* run : {&max, &constant, &poisson}) {
    run->report.config[0].second.emplace_back("arrivals", run == &poisson ? "poisson" : "constant");
    run->report.config[0].second.emplace_back("batch-timeout", run == &poisson ? "5ms" : "0s");
  }
  EXPECT_EQ(group_runs({max, poisson}).cells.size(), 1u);
  EXPECT_EQ(group_runs({max, constant}).cells.size(), 1u);
  EXPECT_THAT(error_of([&] { group_runs({constant, poisson}); }), HasSubstr("arrivals is constant"));
}

TEST(Sweep, TakesALayoutForTheWorkersOfEachRunForOne) {
  MeasuredRun two = make_run({.nodes = 2}), four = make_run({.run_id = "2", .nodes = 4});
  two.report.config[0].second.emplace_back("layout", "distributed:2,shuffle");
  four.report.config[0].second.emplace_back("layout", "distributed:4,shuffle");
  EXPECT_EQ(group_runs({two, four}).cells.size(), 2u);
  four.report.config[0].second.back().second = "distributed:2,shuffle";
  EXPECT_THAT(error_of([&] { group_runs({two, four}); }), HasSubstr("layout is distributed:W,shuffle"));
}

TEST(Sweep, CountsValidRunsAndInvalidOnesOnlyWhereThereIsNoOther) {
  const Sweep mixed =
      group_runs({make_run({.run_id = "good"}), make_run({.run_id = "bad", .seed = 2, .valid = false})});
  ASSERT_EQ(counted(mixed.cells.at(0).at_max).size(), 1u);
  EXPECT_EQ(counted(mixed.cells.at(0).at_max)[0]->report.run_id, "good");
  const Sweep bad = group_runs({make_run({.valid = false})});
  EXPECT_EQ(counted(bad.cells.at(0).at_max).size(), 1u);
}

}  // namespace
}  // namespace dp
