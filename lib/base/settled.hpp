// Which batches are settled: everything below a watermark, and a bitmap from there on. The collector fills
// it; its image travels in COMMIT.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/ids.hpp"

namespace dp {

class Settled {
 public:
  /// Marks one batch; false if it was marked already.
  bool insert(BatchId id) {
    if (contains(id)) return false;
    const std::uint64_t word = raw(id) / 64 - base_;
    if (word >= words_.size()) words_.resize(word + 1);
    words_[word] |= bit(id);
    ++count_;
    while (!words_.empty() && words_.front() == ~std::uint64_t{0}) {
      words_.pop_front();
      ++base_;
    }
    return true;
  }
  bool contains(BatchId id) const {
    const std::uint64_t word = raw(id) / 64;
    return word < base_ || (word - base_ < words_.size() && (words_[word - base_] & bit(id)));
  }
  /// The first batch not settled.
  BatchId watermark() const {
    return BatchId{base_ * 64 +
                   (words_.empty() ? 0 : static_cast<unsigned>(std::countr_one(words_.front())))};
  }
  std::uint64_t count() const { return count_; }

  /// Words from the watermark's on: bit b of word i stands for batch 64·(watermark/64 + i) + b.
  void image(std::vector<std::uint64_t>& out) const { out.assign(words_.begin(), words_.end()); }

  /// Takes over an image; calls `settled(id)` for each batch from its watermark on that is new here. What
  /// stands below the watermark is the caller's to find: the watermark may leap.
  template <class F>
  void merge(BatchId watermark, const std::vector<std::uint64_t>& image, F&& settled) {
    raise(watermark);
    const std::uint64_t first = raw(watermark) / 64;
    for (std::size_t i = 0; i < image.size(); ++i) {
      const std::uint64_t word = first + i;
      std::uint64_t fresh = image[i] & ~word_at(word);
      for (; fresh; fresh &= fresh - 1) {
        note(BatchId{word * 64 + static_cast<unsigned>(std::countr_zero(fresh))}, settled);
      }
    }
  }

 private:
  static std::uint64_t bit(BatchId id) { return std::uint64_t{1} << (raw(id) % 64); }
  std::uint64_t word_at(std::uint64_t word) const {
    if (word < base_) return ~std::uint64_t{0};
    return word - base_ < words_.size() ? words_[word - base_] : 0;
  }
  /// Everything below is settled.
  void raise(BatchId watermark) {
    if (watermark <= this->watermark()) return;
    const std::uint64_t word = raw(watermark) / 64;
    for (; !words_.empty() && base_ < word; ++base_) {
      count_ += 64 - static_cast<unsigned>(std::popcount(words_.front()));
      words_.pop_front();
    }
    if (base_ < word) count_ += 64 * (word - base_);
    base_ = std::max(base_, word);
    const std::uint64_t below = bit(watermark) - 1;
    if (!below) return;
    if (words_.empty()) words_.resize(1);
    count_ += static_cast<unsigned>(std::popcount(below & ~words_.front()));
    words_.front() |= below;
  }
  template <class F>
  void note(BatchId id, F& settled) {
    if (insert(id)) settled(id);
  }

  std::uint64_t base_ = 0;  ///< first word kept
  std::deque<std::uint64_t> words_;
  std::uint64_t count_ = 0;
};

}  // namespace dp
