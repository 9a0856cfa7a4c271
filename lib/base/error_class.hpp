// What kind of failure ended a batch's attempt: decides whether and where it is tried again.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dp {

enum class ErrorClass : std::uint8_t {
  none,       ///< it worked
  transient,  ///< may work at once elsewhere: a worker lost, a lease run out
  resource,   ///< memory or device exhausted
  data,       ///< the batch itself is bad: wrong shape, wrong size
  permanent   ///< will not work here however often it is tried
};

}  // namespace dp
