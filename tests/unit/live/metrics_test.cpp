// What Prometheus and scripts are told. That Prometheus' own parser reads it is tried in tests/e2e/top.sh.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "live/metrics_server.hpp"
#include "live/metrics_text.hpp"
#include "live/snapshot_json.hpp"
#include "snapshots.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

TEST(Metrics, SayWhatTheSnapshotSays) {
  Snapshot s = running(2);
  s.states[3] = static_cast<std::uint8_t>(PeerPresence::lost);
  s.failed = 7;
  const std::string text = metrics_text(s, "1.2.3");
  for (const char* line :
       {"dataparallel_samples_completed_total 1000\n", "dataparallel_samples_failed_total 7\n",
        "dataparallel_build_info{version=\"1.2.3\"} 1\n",
        "dataparallel_run_info{run_id=\"000000000000abcd\",strategy=\"dynamic\"} 1\n",
        "dataparallel_run_state{state=\"running\"} 1\n", "dataparallel_run_state{state=\"done\"} 0\n",
        "dataparallel_worker_up{worker=\"w0\",host=\"node1\"} 1\n",
        "dataparallel_worker_up{worker=\"w1\",host=\"node1\"} 0\n",
        "dataparallel_worker_samples_total{worker=\"w1\",host=\"node1\"} 20\n",
        "dataparallel_process_cpu_seconds_total{role=\"dp-infer\",worker=\"w0\",host=\"node1\"} 3\n",
        "dataparallel_process_resident_memory_bytes{role=\"dp-infer\",worker=\"w0\",host=\"node1\"} "
        "200000000\n",
        "dataparallel_process_resident_memory_bytes{role=\"dp-stream\",worker=\"\",host=\"node1\"} "
        "200000000\n"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, GiveLatencyAsAHistogram) {
  Snapshot s = running(0);
  s.latency_bounds = {ms(1), ms(25), std::chrono::seconds(10)};
  s.latency_counts = {0, 400, 700};
  s.latency_sum = ms(14'700);
  EXPECT_THAT(metrics_text(s, ""), HasSubstr("# TYPE dataparallel_batch_latency_seconds histogram\n"
                                             "dataparallel_batch_latency_seconds_bucket{le=\"0.001\"} 0\n"
                                             "dataparallel_batch_latency_seconds_bucket{le=\"0.025\"} 400\n"
                                             "dataparallel_batch_latency_seconds_bucket{le=\"10\"} 700\n"
                                             "dataparallel_batch_latency_seconds_bucket{le=\"+Inf\"} 700\n"
                                             "dataparallel_batch_latency_seconds_sum 14.7\n"
                                             "dataparallel_batch_latency_seconds_count 700\n"));
}

TEST(Metrics, EscapeWhatPeersCallThemselves) {
  Snapshot s = running(0);
  add_process(s, Role::infer, "a\"b\\c\nd\x1b", 1);
  EXPECT_THAT(metrics_text(s, ""),
              HasSubstr("dataparallel_worker_up{worker=\"a\\\"b\\\\x5Cc\\nd\\\\x1B\",host=\"node1\"} 1\n"));
}

TEST(Metrics, KeepNamesOutsideAsciiApart) {
  Snapshot s = running(0);
  add_process(s, Role::infer, "\u00e4", 1);
  add_process(s, Role::infer, "\u00f6", 1);
  const std::string text = metrics_text(s, "");
  EXPECT_THAT(text, HasSubstr(R"(dataparallel_worker_up{worker="\\xC3\\xA4",host="node1"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(dataparallel_worker_up{worker="\\xC3\\xB6",host="node1"} 1)"));
}

TEST(Metrics, AreRefusedBeyondThisHost) {
  EXPECT_EQ(checked_metrics_address("127.0.0.1:9464", false), "127.0.0.1:9464");
  EXPECT_EQ(checked_metrics_address("0.0.0.0:9464", true), "0.0.0.0:9464");
  for (const char* bad : {"0.0.0.0:9464", "10.0.0.1:1", ":9464", "9464", "127.0.0.1", "127.0.0.1:99999",
                          "http://127.0.0.1:9464", "127.0.0.1:9464/metrics", ""})
    EXPECT_THROW(checked_metrics_address(bad, false), UsageError) << bad;
}

TEST(SnapshotJson, RatesAreNoHigherThanWhatWasOfferedAtTheBeginning) {
  Snapshot s = running(1);
  s.requested = 10;
  s.elapsed = s.recent_window = ms(300);  // due at 0, 100, 200 and 300 ms
  s.recent_offered = s.recent_completed = s.recent_samples.back() = 4;
  const auto json = nlohmann::json::parse(snapshot_json(s));
  EXPECT_DOUBLE_EQ(json["rates"]["offered"], 10);
  EXPECT_DOUBLE_EQ(json["rates"]["completed"], 10);
  EXPECT_DOUBLE_EQ(json["workers"][0]["rate"], 10);
  EXPECT_DOUBLE_EQ(json["rates"]["window_s"], 0.3);
}

TEST(SnapshotJson, IsOneLineWithUnitsAndNulls) {
  Snapshot s = running(1);
  s.recent_span[2] = {};
  s.names[2] = "not UTF-8: \xFF";
  const std::string line = snapshot_json(s);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["schema"], "dp.live/1");
  EXPECT_DOUBLE_EQ(json["rates"]["completed"], 98);
  EXPECT_DOUBLE_EQ(json["batch_latency_ms"]["p95"], 31);
  EXPECT_EQ(json["batch_latency_ms"]["supported"]["p99"], true);  // 700 batches, 662 needed
  EXPECT_EQ(json["recent_batch_latency_ms"]["supported"]["p99"], false);
  EXPECT_TRUE(json["workers"][0]["cpu_percent"].is_null());
  EXPECT_DOUBLE_EQ(json["workers"][0]["rss_mb"], 200);
  EXPECT_DOUBLE_EQ(json["tools"]["dp-route"]["cpu_percent"], 50);
  EXPECT_TRUE(nlohmann::json::parse(snapshot_json(Snapshot{}))["rates"]["completed"].is_null());
}

}  // namespace
}  // namespace dp
