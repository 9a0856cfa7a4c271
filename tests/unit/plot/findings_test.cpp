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

TEST(ThroughputFinding, IsTheGrowthToTheLargestNodeCount) {
  EXPECT_EQ(throughput_finding({capacity("uniform", 1, 100, 1), capacity("uniform", 2, 190, 1.9),
                                capacity("dynamic", 1, 100, 1), capacity("dynamic", 2, 195, 1.95)}),
            "From 1 to 2 nodes, capacity grows 1.95× with dynamic, 1.90× with uniform");
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
  PlotCell uniform = capacity("uniform", 2, 190, 1.9), dynamic = capacity("dynamic", 2, 195, 1.95);
  uniform.capacity_ci95 = dynamic.capacity_ci95 = 4;
  EXPECT_EQ(
      throughput_finding({capacity("uniform", 1, 100, 1), uniform, capacity("dynamic", 1, 100, 1), dynamic}),
      "From 1 to 2 nodes, capacity grows 1.90–1.95×; the strategies' intervals overlap");
  uniform.capacity_ci95 = 0.5;
  EXPECT_EQ(
      throughput_finding({capacity("uniform", 1, 100, 1), uniform, capacity("dynamic", 1, 100, 1), dynamic}),
      "From 1 to 2 nodes, capacity grows 1.95× with dynamic, 1.90× with uniform");
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
  EXPECT_EQ(throughput_finding({capacity("a", 1, 10, 1), capacity("b", 1, 20, 1), capacity("c", 1, 30, 1),
                                capacity("d", 1, 40, 1)}),
            "Capacity on 1 node: 10 samples/s with a to 40 samples/s with d");
}

TEST(LatencyFinding, IsTheRangeOfP95PerNodeCount) {
  EXPECT_EQ(
      latency_finding({latency("uniform", 1, 58), latency("dynamic", 1, 59.5), latency("uniform", 2, 36)}),
      "At 1000 samples/s, p95 latency is 58–59.5 ms on 1 node, 36 ms on 2 nodes");
}

TEST(LatencyFinding, NamesWhatIsOverloadedInsteadOfALatency) {
  EXPECT_EQ(latency_finding({latency("uniform", 1, std::nullopt, true), latency("uniform", 2, 36)}),
            "At 1000 samples/s, p95 latency is 36 ms on 2 nodes; 1 node is overloaded");
  EXPECT_EQ(latency_finding({latency("uniform", 2, std::nullopt, true), latency("dynamic", 2, 36)}),
            "At 1000 samples/s, p95 latency is 36 ms on 2 nodes; 2 nodes with uniform are overloaded");
  EXPECT_EQ(latency_finding({latency("uniform", 1, std::nullopt, true)}),
            "At 1000 samples/s, 1 node is overloaded");
}

TEST(LatencyFinding, FallsBackToTheMedianWhenThereAreTooFewBatches) {
  PlotCell c = latency("uniform", 1, std::nullopt);
  EXPECT_EQ(latency_finding({c}), "At 1000 samples/s, too few batches to state a latency");
  c.p50_ms = 36;
  EXPECT_EQ(latency_finding({c}), "At 1000 samples/s, median latency is 36 ms on 1 node");
}

}  // namespace
}  // namespace dp
