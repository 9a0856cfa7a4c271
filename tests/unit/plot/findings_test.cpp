// The sentences above the pictures.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "plot/findings.hpp"

namespace dp {
namespace {

PlotCell capacity(const char* strategy, std::uint32_t nodes, double samples_per_s, double speedup) {
  PlotCell c;
  c.strategy = strategy;
  c.nodes = nodes;
  c.capacity = samples_per_s;
  c.speedup = speedup;
  c.runs_at_max = c.valid_at_max = 3;
  return c;
}

PlotCell latency(const char* strategy, std::uint32_t nodes, std::optional<double> p95,
                 bool overloaded = false) {
  PlotCell c;
  c.strategy = strategy;
  c.nodes = nodes;
  c.rate = 1000;
  c.p95_ms = p95;
  c.overloaded = overloaded;
  c.runs_at_rate = c.valid_at_rate = 3;
  return c;
}

/// With 95 % confidence intervals.
PlotCell sure(PlotCell c, double speedup_ci95) {
  c.speedup_ci95 = speedup_ci95;
  c.capacity_ci95 = speedup_ci95 * *c.capacity / *c.speedup;
  return c;
}

TEST(ThroughputFinding, IsTheGrowthToTheLargestNodeCount) {
  EXPECT_EQ(
      throughput_finding({capacity("uniform", 1, 100, 1), sure(capacity("uniform", 2, 190, 1.9), 0.01),
                          capacity("dynamic", 1, 100, 1), sure(capacity("dynamic", 2, 195, 1.95), 0.01)}),
      "From 1 to 2 nodes, capacity grows 1.95× with dynamic, 1.90× with uniform");
}

TEST(ThroughputFinding, OrdersNothingWithoutIntervals) {
  EXPECT_EQ(throughput_finding({capacity("uniform", 1, 100, 1), capacity("uniform", 2, 190, 1.9),
                                capacity("dynamic", 1, 100, 1), capacity("dynamic", 2, 195, 1.95)}),
            "From 1 to 2 nodes, capacity grows 1.90–1.95×; too few iterations to tell the strategies apart");
}

TEST(CapacityFinding, OrdersNothingOnOneNode) {
  EXPECT_EQ(capacity_finding(
                {sure(capacity("uniform", 1, 100, 1), 0.01), sure(capacity("dynamic", 1, 120, 1), 0.01)}, 1),
            "Capacity on 1 node: 100–120 samples/s");
}

TEST(CapacityFinding, OrdersGroupsWhoseIntervalsAreApart) {
  EXPECT_EQ(
      capacity_finding({sure(capacity("sharded", 2, 100, 1), 0.1), sure(capacity("dynamic", 2, 105, 1), 0.1),
                        sure(capacity("uniform", 2, 200, 1), 0.1)},
                       2),
      "Capacity on 2 nodes: 200 samples/s with uniform, 100–105 samples/s with dynamic and sharded");
}

TEST(Findings, StateNothingOfInvalidRuns) {
  PlotCell invalid = capacity("uniform", 2, 9999, 99);
  invalid.valid_at_max = 0;
  EXPECT_EQ(throughput_finding({capacity("uniform", 1, 100, 1), capacity("dynamic", 1, 100, 1), invalid,
                                capacity("dynamic", 2, 190, 1.9)}),
            "From 1 to 2 nodes, capacity grows 1.90× with dynamic");
  EXPECT_EQ(capacity_finding({invalid}, 2), "Capacity: no run met its conditions");
  PlotCell late = latency("uniform", 1, 58);
  late.valid_at_rate = 0;
  EXPECT_EQ(latency_finding({late}), "At 1000 samples/s, no run met its conditions");
  EXPECT_EQ(latency_finding({late, latency("dynamic", 1, 36)}),
            "At 1000 samples/s, p95 latency is 36.0 ms on 1 node");
}

TEST(Findings, CompareNoSpeedUpsFromDifferentNodeCounts) {
  EXPECT_EQ(speedup_finding({capacity("uniform", 1, 100, 1), capacity("uniform", 2, 190, 1.9),
                             capacity("dynamic", 2, 200, 1), capacity("dynamic", 4, 390, 1.95)}),
            "Speed-up");
  EXPECT_EQ(throughput_finding({capacity("uniform", 1, 100, 1), capacity("uniform", 2, 190, 1.9),
                                capacity("dynamic", 2, 200, 1)}),
            "From 1 to 2 nodes, capacity grows 1.90× with uniform");
}

TEST(ThroughputFinding, LeavesOversubscribedNodeCountsOut) {
  PlotCell four = capacity("uniform", 4, 150, 1.5);
  four.oversubscribed = true;
  EXPECT_EQ(throughput_finding({capacity("uniform", 1, 100, 1), capacity("uniform", 2, 190, 1.9), four}),
            "From 1 to 2 nodes, capacity grows 1.90× with uniform");
  EXPECT_EQ(throughput_finding({capacity("uniform", 1, 100, 1), four}),
            "From 1 to 4 nodes (oversubscribed), capacity grows 1.50× with uniform");
}

TEST(ThroughputFinding, OrdersNothingThatItsIntervalsDoNotSeparate) {
  EXPECT_EQ(
      throughput_finding({capacity("uniform", 1, 100, 1), sure(capacity("uniform", 2, 190, 1.9), 0.04),
                          capacity("dynamic", 1, 100, 1), sure(capacity("dynamic", 2, 195, 1.95), 0.04)}),
      "From 1 to 2 nodes, capacity grows 1.90–1.95×; the strategies' intervals overlap");
}

TEST(EfficiencyFinding, IsTheShareThatEachNodeKeeps) {
  PlotCell two = capacity("uniform", 2, 190, 1.9);
  two.efficiency = 0.95;
  EXPECT_EQ(efficiency_finding({capacity("uniform", 1, 100, 1), two}),
            "Of a node's capacity on 1 node, each of 2 nodes keeps 95 % with uniform");
}

TEST(SpeedupFinding, StandsBesideTheIdeal) {
  EXPECT_EQ(speedup_finding({capacity("uniform", 2, 190, 1), capacity("uniform", 8, 570, 3)}),
            "Of an ideal 4× on 8 nodes, capacity reaches 3.00× with uniform");
}

TEST(CapacityFinding, IsOfTheNodesAskedFor) {
  EXPECT_EQ(capacity_finding({capacity("uniform", 1, 100, 1), capacity("uniform", 2, 190, 1.9)}, 1),
            "Capacity on 1 node: 100 samples/s with uniform");
}

TEST(ThroughputFinding, GivesManyEqualFiguresOnce) {
  EXPECT_EQ(throughput_finding({capacity("a", 1, 10, 1), capacity("b", 1, 10, 1), capacity("c", 1, 10.1, 1),
                                capacity("d", 1, 10.2, 1)}),
            "Capacity on 1 node: 10 samples/s");
}

TEST(ThroughputFinding, OfOneNodeCountIsTheCapacityItself) {
  EXPECT_EQ(throughput_finding({capacity("uniform", 1, 100, 1)}),
            "Capacity on 1 node: 100 samples/s with uniform");
}

TEST(ThroughputFinding, GivesTheEndsOfManyStrategies) {
  EXPECT_EQ(throughput_finding({sure(capacity("a", 2, 10, 1), 0.1), sure(capacity("b", 2, 20, 1), 0.1),
                                sure(capacity("c", 2, 30, 1), 0.1), sure(capacity("d", 2, 40, 1), 0.1)}),
            "Capacity on 2 nodes: 10 samples/s with a to 40 samples/s with d");
}

TEST(LatencyFinding, IsTheRangeOfP95PerNodeCount) {
  EXPECT_EQ(
      latency_finding({latency("uniform", 1, 58), latency("dynamic", 1, 59.5), latency("uniform", 2, 36)}),
      "At 1000 samples/s, p95 latency is 58.0–59.5 ms on 1 node, 36.0 ms on 2 nodes");
}

TEST(LatencyFinding, IsOfOversubscribedRunsOnlyWhereNoOtherSaysAnything) {
  PlotCell late = latency("uniform", 1, 58), crowded = latency("uniform", 4, 90);
  late.valid_at_rate = 0;
  crowded.oversubscribed = true;
  EXPECT_EQ(latency_finding({late, crowded}), "At 1000 samples/s, p95 latency is 90.0 ms on 4 nodes");
  EXPECT_EQ(latency_finding({latency("uniform", 1, 58), crowded}),
            "At 1000 samples/s, p95 latency is 58.0 ms on 1 node");
}

TEST(LatencyFinding, NamesWhatIsOverloadedInsteadOfALatency) {
  EXPECT_EQ(latency_finding({latency("uniform", 1, std::nullopt, true), latency("uniform", 2, 36)}),
            "At 1000 samples/s, p95 latency is 36.0 ms on 2 nodes; 1 node is overloaded");
  EXPECT_EQ(latency_finding({latency("uniform", 2, std::nullopt, true), latency("dynamic", 2, 36)}),
            "At 1000 samples/s, p95 latency is 36.0 ms on 2 nodes; 2 nodes with uniform are overloaded");
  EXPECT_EQ(latency_finding({latency("uniform", 1, std::nullopt, true)}),
            "At 1000 samples/s, 1 node is overloaded");
}

TEST(LatencyFinding, FallsBackToTheMedianWhenThereAreTooFewBatches) {
  PlotCell c = latency("uniform", 1, std::nullopt);
  EXPECT_EQ(latency_finding({c}), "At 1000 samples/s, too few batches to state a latency");
  c.p50_ms = 36;
  EXPECT_EQ(latency_finding({c}), "At 1000 samples/s, median latency is 36.0 ms on 1 node");
}

}  // namespace
}  // namespace dp
