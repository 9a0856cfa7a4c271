// Spread, coverage and agreement, against values worked out by hand and printed tables of Student's t.
// SPDX-License-Identifier: MIT
#include "report/repeatability.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "base/error.hpp"
#include "make_run.hpp"

namespace dp {
namespace {

using testing::ElementsAre;

TEST(Repeatability, SpreadIsOfAllRuns) {
  const Spread s = spread_of("capacity", "samples/s", {1, -1, 1, -1, 1, -1, 1, -1});
  EXPECT_EQ(s.mean, 0);
  EXPECT_DOUBLE_EQ(s.sd, std::sqrt(8.0 / 7));
  EXPECT_EQ(s.least, -1);
  EXPECT_EQ(s.most, 1);
  EXPECT_DOUBLE_EQ(s.lag1, -7.0 / 8);
}

// Of the 56 groups of three, the 21 that hold the 1 have mean 1/3, half-width 4.303/3, and the others' mean is 0; the
// rest are certain of 0 while the others' mean is 1/5. Neighbours that do not overlap: the first three, the next three.
TEST(Repeatability, CoverageIsCountedOverAllGroups) {
  const Coverage c = spread_of("capacity", "", {0, 0, 0, 0, 0, 0, 0, 1}).coverage.at(0);
  EXPECT_EQ(c.group, 3u);
  EXPECT_EQ(c.intervals, 56u);
  EXPECT_EQ(c.covering, 21u);
  EXPECT_EQ(c.consecutive, 2u);
  EXPECT_EQ(c.consecutive_ok, 0u);
  EXPECT_NEAR(c.mean_half_width, 21 * 4.303 / 3 / 56, 1e-3);
}

// With two degrees of freedom P(|T| <= t) = t / sqrt(2 + t^2), and t(0.975; 2) = 4.303.
TEST(Repeatability, PromiseAllowsForTheOthersMean) {
  const double t = 4.303 / std::sqrt(1 + 3.0 / 17);
  EXPECT_NEAR(spread_of("", "", std::vector<double>(20, 1.0)).coverage.at(0).promised,
              t / std::sqrt(2 + t * t), 1e-4);
}

TEST(Repeatability, EqualRunsAreCovered) {
  const Spread s = spread_of("", "", std::vector<double>(9, 5.0));
  EXPECT_EQ(s.coverage.at(1).covering, s.coverage[1].intervals);
  EXPECT_EQ(s.lag1, 0);
}

TEST(Repeatability, NeedsEnoughRuns) {
  EXPECT_THROW(spread_of("capacity", "", std::vector<double>(7, 1.0)), Error);
  EXPECT_THROW(spread_of("capacity", "", std::vector<double>(65, 1.0)), Error);
}

// Both variances 1/3, four degrees of freedom: t(0.975) = 2.776, t(0.95) = 2.132.
TEST(Repeatability, AgreementIsWelchsInterval) {
  const Agreement wide = agreement_of("p50", "ms", {1, 2, 3}, {3, 4, 5}, 0.95);
  EXPECT_NEAR(wide.half_width, 2.776 * std::sqrt(2.0 / 3), 1e-3);
  EXPECT_TRUE(wide.agree);
  const Agreement narrow = agreement_of("p50", "ms", {1, 2, 3}, {3, 4, 5}, 0.90);
  EXPECT_NEAR(narrow.half_width, 2.132 * std::sqrt(2.0 / 3), 1e-3);
  EXPECT_FALSE(narrow.agree);
}

TEST(Repeatability, EqualRunsAgreeOnlyWithTheSame) {
  EXPECT_TRUE(agreement_of("p50", "ms", {2, 2}, {2, 2}, 0.95).agree);
  EXPECT_FALSE(agreement_of("p50", "ms", {2, 2}, {3, 3}, 0.95).agree);
}

TEST(Repeatability, AgreementNeedsTwoOfEach) { EXPECT_THROW(agreement_of("", "", {1}, {1, 2}, 0.95), Error); }

TEST(Repeatability, FiguresAreThoseThatEveryRunSupports) {
  const std::vector<RunReport> runs{make_run({.completed = 50}).report,
                                    make_run({.rate_mode = "open", .completed = 40}).report,
                                    make_run({.rate_mode = "open", .completed = 41}).report};
  const std::vector<RepeatedFigure> figures = figures_of(runs);
  ASSERT_EQ(figures.size(), 4u);
  EXPECT_THAT(figures[0].values, ElementsAre(50));
  EXPECT_THAT(figures[1].values, ElementsAre(40, 41));
  EXPECT_EQ(figures[2].name, "p50");
  EXPECT_EQ(figures[3].name, "p95");
}

TEST(Repeatability, NoLatencyOfAnOverloadedRunIsAFigure) {
  RunReport run = make_run({.rate_mode = "open"}).report;
  run.overloaded = true;
  EXPECT_EQ(figures_of({run}).size(), 1u);
}

}  // namespace
}  // namespace dp
