// The offset of another host's clock: the truth lies within the bound, whatever the delays.
// SPDX-License-Identifier: MIT
#include "wire/clock_offset.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace dp {
namespace {

using namespace std::chrono_literals;

constexpr Time start{1000h};
constexpr Duration rounding = 1ns;  ///< halves are cut off

/// An exchange begun at `t1`: `there` on the way to a clock that is `skew` ahead, `back` on the way home.
void exchange(ClockOffset& clock, Time t1, Duration skew, Duration there, Duration back,
              Duration work = 10us) {
  const Time t2 = t1 + there + skew;
  clock.add(t1, t2, t2 + work, t1 + there + work + back);
}

TEST(ClockOffset, IsUnknownAtFirst) {
  const ClockOffset clock;
  EXPECT_FALSE(clock.known());
  EXPECT_EQ(clock.offset(start), Duration{});
}

TEST(ClockOffset, IsExactWhenDelaysAreEqual) {
  for (const Duration skew :
       {Duration(0), Duration(5s), Duration(-5s), Duration(24h * 365), Duration(-24h * 365)}) {
    ClockOffset clock;
    exchange(clock, start, skew, 100us, 100us);
    EXPECT_EQ(clock.offset(start), skew);
    EXPECT_EQ(clock.bound(start + 210us), 100us);
  }
}

TEST(ClockOffset, TheErrorIsWithinTheBoundHoweverUnequalTheDelays) {
  for (const Duration skew : {Duration(0), Duration(3s), Duration(-3s)}) {
    for (const auto& [there, back] : {std::pair{0us, 500us}, {500us, 0us}, {1us, 99us}, {7us, 7us}}) {
      ClockOffset clock;
      exchange(clock, start, skew, there, back);
      const Duration error = clock.offset(start) - skew;
      EXPECT_LE(std::chrono::abs(error), clock.bound(start + there + back + 10us) + rounding);
      EXPECT_EQ(error, (there - back) / 2);
    }
  }
}

TEST(ClockOffset, TheQuickestExchangeOfTheWindowCounts) {
  ClockOffset clock;
  exchange(clock, start, 1s, 900us, 100us);
  exchange(clock, start + 1ms, 1s, 10us, 10us);
  exchange(clock, start + 2ms, 1s, 100us, 900us);
  EXPECT_EQ(clock.offset(start + 3ms), 1s);
}

TEST(ClockOffset, TimeSpentAnsweringIsNoDelay) {
  ClockOffset clock;
  exchange(clock, start, 1s, 10us, 10us, 5s);
  EXPECT_EQ(clock.offset(start), 1s);
  EXPECT_EQ(clock.bound(start + 20us + 5s), 10us);
}

TEST(ClockOffset, TheBoundGrowsByFiftyMillionthsOfTheAge) {
  ClockOffset clock;
  exchange(clock, start, 1s, 10us, 10us, 0s);
  EXPECT_EQ(clock.bound(start + 20us + 100s), 10us + 5ms);
}

TEST(ClockOffset, OldExchangesLeaveTheWindow) {
  ClockOffset clock;
  exchange(clock, start, 1s, 10us, 10us);
  for (int i = 1; i <= 16; ++i) exchange(clock, start + i * 1s, 2s, 500us, 500us);
  EXPECT_EQ(clock.offset(start + 17s), 2s);
}

TEST(ClockOffset, ImpossibleExchangesAreIgnored) {
  ClockOffset clock;
  clock.add(start, start, start, start - 1ns);       // back before it went
  clock.add(start, start, start - 1ns, start + 1s);  // answered before it came
  clock.add(start, start, start + 2s, start + 1s);   // away longer than away
  EXPECT_FALSE(clock.known());
}

/// Both clocks wrong by up to 25 millionths of the time passed, delays at random.
TEST(ClockOffset, TheTruthStaysWithinTheBoundWithDriftingClocks) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    ClockOffset clock;
    const double drift = (rng.uniform() - 0.5) * 100e-6;
    const auto skew_at = [&](Time t) { return 7s + from_seconds(to_seconds(t - start) * drift); };
    for (Time t = start; t < start + 200s; t += 1s) {
      const Duration there = from_seconds(rng.exponential(1e-3)), back = from_seconds(rng.exponential(1e-3));
      exchange(clock, t, skew_at(t), there, back, 0s);
      const Time later = t + there + back + from_seconds(rng.uniform());
      const Duration error = clock.offset(later) - skew_at(later);
      ASSERT_LE(std::chrono::abs(error), clock.bound(later) + 10 * rounding) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace dp
