// e^-x from the four operations alone, so that it has the same bits on every machine.
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

namespace dp {

/// For x >= 0; within 4e-16 of its value.
inline double decay(double x) {
  if (!(x < 700)) return 0;
  constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  const double halvings = std::floor(x / (ln2_high + ln2_low) + 0.5);
  const double rest = -((x - halvings * ln2_high) - halvings * ln2_low);  // |rest| <= ln 2 / 2
  double sum = 1;
  for (int n = 16; n >= 1; --n) sum = 1 + rest / n * sum;
  return std::ldexp(sum, -static_cast<int>(halvings));
}

}  // namespace dp
