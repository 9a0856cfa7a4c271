// When a run is one state of the system: series made by hand.
// SPDX-License-Identifier: MIT
#include "report/steady_state.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/random.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

/// Second i completes completed(i) samples, with a median latency of latency(i) ms and a queue of queue(i).
template <class Completed, class Latency, class Queue>
std::vector<SecondOfRun> series(int seconds, Completed completed, Latency latency, Queue queue) {
  std::vector<SecondOfRun> rows;
  for (int i = 0; i < seconds; ++i) {
    SecondOfRun row;
    row.t_s = i;
    row.completed = static_cast<std::uint64_t>(completed(i));
    row.queue = static_cast<std::uint64_t>(queue(i));
    row.p50_ms = latency(i);
    rows.push_back(row);
  }
  return rows;
}
double always_1000(int) { return 1000; }
double always_20(int) { return 20; }

// ground-truth: deviation from the mean 2 %, slope -0.3 % of the mean a second.
TEST(SteadyState, IsToldByDeviationAndSlope) {
  const double completed[] = {100, 102, 98, 101, 99};
  const auto rows = series(
      5, [&](int i) { return completed[i]; }, always_20, always_20);
  const SteadyState state = steady_state_of(rows, 0, 5, true);
  EXPECT_EQ(state.seconds, 5U);
  EXPECT_DOUBLE_EQ(state.completed.mean.value(), 100);
  EXPECT_DOUBLE_EQ(state.completed.deviation.value(), 0.02);
  EXPECT_DOUBLE_EQ(state.completed.slope.value(), -0.003);
  EXPECT_FALSE(state.steady) << "too short to tell";
}

TEST(SteadyState, CountsWholeSecondsOfTheMeasuredPartOnly) {
  const auto rows = series(20, always_1000, always_20, always_20);
  EXPECT_EQ(steady_state_of(rows, 2, 17.9, true).seconds, 15U);    // 2 to 16
  EXPECT_EQ(steady_state_of(rows, 2.5, 18.0, true).seconds, 15U);  // 3 to 17
  EXPECT_EQ(steady_state_of(rows, 30, 18.0, true).seconds, 0U);
}

// The same run, told by rows of one second and of four: 100 samples/s more each second, from 1000/s on.
TEST(SteadyState, IsTheSameOfRowsOfSeveralSeconds) {
  std::vector<SecondOfRun> seconds, fours;
  for (int i = 0; i < 40; ++i) {
    SecondOfRun row;
    row.t_s = i;
    row.completed = static_cast<std::uint64_t>(1000 + 100 * i);
    row.queue = static_cast<std::uint64_t>(50 + 2 * i);
    row.p50_ms = 20;
    seconds.push_back(row);
    if (i % 4 == 0) {
      fours.push_back(row);
      fours.back().seconds = 4;
    } else {
      fours.back().completed += row.completed;
      fours.back().queue = row.queue;
    }
  }
  const SteadyState fine = steady_state_of(seconds, 0, 40, true);
  const SteadyState coarse = steady_state_of(fours, 0, 40, true);
  EXPECT_EQ(coarse.seconds, 40U);
  EXPECT_DOUBLE_EQ(coarse.completed.mean.value(), 2950);  // samples/s
  EXPECT_NEAR(coarse.completed.slope.value(), 100.0 / 2950, 1e-9);
  EXPECT_DOUBLE_EQ(coarse.completed.mean.value(), fine.completed.mean.value());
  EXPECT_NEAR(coarse.completed.slope.value(), fine.completed.slope.value(), 1e-9);
  EXPECT_NEAR(coarse.queue.slope.value() * coarse.queue.mean.value(), 2, 1e-9) << "samples/s";
  EXPECT_EQ(steady_state_of(fours, 2, 38, true).seconds, 32U) << "rows from 4 to 36";
}

