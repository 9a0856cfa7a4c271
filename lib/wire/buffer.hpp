// How many batches dp-route keeps until they are settled: what bounds those that can be outstanding.
// SPDX-License-Identifier: MIT
#pragma once

#include "wire/message.hpp"

namespace dp {

/// `given`: --buffer; 0 is as many as fit into little memory.
constexpr std::uint64_t buffer_of(std::uint64_t given, PayloadMode payload) {
  if (given) return given;
  return payload == PayloadMode::reference ? 65'536 : 256;
}

}  // namespace dp
