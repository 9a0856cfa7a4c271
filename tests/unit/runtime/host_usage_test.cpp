// Shares of the host's CPU time from counters made by hand, and a reading of the real ones.
// SPDX-License-Identifier: MIT
#include "runtime/host_usage.hpp"

#include <gtest/gtest.h>

namespace dp {
namespace {

TEST(HostUsage, IsToldApartBeforeAndDuringTheRun) {
  HostUsage usage;
  usage.add({1000, 500, 100, 90}, false);
  usage.add({1080, 510, 110, 90}, false);
  usage.add({1100, 520, 110, 100}, true);  // it has begun: of 100 ticks 10 stolen before
  usage.add({1300, 620, 110, 120}, true);  // of 200 ticks 100 busy, none stolen
  usage.add({1500, 680, 130, 140}, true);  // of 200 ticks 60 busy, 20 stolen
  EXPECT_DOUBLE_EQ(usage.steal_percent_before().value(), 10);
  EXPECT_DOUBLE_EQ(usage.steal_percent_during().value(), 5);
  EXPECT_DOUBLE_EQ(usage.busy_percent().value(), 40);
  EXPECT_DOUBLE_EQ(usage.busy_percent_max(), 50);
  EXPECT_DOUBLE_EQ(usage.memory_used_mb().value(), 120);
  EXPECT_DOUBLE_EQ(usage.memory_used_mb_peak(), 140);
}

TEST(HostUsage, OfOneReadingTellsNoShare) {
  HostUsage usage;
  usage.add({1000, 500, 100, 90}, true);
  EXPECT_FALSE(usage.steal_percent_before());
  EXPECT_FALSE(usage.steal_percent_during());
  EXPECT_FALSE(usage.busy_percent());
  EXPECT_DOUBLE_EQ(usage.memory_used_mb().value(), 90);
}

TEST(HostUsage, CountersThatStepBackAreNotANegativeShare) {
  HostUsage usage;
  usage.add({1000, 500, 100, 90}, true);
  usage.add({1100, 490, 99, 90}, true);
  EXPECT_DOUBLE_EQ(usage.busy_percent().value(), 0);
  EXPECT_DOUBLE_EQ(usage.steal_percent_during().value(), 0);
}

TEST(HostMeter, ReadsTheHost) {
  HostMeter meter;
  const HostReading first = meter.read(), second = meter.read();
  EXPECT_GT(first.total, first.busy);
  EXPECT_GE(second.total, first.total);
  EXPECT_GT(first.memory_used_mb, 1);
}

}  // namespace
}  // namespace dp
