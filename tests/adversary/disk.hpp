// The journal's disk, simulated: what was appended is durable only after a sync, and a crash keeps a prefix of
// the rest, cut anywhere.
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "base/random.hpp"

namespace dp::adversary {

class Disk {
 public:
  void append(const std::string& group) { bytes_ += group; }
  std::size_t size() const { return bytes_.size(); }
  void synced(std::size_t upto) { durable_ = std::max(durable_, upto); }
  std::string_view durable() const { return std::string_view(bytes_).substr(0, durable_); }
  /// Half of the crashes leave everything: the process died and the machine did not.
  void crash(Rng& rng) {
    if (rng.below(2)) bytes_.resize(durable_ + rng.below(bytes_.size() - durable_ + 1));
  }
  /// The file is read back, its torn tail cut off, and it is synced.
  void recover(std::size_t good) {
    bytes_.resize(good);
    durable_ = good;
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(bytes_)); }

 private:
  std::string bytes_;
  std::size_t durable_ = 0;
};

}  // namespace dp::adversary
