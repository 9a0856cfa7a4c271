// The lines of --events: every figure follows from the times of settled_batch.hpp.
// SPDX-License-Identifier: MIT
#include "collect/batch_events.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "settled_batch.hpp"

namespace dp {
namespace {

using testing::ElementsAre;
using Json = nlohmann::json;

std::vector<Json> parsed(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

BatchEvents begun() {
  BatchEvents events;
  events.opened(some_run, false);
  events.started(t0);
  return events;
}

TEST(BatchEvents, ALineSaysOfABatchWhenItPassedEachStation) {
  BatchEvents events = begun();
  events.settled(settled_batch(7, us(500'000)));
  const auto lines = parsed(events.take());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], Json::parse(R"({"type":"run","schema":"dp.events/1","run_id":"00000000000000ab"})"));
  EXPECT_EQ(lines[1], Json::parse(R"({"type":"batch","id":7,"seq":0,"samples":2,"status":"ok","attempt":1,
      "worker":"w0","scheduled_ms":500.0,"released_ms":501.0,"sent_ms":503.0,"routed_ms":506.0,
      "received_ms":510.0,"started_ms":515.0,"done_ms":521.0,"collected_ms":528.0,"latency_ms":28.0})"));
}

TEST(BatchEvents, TimesAreExactToTheNanosecond) {
  BatchEvents events = begun();
  SettledBatch batch = settled_batch(0, Duration(123'456'789'123'457));
  batch.collected = batch.outbound.scheduled + Duration(1);
  events.settled(batch);
  const std::string text = events.take();
  EXPECT_NE(text.find(R"("scheduled_ms":123456789.123457,)"), text.npos) << text;
  EXPECT_DOUBLE_EQ(parsed(text)[1]["latency_ms"].get<double>(), 1e-6);
}

TEST(BatchEvents, AFailedBatchSaysWhyAndHasNoLatency) {
  BatchEvents events = begun();
  events.settled(failed_batch(3, us(0), "gave up: \"no\"\n"));
  EXPECT_EQ(parsed(events.take())[1],
            Json::parse(R"({"type":"batch","id":3,"seq":0,"samples":2,"status":"failed","attempt":3,
      "scheduled_ms":0.0,"released_ms":1.0,"collected_ms":28.0,"why":"gave up: \"no\"\n"})"));
}

TEST(BatchEvents, WhateverNamesHoldEachLineIsJson) {
  BatchEvents events = begun();
  events.settled(settled_batch(0, us(0), "quo\"te\\\n\x01\xff"));
  events.happened(t0 + us(1500), "bad \xc3 text");
  const auto lines = parsed(events.take());
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1]["worker"], "quo\"te\\\n\x01\xef\xbf\xbd");
  EXPECT_DOUBLE_EQ(lines[2]["t_ms"].get<double>(), 1.5);
}

TEST(BatchEvents, WhatHappensBeforeTheStartHasNoTime) {
  BatchEvents events;
  events.opened(some_run, false);
  events.happened(t0, "early");
  EXPECT_TRUE(parsed(events.take())[1]["t_ms"].is_null());
}

TEST(BatchEvents, TimesThatNoClockShowsAreTakenAsTheFarthest) {
  BatchEvents events = begun();
  SettledBatch batch = settled_batch(0, us(0));
  batch.at_worker.done = Time(Duration::max());
  batch.at_worker.started = Time(Duration::min());
  events.settled(batch);
  const Json line = parsed(events.take())[1];
  EXPECT_GT(line["done_ms"].get<double>(), 9e12);
  EXPECT_LT(line["started_ms"].get<double>(), -9e12);
}

/// What an earlier process wrote: batches 4 and 1, and a line of what happened between.
std::string earlier() {
  BatchEvents events = begun();
  events.settled(settled_batch(4, us(0)));
  events.happened(t0 + us(1), "between");
  events.settled(settled_batch(1, us(0)));
  return events.take();
}

std::vector<std::string> told_again(BatchEvents& events) {
  events.opened(some_run, true);
  events.started(t0);
  events.settled(settled_batch(4, us(0)));
  events.happened(t0 + us(1), "between");
  events.settled(settled_batch(1, us(0)));
  events.settled(settled_batch(2, us(0)));
  events.happened(t0 + us(2), "new");
  std::vector<std::string> told;
  for (const Json& line : parsed(events.take())) {
    told.push_back(line["type"] == "batch" ? line["id"].dump() + "/" + line["seq"].dump()
                                           : line.value("what", "run"));
  }
  return told;
}

TEST(BatchEvents, WhatWasFoundIsNotWrittenTwice) {
  BatchEvents events;
  const std::string text = earlier();
  EXPECT_EQ(events.found(some_run, text), text.size());
  EXPECT_THAT(told_again(events), ElementsAre("2/2", "new"));
}

TEST(BatchEvents, FromTheFirstLineThatIsNotWholeOnAllIsWrittenAnew) {
  const std::string text = earlier();
  const std::size_t last = text.rfind('\n', text.size() - 2) + 1;
  const std::string whole = text.substr(0, last);
  for (const std::string& tail :
       {text.substr(last, 20), std::string("\n"), std::string(9, '\0') + "\n",
        std::string("{\"type\":\"batch\",\"id\":-1}\n"),
        std::string("{\"type\":\"batch\",\"id\":18446744073709551615}\n"),
        std::string("{\"type\":\"batch\",\"id\":4}\n"), std::string("[]\n"), std::string("{\"id\":2}\n")}) {
    BatchEvents events;
    EXPECT_EQ(events.found(some_run, whole + tail), last) << tail;
    EXPECT_THAT(told_again(events), ElementsAre("1/1", "2/2", "new")) << tail;
  }
}

TEST(BatchEvents, AFileOfAnotherRunHoldsNothing) {
  for (const std::string& text : {std::string(), std::string("some text\n"), earlier().substr(0, 30)}) {
    BatchEvents events;
    EXPECT_EQ(events.found(some_run, text), 0U);
  }
  BatchEvents events;
  EXPECT_EQ(events.found(RunId{0xAC}, earlier()), 0U);
  EXPECT_THAT(told_again(events), ElementsAre("run", "4/0", "between", "1/1", "2/2", "new"));
}

}  // namespace
}  // namespace dp
