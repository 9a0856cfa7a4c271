// ch-bl: consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam 2018; HAProxy's hash-balance-factor).
// Workers have points on a circle. A batch goes to the first worker clockwise from its key that has less outstanding than
// c times the average, this batch included, rounded up: the key's own worker while it keeps up, the next ones for what is
// too much. A worker that is lost or comes moves only its own keys. The circle is sorted anew then (some 50 ms at 4,096
// workers).
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <bit>
#include <cmath>

#include "route/placement_key.hpp"
#include "route/strategy.hpp"

namespace dp {
namespace {

constexpr std::uint64_t points_each = 100;

class BoundedLoads final : public Strategy {
 public:
  BoundedLoads(const StrategySetup& setup, const StrategyParameters& parameters)
      : key_(setup, parameters, "ch-bl"), seed_(mix(setup.seed, 0x63682d626cULL)), factor_(parameters.number("c", 1, 1000, 1.25)) {}

  std::optional<Slot> choose(Time, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView& view) override {
    if (stale_) sort(view);
    const double bound =
        std::ceil(factor_ * static_cast<double>(view.batches() + 1) / static_cast<double>(view.live().size()));
    const std::size_t home = first_from(position(key_(batch)));
    std::optional<Slot> fallback;  // everybody but the excluded one may be at the bound
    for (std::size_t step = 0, at = home; step < circle_.size(); ++step, at = at + 1 == circle_.size() ? 0 : at + 1) {
      const Slot slot = circle_[at].slot;
      if (slot == exclude) continue;
      if (view[slot].batches() < bound) return slot;
      if (!fallback) fallback = slot;
    }
    return fallback;
  }
  void joined(Slot, bool) override { stale_ = true; }
  void left(Slot) override { stale_ = true; }

 private:
  /// Where on the circle, and whose: small, since a circle of many workers is larger than the caches.
  struct Point {
    std::uint32_t at;
    Slot slot;
    auto operator<=>(const Point&) const = default;
  };

  static std::uint32_t position(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  void sort(const WorkerView& view) {
    circle_.clear();
    for (const Slot slot : view.live().members()) {
      for (std::uint64_t point = 0; point < points_each; ++point)
        circle_.push_back({position(mix(mix(seed_, slot), point)), slot});
    }
    std::sort(circle_.begin(), circle_.end());
    shift_ = 32 - std::countr_zero(std::bit_ceil(circle_.size()));
    starts_.resize(std::size_t{1} << (32 - shift_));
    std::size_t at = 0;
    for (std::size_t arc = 0; arc < starts_.size(); ++arc) {
      while (at < circle_.size() && circle_[at].at < arc << shift_) ++at;
      starts_[arc] = static_cast<std::uint32_t>(at);
    }
    stale_ = false;
  }
  /// The first point at the hash or clockwise from it; arcs of about one point each are indexed.
  std::size_t first_from(std::uint32_t from) const {
    std::size_t at = starts_[from >> shift_];
    while (at < circle_.size() && circle_[at].at < from) ++at;
    return at == circle_.size() ? 0 : at;
  }

  PlacementKey key_;
  std::uint64_t seed_;  ///< of the circle
  double factor_;
  std::vector<Point> circle_;  ///< ascending
  std::vector<std::uint32_t> starts_;
  int shift_ = 31;
  bool stale_ = true;
};

}  // namespace

StrategyKind ch_bl_strategy() {
  return {.name = "ch-bl",
          .rule = "the first worker clockwise from the key on a circle of hashes that has less than c times the average outstanding",
          .source = "Mirrokni, Thorup and Zadimoghaddam 2018; HAProxy hash-balance-factor",
          .traits = {.elastic = true, .needs_shards = true, .others_move = 0},
          .parameters = {PlacementKey::parameter, {"c", "bound on a worker's load over the average, 1 to 1000; 1.25 unless given"}},
          .make = made<BoundedLoads>};
}

}  // namespace dp
