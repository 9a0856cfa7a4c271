// Queueing theory against published figures and against what follows by hand.
// SPDX-License-Identifier: MIT
#include "stats/queueing.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "stats/queue_replay.hpp"

namespace dp {
namespace {

QueueLoad station(std::uint32_t servers, double utilization) { return {servers * utilization, 1, servers}; }

struct Published {
  std::uint32_t servers;
  double utilization, mean;
};

// Mean times in system with service rate 1: ground-truth/queueing.json, "M/M/c" (Erlang C).
TEST(Queueing, SharedQueueIsErlangs) {
  for (const Published& row : {Published{2, 0.5, 1.333333},
                               {2, 0.7, 1.960784},
                               {2, 0.9, 5.263158},
                               {4, 0.5, 1.086957},
                               {4, 0.7, 1.357212},
                               {4, 0.9, 2.969383},
                               {8, 0.5, 1.014761},
                               {8, 0.9, 1.876916}}) {
    EXPECT_NEAR(shared_queue_mean(station(row.servers, row.utilization)), row.mean, 1e-6)
        << row.servers << " servers at " << row.utilization;
  }
}

// The same file, "round_robin".
TEST(Queueing, RoundRobinIsErlangArrivalsAtOneServer) {
  for (const Published& row : {Published{2, 0.5, 1.6180},
                               {2, 0.7, 2.6006},
                               {2, 0.9, 7.5883},
                               {4, 0.5, 1.4325},
                               {4, 0.7, 2.2367},
                               {4, 0.9, 6.3830},
                               {8, 0.5, 1.3424},
                               {8, 0.7, 2.0558}}) {
    EXPECT_NEAR(round_robin_mean(station(row.servers, row.utilization)), row.mean, 1e-4)
        << row.servers << " servers at " << row.utilization;
  }
}

// The same file, "random_split": M/M/1, which both are with one server.
TEST(Queueing, OneServerIsTheSimpleQueue) {
  for (const Published& row : {Published{1, 0.5, 2}, {1, 0.8, 5}, {1, 0.9, 10}}) {
    EXPECT_NEAR(shared_queue_mean(station(1, row.utilization)), row.mean, 1e-9);
    EXPECT_NEAR(round_robin_mean(station(1, row.utilization)), row.mean, 1e-9);
  }
  EXPECT_NEAR(shared_queue_percentile(station(1, 0.8), 0.99), 23.03, 0.005);
  EXPECT_NEAR(round_robin_percentile(station(1, 0.8), 0.99), 23.03, 0.005);
}

// Two servers at 0.5: a job waits with probability 1/3, and wait and service have the same rate 1, so
// P(T > t) = (1 + t/3) e^-t. At 0.25: probability 1/10, rates 1.5 and 1, P(T > t) = 1.2 e^-t − 0.2 e^-1.5t.
TEST(Queueing, PercentilesOfTheSharedQueueInvertItsTail) {
  for (const double t : {0.5, 3.0, 8.0}) {
    EXPECT_NEAR(shared_queue_percentile(station(2, 0.5), 1 - (1 + t / 3) * std::exp(-t)), t, 1e-9);
    const double tail = 1.2 * std::exp(-t) - 0.2 * std::exp(-1.5 * t);
    EXPECT_NEAR(shared_queue_percentile(station(2, 0.25), 1 - tail), t, 1e-9);
  }
}

TEST(Queueing, TimesScaleWithTheService) {
  const QueueLoad fifty_ms{0.056, 50, 4};  // per ms: utilization 0.7
  EXPECT_NEAR(shared_queue_mean(fifty_ms), 50 * 1.357212, 1e-4);
  EXPECT_NEAR(round_robin_mean(fifty_ms), 50 * 2.2367, 5e-3);
}

TEST(Queueing, AFullStationIsRefused) {
  for (const QueueLoad& load : {station(2, 1), station(2, 1.5), station(2, 0), QueueLoad{1, 1, 0}}) {
    EXPECT_THROW(shared_queue_mean(load), Error);
    EXPECT_THROW(shared_queue_percentile(load, 0.99), Error);
    EXPECT_THROW(round_robin_mean(load), Error);
  }
}

// 50 jobs a second of 10 ms: half busy. A stall of 2 s takes 4 s of the schedule to clear, in which the time
// in system falls from 2.01 s to 0.01 s: half a second below the top after one second, 1 % of a run of 100 s.
TEST(Queueing, AStallShowsForTheShareOfTheScheduleThatItDelays) {
  const Stall stall{50, 0.01, 2, 100};
  EXPECT_DOUBLE_EQ(stalled_percentile(stall, 1), 2.01);
  EXPECT_NEAR(stalled_percentile(stall, 0.99), 1.51, 1e-9);
  EXPECT_NEAR(stalled_percentile(stall, 0.96), 0.01, 1e-9);
  EXPECT_DOUBLE_EQ(stalled_percentile(stall, 0.5), 0.01);
}

using Values = std::vector<double>;

// Jobs at 0, 1, 2, 3, 3.5 of lengths 4, 4, 1, 1, 2. Two servers are free at 4 and 5, then at 5 and 6, and end
// the jobs at 4, 5, 5, 6 and 7. One server ends them at 4, 8, 9, 10 and 12.
TEST(QueueReplay, ServesInOrderOfArrival) {
  const Values arrivals{0, 1, 2, 3, 3.5}, services{4, 4, 1, 1, 2};
  EXPECT_EQ(replay_shared_queue(arrivals, services, 2), (Values{4, 4, 3, 3, 3.5}));
  EXPECT_EQ(replay_shared_queue(arrivals, services, 1), (Values{4, 7, 7, 7, 8.5}));
}

// Round robin leaves the second server idle from 1 to 3 while the third job waits for the first.
TEST(QueueReplay, RoundRobinWaitsForItsOwnServer) {
  const Values arrivals{0, 0, 1, 3}, services{5, 1, 1, 1};
  EXPECT_EQ(replay_round_robin(arrivals, services, 2), (Values{5, 1, 5, 1}));
  EXPECT_EQ(replay_shared_queue(arrivals, services, 2), (Values{5, 1, 1, 1}));
}

}  // namespace
}  // namespace dp
