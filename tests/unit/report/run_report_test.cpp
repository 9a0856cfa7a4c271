// run.json: what is written can be read back, and what is wrong is named.
// SPDX-License-Identifier: MIT
#include "report/run_report.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "base/error.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

RunReport full_report() {
  RunReport r;
  r.run_id = "00ff";
  r.valid = true;
  r.verdicts = {{"generator lateness p99", "0.2 ms", "< 1 ms", true, ""}};
  r.slo = {{"SLO p99 <= 5 ms", "6 ms", "<= 5 ms", false, "add workers"}};
  r.config = {
      {"stream", {{"rate", std::int64_t{1000}}, {"batch-timeout", std::string("20ms")}, {"skew", 1.5}}},
      {"route", {}}};
  r.host.cpu = "a CPU";
  r.versions.git = "abc";
  r.strategy = "dynamic";
  r.nodes = 2;
  r.rates.requested = 1000;
  r.latency_ms.p99 = 12.5;
  r.latency_ms.supported.p99 = true;
  r.latency_ms.upper.p99 = 14;
  r.service_ms = {{1.5, 7}};
  r.workers.resize(2);
  r.workers[1].slot = 1;
  r.workers[1].cpu_percent = MeanMax{90, 100};
  r.workers[1].data_mb_peak = 1.5;
  r.workers[1].cores = 1.5;
  r.workers[1].failed = 3;
  r.host.usable_cores = 2;
  r.data_moved_mb = 2.5;
  r.stages = {{"route", std::nullopt, MeanPeak{10, 12}, FirstLastPeak{3, 4, 5}}};
  r.events = {{1.5, "worker w1 lost"}};
  r.series = {{0, 1000, 990, 10, 3.5, 5.5, 6.5}, {1, 1000, 1010, 0, 3.5, std::nullopt, 7, 2}};
  r.warmup.seconds = 2;
  r.steady_state.completed = {1000, 0.01, 0.001, 0.002};
  r.steady_state.steady = false;
  r.host.steal_percent.during = 1;
  r.host.cpu_busy_percent = MeanMax{50, 60};
  r.host.memory_used_mb = MeanPeak{500, 600};
  return r;
}

std::string error_of(const std::string& text) {
  try {
    parse_run_report(text, "x.json");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(RunReport, ReadsBackWhatItWrote) {
  EXPECT_EQ(parse_run_report(write_run_report(full_report()), "x.json"), full_report());
}

TEST(RunReport, OpensWithItsSchema) {
  EXPECT_THAT(write_run_report({}), testing::StartsWith("{\n \"schema\": \"dp.run/1\",\n"));
}

TEST(RunReport, WritesNullForWhatIsNotKnown) {
  const std::string text = write_run_report({});
  EXPECT_THAT(text, HasSubstr("\"git\": null"));
  EXPECT_THAT(text, HasSubstr("\"requested\": null"));
}

TEST(RunReport, RefusesToWriteANumberThatIsNotFinite) {
  RunReport r;
  r.duration_s = NAN;
  EXPECT_THROW(write_run_report(r), Error);
}

TEST(RunReport, NamesFileAndFieldOfWhatIsWrong) {
  const std::string good = write_run_report(full_report());
  EXPECT_THAT(error_of(replaced(good, "\"utilization\"", "\"utilisation\"")),
              HasSubstr("x.json: workers[0].utilization: missing"));
  EXPECT_THAT(error_of(replaced(good, "\"nodes\": 2", "\"nodes\": \"2\"")),
              HasSubstr("x.json: nodes: expected"));
  EXPECT_THAT(error_of(replaced(good, "\"nodes\": 2", "\"nodes\": -2")), HasSubstr("nodes: expected"));
  EXPECT_THAT(error_of(replaced(good, "\"nodes\": 2", "\"nodes\": 99999999999")),
              HasSubstr("nodes: expected"));
  EXPECT_THAT(error_of(replaced(good, "dp.run/1", "dp.run/9")), HasSubstr("schema is \"dp.run/9\""));
  EXPECT_THAT(error_of(replaced(good, "\"seconds\": 1,\n   \"offered\"", "\"seconds\": 0,\n   \"offered\"")),
              HasSubstr("x.json: series: a row of 0 seconds"));
  EXPECT_THAT(error_of("[]"), HasSubstr("x.json: top level: not an object"));
  EXPECT_THAT(error_of(good.substr(0, good.size() / 2)), HasSubstr("x.json: not JSON"));
}

}  // namespace
}  // namespace dp
