// dp-top's frame: what it says, and that it fits, whatever it is told.
// SPDX-License-Identifier: MIT
#include "live/top_frame.hpp"

#include <gmock/gmock.h>

#include "snapshots.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Heard heard(Snapshot snapshot) { return {"tcp://127.0.0.1:5604", std::move(snapshot), ms(100), ""}; }

std::string text_of(const Line& line) {
  std::string text;
  for (const Span& span : line) text += span.text;
  return text;
}

/// The names in the table of workers, from top to bottom.
std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  bool table = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (table && line.find("node1") != std::string::npos) names.push_back(line.substr(0, line.find(' ')));
    table = table || line.find("HOST") != std::string::npos;
  }
  return names;
}

std::string shown(const Snapshot& snapshot, const View& view = {}) {
  return plain_text(draw(heard(snapshot), view));
}

void expect_fits(const Heard& heard, View view) {
  for (const auto& [width, height] : {std::pair{80, 24}, {132, 50}, {40, 10}, {10, 3}, {1, 1}, {0, 0}}) {
    view.width = width;
    view.height = height;
    const auto lines = draw(heard, view);
    EXPECT_LE(lines.size(), static_cast<std::size_t>(height));
    for (const Line& line : lines)
      EXPECT_LE(text_of(line).size(), static_cast<std::size_t>(width)) << text_of(line);
  }
}

TEST(TopFrame, SaysHowTheRunGoes) {
  const std::string text = shown(running(2));
  EXPECT_THAT(text, AllOf(HasSubstr("000000000000abcd"), HasSubstr("running  0:00:10  dynamic"),
                          HasSubstr("1000 of 10000 (10%)"), HasSubstr("20 samples in 2 batches")));
  EXPECT_THAT(text,
              HasSubstr("wanted 100  offered 100.0  completed 98.0  (last 5 s)"));  // 500 and 490 in 5 s
}

TEST(TopFrame, ShowsNoHigherRateThanWasOfferedAtTheBeginning) {
  Snapshot s = running(1);
  s.requested = 0.5;
  s.elapsed = s.recent_window = ms(2000);  // two samples by then, due at 0 and 2 s: they stand for 4 s
  s.completed = s.recent_offered = s.recent_completed = s.recent_samples.back() = 2;
  const std::string text = shown(s);
  EXPECT_THAT(text, HasSubstr("offered 0.5  completed 0.5  (last 2 s)  whole run 0.5"));
}

TEST(TopFrame, MarksPercentilesThatTooFewBatchesSupport) {
  const std::string text = shown(running(1));  // p99 needs 662 batches, p95 needs 129
  EXPECT_THAT(text,
              AllOf(HasSubstr("40.0?"), HasSubstr("30.0?"), HasSubstr("41.0  "), Not(HasSubstr("41.0?"))));
}

TEST(TopFrame, ShowsAWorkersFigures) {
  Snapshot s = running(0);
  add_process(s, Role::infer, "alpha", 300);
  add_process(s, Role::infer, "beta", 100);
  const std::string text = shown(s);
  // 300 of 400; 150 in 5 s; 2 ms each; 250 of 500 ms; 200 MB
  EXPECT_THAT(text,
              testing::ContainsRegex("alpha +node1 +up +300 +75\\.0 +30\\.0 +2\\.000 +50 +200M +0 +0s"));
  EXPECT_THAT(text, testing::ContainsRegex("beta +node1 +up +100 +25\\.0 "));
}

TEST(TopFrame, ShowsALostWorkerAndOneThatLeft) {
  Snapshot s = running(3);
  s.states[3] = static_cast<std::uint8_t>(PeerPresence::lost);
  s.unheard[3] = std::chrono::seconds(42);
  s.states[4] = static_cast<std::uint8_t>(PeerPresence::left);
  const std::string text = shown(s);
  EXPECT_THAT(text, testing::ContainsRegex("w1 +node1 +LOST .* 42s"));
  EXPECT_THAT(text, testing::ContainsRegex("w2 +node1 +left "));
}