TEST(SteadyState, IsLeftByADriftBeyondTheTolerance) {
  const struct {
    const char* what;
    double completed, latency, queue;  // change over 20 s, in units of the mean; samples/s
    bool scheduled, steady;
  } cases[] = {
      {"nothing changes", 0, 0, 0, true, true},
      {"completed rate falls within the tolerance", -0.2, 0, 0, true, true},
      {"completed rate falls", -0.3, 0, 0, true, false},
      {"completed rate rises", 0.3, 0, 0, false, false},
      {"latency rises within the tolerance", 0, 0.9, 0, true, true},
      {"latency rises", 0, 1.1, 0, true, false},
      {"latency without a schedule", 0, 1.1, 0, false, true},
      {"queue grows by 4 % of the rate", 0, 0, 40, true, true},
      {"queue grows by 6 % of the rate", 0, 0, 60, true, false},
      {"queue shrinks", 0, 0, -60, true, true},
      {"queue without a schedule", 0, 0, 60, false, true},
  };
  for (const auto& c : cases) {
    const auto line = [](double change, int i) { return 1 + change * (i - 9.5) / 20; };
    const auto rows = series(
        20, [&](int i) { return 1e6 * line(c.completed, i); }, [&](int i) { return 20 * line(c.latency, i); },
        [&](int i) { return 2e6 + 1000 * c.queue * i; });
    EXPECT_EQ(steady_state_of(rows, 0, 20, c.scheduled).steady, c.steady) << c.what;
  }
}

TEST(SteadyState, IsNotLeftByNoise) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const auto noisy = [&](double mean) { return mean * (0.5 + rng.uniform()); };  // ± 50 %
    const auto rows = series(
        10, [&](int) { return noisy(1000); }, [&](int) { return noisy(20); },
        [&](int) { return noisy(100); });
    EXPECT_EQ(steady_state_of(rows, 0, 10, true).steady, true) << "seed " << seed;
  }
}

/// A queue with Poisson arrivals and one exponential server of 200 ms, at 70 % load, second by second.
std::vector<SecondOfRun> waiting_line(int seconds, Rng& rng) {
  std::vector<SecondOfRun> rows(static_cast<std::size_t>(seconds));
  std::vector<std::vector<double>> latencies(rows.size());
  const auto second = [&](double at) { return std::min(static_cast<std::size_t>(at), rows.size() - 1); };
  double free_at = 0;
  for (double due = rng.exponential(0.2 / 0.7); due < seconds; due += rng.exponential(0.2 / 0.7)) {
    free_at = std::max(free_at, due) + rng.exponential(0.2);
    ++rows[second(due)].offered;
    ++rows[second(free_at)].completed;
    latencies[second(free_at)].push_back(1000 * (free_at - due));
  }
  std::uint64_t outstanding = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    outstanding += rows[i].offered - rows[i].completed;
    rows[i].t_s = static_cast<double>(i);
    rows[i].queue = outstanding;
    std::sort(latencies[i].begin(), latencies[i].end());
    if (!latencies[i].empty()) rows[i].p50_ms = latencies[i][(latencies[i].size() - 1) / 2];
  }
  return rows;
}

TEST(SteadyState, IsNotLeftByAWaitingLineThatWanders) {
  int unsteady = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    if (steady_state_of(waiting_line(60, rng), 0, 59, true).steady == false) ++unsteady;
  }
  EXPECT_LE(unsteady, 2);  // 1 %
}

TEST(SteadyState, IsNotLeftByASingleStall) {
  const auto rows = series(
      12, [](int i) { return i == 10   ? 100.0
                             : i == 11 ? 1900.0
                                       : 1000.0; },
      [](int i) { return i == 11 ? 900.0 : 20.0; }, [](int i) { return i == 10 ? 900.0 : 20.0; });
  EXPECT_EQ(steady_state_of(rows, 0, 12, true).steady, true);
}

TEST(SteadyState, VerdictSaysWhatChangedAndWhatToDo) {
  const auto rows = series(
      20, [](int i) { return 1190 - 20 * i; }, always_20, always_20);  // mean 1000
  const SteadyState state = steady_state_of(rows, 0, 20, true);
  const Verdict v = steady_verdict(state, true);
  EXPECT_FALSE(v.ok);
  EXPECT_THAT(v.observed, HasSubstr("completed rate -40 % ± 0 %"));  // -20 a second for 20 s
  EXPECT_THAT(v.required, HasSubstr("completed rate within 25 %"));
  EXPECT_THAT(v.remedy, HasSubstr("--warmup"));
}

}  // namespace
}  // namespace dp
