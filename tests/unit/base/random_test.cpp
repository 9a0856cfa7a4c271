// Random draws: the same figures on every compiler, and the distributions they claim.
// SPDX-License-Identifier: MIT
#include "base/random.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dp {
namespace {

TEST(Rng, IsTheStandardsGenerator) {
  Rng rng(std::mt19937_64::default_seed);
  for (int i = 1; i < 10'000; ++i) rng.bits();
  EXPECT_EQ(rng.bits(), 9981545732273789042U);  // [rand.predef] of the C++ standard
}

TEST(Mix, IsSplitMix64) {
  // First outputs of the reference implementation (Vigna, splitmix64.c) for the states 0 and 1234567.
  EXPECT_EQ(mix(0, 0), 0xE220A8397B1DCDAFU);
  EXPECT_EQ(mix(0, 1), 0x6E789E6AA1B965F4U);
  EXPECT_EQ(mix(0, 2), 0x06C45D188009454FU);
  EXPECT_EQ(mix(1234567, 0), 6457827717110365317U);
  EXPECT_EQ(mix(1234567, 1), 3203168211198807973U);
}

TEST(Rng, BelowStaysBelowWhateverTheBound) {
  Rng rng(1);
  for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1000},
                                (std::uint64_t{1} << 63) + 1, UINT64_MAX}) {
    for (int i = 0; i < 1000; ++i) EXPECT_LT(rng.below(n), n);
  }
}

TEST(Rng, BelowIsUnbiasedWhereTheModuloWouldNotBe) {
  // With n = 3·2^62 a plain modulo gives the values below 2^62 twice as often as the others: half instead of
  // a third.
  Rng rng(1);
  const std::uint64_t n = std::uint64_t{3} << 62;
  const int draws = 30'000;
  int low = 0;
  for (int i = 0; i < draws; ++i) low += rng.below(n) < n / 3;
  const double sigma = std::sqrt(draws * (1.0 / 3) * (2.0 / 3));
  EXPECT_NEAR(low, draws / 3.0, 5 * sigma);
}

TEST(Rng, BelowIsEven) {
  Rng rng(2);
  std::vector<int> times(7);
  const int draws = 70'000;
  for (int i = 0; i < draws; ++i) ++times[rng.below(7)];
  double chi_squared = 0;
  for (const int seen : times) chi_squared += (seen - draws / 7.0) * (seen - draws / 7.0) / (draws / 7.0);
  EXPECT_LT(chi_squared, 22.46);  // 99.9 % quantile, 6 degrees of freedom
}

TEST(Rng, UniformIsTheTop53BitsOfADraw) {
  std::mt19937_64 reference(3);
  Rng rng(3);
  for (int i = 0; i < 1000; ++i) {
    const double u = rng.uniform();
    EXPECT_EQ(u, std::ldexp(static_cast<double>(reference() / 2048), -53));
    EXPECT_GE(u, 0);
    EXPECT_LT(u, 1);
  }
}

TEST(Rng, ExponentialInvertsItsDistribution) {
  Rng uniforms(4), rng(4);
  for (int i = 0; i < 1000; ++i) {
    const double u = uniforms.uniform();
    const double x = rng.exponential(5);
    EXPECT_NEAR(1 - std::exp(-x / 5), u, 1e-15);
  }
}

TEST(Rng, SameSeedSameDraws) {
  Rng a(7), b(7), c(8);
  EXPECT_EQ(a.bits(), b.bits());
  EXPECT_NE(a.bits(), c.bits());
}

}  // namespace
}  // namespace dp