TEST(TopFrame, SortsByEveryKey) {
  Snapshot s = running(0);
  for (const char* name : {"w10", "w9", "w1"}) add_process(s, Role::infer, name, 100);
  s.samples = {0, 0, 100, 300, 200};
  s.recent_samples = {0, 0, 3, 1, 2};
  s.recent_cpu = {ms(1), ms(1), ms(10), ms(20), ms(30)};
  s.rss_bytes = {1, 1, 20'000'000, 30'000'000, 10'000'000};
  const auto order = [&](SortKey key) {
    View view;
    view.sort = key;
    return names_in(shown(s, view));
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(order(SortKey::name), (Names{"w1", "w9", "w10"}));
  EXPECT_EQ(order(SortKey::rate), (Names{"w10", "w1", "w9"}));
  EXPECT_EQ(order(SortKey::share), (Names{"w9", "w1", "w10"}));
  EXPECT_EQ(order(SortKey::cpu), (Names{"w1", "w9", "w10"}));
  EXPECT_EQ(order(SortKey::memory), (Names{"w9", "w10", "w1"}));
}

TEST(TopFrame, ScrollsThroughAHundredWorkers) {
  const Snapshot s = running(100);
  View view;
  const auto first = names_in(shown(s, view));
  ASSERT_GE(first.size(), 5U);
  EXPECT_EQ(first.front(), "w0");
  EXPECT_THAT(shown(s, view), HasSubstr("of 100"));
  view.first_row = 1000;
  EXPECT_EQ(names_in(shown(s, view)).back(), "w99");
  EXPECT_EQ(names_in(shown(s, view)).size(), first.size());
}

TEST(TopFrame, FitsAnyScreen) {
  Snapshot s = running(100);
  for (std::string& name : s.names) name = std::string(300, 'n');
  for (std::string& host : s.hosts) host = std::string(300, 'h');
  for (int i = 0; i < 20; ++i) s.warnings.push_back(std::string(200, '!'));
  s.completed = s.planned = s.waiting_samples = UINT64_MAX;
  for (const Snapshot& snapshot : {s, running(0), running(1), Snapshot{}}) {
    View view;
    expect_fits(heard(snapshot), view);
    view.help = true;
    expect_fits(heard(snapshot), view);
  }
  expect_fits({std::string(500, 'e'), std::nullopt, std::chrono::hours(3), std::string(500, 'c')}, {});
}

TEST(TopFrame, PassesNoCommandsOnToTheTerminal) {
  Snapshot s = running(1);
  s.names[2] = "\x1b[2J\x07\xC3\xA9\n";
  s.warnings = {"\x1b]0;title\x07"};
  s.hosts[2] = "\x9b\x31m";
  const std::string text = shown(s);
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
  EXPECT_THAT(text, HasSubstr("?[2J????"));
}

TEST(TopFrame, SaysWhenThereIsNoWorker) { EXPECT_THAT(shown(running(0)), HasSubstr("no workers yet")); }

TEST(TopFrame, SaysWhenNothingIsHeard) {
  Heard nobody{"tcp://127.0.0.1:5604", std::nullopt, ms(2900), ""};
  EXPECT_THAT(plain_text(draw(nobody, {})), Not(HasSubstr("nothing heard")));
  nobody.silence = ms(3100);
  EXPECT_THAT(plain_text(draw(nobody, {})),
              HasSubstr("nothing heard from tcp://127.0.0.1:5604 for 3 s: is dp-collect running?"));
  nobody.complaint = "refuses this key";
  EXPECT_THAT(plain_text(draw(nobody, {})), HasSubstr("tcp://127.0.0.1:5604 refuses this key"));
}

TEST(TopFrame, IsNotAlarmedAfterTheEnd) {
  Snapshot s = running(1);
  for (const auto& [state, word] : {std::pair(RunState::done, "  done"), {RunState::stopped, "  stopped"}}) {
    s.state = state;
    Heard over = heard(s);
    over.silence = std::chrono::seconds(60);
    EXPECT_THAT(plain_text(draw(over, {})),
                AllOf(HasSubstr(word), HasSubstr("the run is over; waiting for the next one"),
                      Not(HasSubstr("nothing heard"))));
  }
}

TEST(TopFrame, ShowsWarnings) {
  Snapshot s = running(1);
  s.warnings = {"one", "two", "three", "four", "five", "six"};
  EXPECT_THAT(shown(s),
              AllOf(HasSubstr("! one"), HasSubstr("! four"), Not(HasSubstr("! five")), HasSubstr("2 more")));
}

}  // namespace
}  // namespace dp
