// Values by key in one slab, and lists threaded through it. For what comes and goes a hundred thousand times a second:
// once the slab has grown to what is held at a time, nothing is allocated any more. A value is found by open addressing
// (linear probing) and stays at its index until it is erased; keys may lie any distance apart.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace dp {

/// Index of a value in a slab.
using SlabIndex = std::uint32_t;
inline constexpr SlabIndex no_index = UINT32_MAX;

/// `Key` is an integer of up to 64 bits or an enumeration of one. References to values end with the next `insert`.
template <class Key, class T>
class SlabMap {
 public:
  std::size_t size() const { return cells_.size() - free_.size(); }
  bool empty() const { return size() == 0; }
  T& operator[](SlabIndex index) { return cells_[index].value; }
  const T& operator[](SlabIndex index) const { return cells_[index].value; }
  Key key(SlabIndex index) const { return cells_[index].key; }

  /// `no_index` if it is not here.
  SlabIndex find(Key key) const {
    if (buckets_.empty()) return no_index;
    return buckets_[bucket_of(key)];
  }
  /// Where it is, and whether it is new: then it is a T{}.
  std::pair<SlabIndex, bool> insert(Key key) {
    if (2 * (size() + 1) > buckets_.size()) grow();
    SlabIndex& index = buckets_[bucket_of(key)];
    const bool fresh = index == no_index;
    if (fresh) index = take_cell(key);
    return {index, fresh};
  }
  void erase(SlabIndex index) {
    std::size_t hole = bucket_of(cells_[index].key);
    // Whatever was pushed past the hole moves back into it, so that probing never meets a gap.
    for (std::size_t at = next(hole); buckets_[at] != no_index; at = next(at)) {
      const std::size_t wanted = home(cells_[buckets_[at]].key);
      if (((at - wanted) & mask()) < ((at - hole) & mask())) continue;
      buckets_[hole] = buckets_[at];
      hole = at;
    }
    buckets_[hole] = no_index;
    cells_[index].value = T{};
    cells_[index].held = false;
    free_.push_back(index);
  }
  /// Calls `visit(index)` for every value, in an order that only depends on what was inserted and erased.
  template <class F>
  void for_each(F&& visit) {
    for (SlabIndex index = 0; index < cells_.size(); ++index) {
      if (cells_[index].held) visit(index);
    }
  }

 private:
  struct Cell {
    Key key{};
    bool held = false;
    T value{};
  };

  std::size_t mask() const { return buckets_.size() - 1; }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  /// Fibonacci hashing: keys that follow each other land far apart.
  std::size_t home(Key key) const {
    return static_cast<std::size_t>((static_cast<std::uint64_t>(key) * 0x9E3779B97F4A7C15ULL) >> 32) & mask();
  }
  /// The bucket that the key is in, or else the empty one where it belongs.
  std::size_t bucket_of(Key key) const {
    std::size_t at = home(key);
    while (buckets_[at] != no_index && cells_[buckets_[at]].key != key) at = next(at);
    return at;
  }
  SlabIndex take_cell(Key key) {
    if (free_.empty()) {
      cells_.push_back({});
      free_.reserve(cells_.capacity());
      free_.push_back(static_cast<SlabIndex>(cells_.size() - 1));
    }
    const SlabIndex index = free_.back();
    free_.pop_back();
    cells_[index].key = key;
    cells_[index].held = true;
    return index;
  }
  void grow() {
    buckets_.assign(buckets_.empty() ? 16 : 2 * buckets_.size(), no_index);
    for_each([&](SlabIndex index) { buckets_[bucket_of(cells_[index].key)] = index; });
  }

  std::vector<Cell> cells_;
  std::vector<SlabIndex> free_;
  std::vector<SlabIndex> buckets_;  ///< a power of two of them, at most half full
};

/// A value's place in a list; a member named `links` of T.
struct SlabLinks {
  SlabIndex before = no_index, after = no_index;
};

/// A list of values of one slab. A value is in one list at most.
class SlabList {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  SlabIndex front() const { return first_; }
  template <class Slab>
  static SlabIndex after(const Slab& slab, SlabIndex index) {
    return slab[index].links.after;
  }
  template <class Slab>
  void push_back(Slab& slab, SlabIndex index) {
    slab[index].links = {last_, no_index};
    (last_ == no_index ? first_ : slab[last_].links.after) = index;
    last_ = index;
    ++size_;
  }
  template <class Slab>
  void erase(Slab& slab, SlabIndex index) {
    const SlabLinks links = std::exchange(slab[index].links, {});
    (links.before == no_index ? first_ : slab[links.before].links.after) = links.after;
    (links.after == no_index ? last_ : slab[links.after].links.before) = links.before;
    --size_;
  }

 private:
  SlabIndex first_ = no_index, last_ = no_index;
  std::size_t size_ = 0;
};

}  // namespace dp
