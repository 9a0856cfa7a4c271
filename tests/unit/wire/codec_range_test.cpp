// Figures off the network that arithmetic downstream could not stand.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "sample_messages.hpp"

namespace dp {
namespace {

TEST(HostileFigures, ARateThatIsNoRateIsRefused) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double rate :
       {-1.0, -1e-300, 1e300, 0x1p65, infinity, std::numeric_limits<double>::quiet_NaN()}) {
    struct Run run;
    run.rate = rate;
    EXPECT_THROW(sample::decoded(sample::encoded(run)), MalformedFrame) << rate;
  }
}

}  // namespace
}  // namespace dp
