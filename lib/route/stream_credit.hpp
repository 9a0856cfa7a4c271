// How many batches dp-stream may send: as many as the buffer has room for. A cumulative limit per session, so that a lost
// or repeated message does no harm.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace dp {

class StreamCredit {
 public:
  /// A session begins while `held` batches are kept of at most `capacity`. Returns the limit to tell.
  std::uint64_t begin(std::uint64_t capacity, std::uint64_t held) {
    capacity_ = capacity;
    received_ = 0;
    return advertised_ = limit(held);
  }
  /// The stream may send its batch of this number, from 1.
  bool admits(std::uint64_t number) const { return number <= advertised_; }
  void received(std::uint64_t number) { received_ = std::max(received_, number); }
  std::uint64_t capacity() const { return capacity_; }
  /// The limit to tell, if there is enough new room to tell of.
  std::optional<std::uint64_t> extended(std::uint64_t held) {
    const std::uint64_t now = limit(held);
    if (now <= advertised_) return std::nullopt;
    const bool some_left = received_ < advertised_ && held > 0;
    if (now - advertised_ < capacity_ / 8 && some_left) return std::nullopt;
    return advertised_ = now;
  }

 private:
  /// What there is room for; and the first of a session, as many as the buffer holds, may go to twice its bound. For a
  /// restarted dp-stream announces a batch when it sends it: were it to wait for room that batches take which it has
  /// not announced, nothing would ever be settled.
  std::uint64_t limit(std::uint64_t held) const {
    const auto room = [held](std::uint64_t bound) { return bound > held ? bound - held : 0; };
    return std::max(received_ + room(capacity_), std::min(capacity_, received_ + room(2 * capacity_)));
  }

  std::uint64_t capacity_ = 0, received_ = 0, advertised_ = 0;
};

}  // namespace dp
