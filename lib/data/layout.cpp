// SPDX-License-Identifier: MIT
#include "data/layout.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/options.hpp"
#include "base/random.hpp"
#include "data/sampler.hpp"

namespace dp {
namespace {

/// Number of i < n with i ≡ r mod w.
std::uint64_t congruent(std::uint64_t n, std::uint64_t r, std::uint64_t w) {
  return r < n ? (n - r - 1) / w + 1 : 0;
}

/// Splits `total` in proportion to integer weights by largest remainder; the parts sum to `total` exactly.
/// total × weight must fit 64 bits and the weights must not all be zero.
std::vector<std::uint64_t> apportion(std::uint64_t total, const std::vector<std::uint64_t>& weights) {
  const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  std::vector<std::uint64_t> parts(weights.size());
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = total * weights[i] / sum;
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return total * weights[a] % sum > total * weights[b] % sum;
  });
  const std::uint64_t given = std::accumulate(parts.begin(), parts.end(), std::uint64_t{0});
  for (std::size_t i = 0; i < total - given; ++i) ++parts[order[i]];
  return parts;
}

class Sequential final : public Layout {
 public:
  Sequential(SampleId size, std::uint64_t samples) : size_(size), samples_(samples) {}
  std::string spec() const override { return "sequential"; }
  std::uint32_t groups() const override { return 1; }
  std::uint64_t quota(std::uint32_t) const override { return samples_; }
  SampleId sample(std::uint32_t, std::uint64_t j) const override { return static_cast<SampleId>(j % size_); }

 private:
  SampleId size_;
  std::uint64_t samples_;
};

/// The unpadded lists of DistributedSampler, one group a rank.
class Distributed final : public Layout {
 public:
  Distributed(std::uint32_t workers, bool shuffle, SampleId size, std::uint64_t samples, std::uint64_t seed)
      : workers_(workers), shuffle_(shuffle), size_(size), samples_(samples), seed_(seed) {}

  std::string spec() const override {
    return fmt::format("distributed:{}{}", workers_, shuffle_ ? ",shuffle" : "");
  }
  std::uint32_t groups() const override { return workers_; }
  std::uint64_t quota(std::uint32_t rank) const override {
    return samples_ / size_ * congruent(size_, rank, workers_) + congruent(samples_ % size_, rank, workers_);
  }
  SampleId sample(std::uint32_t rank, std::uint64_t j) const override {
    const std::uint64_t each = congruent(size_, rank, workers_);
    const std::uint64_t position = rank + j % each * workers_;
    return shuffle_ ? epoch(j / each)[position] : static_cast<SampleId>(position);
  }
  bool seeded() const override { return shuffle_; }

 private:
  struct Epoch {
    std::uint64_t number = 0;
    std::vector<SampleId> list;
  };

  /// Kept for a few epochs, because ranks and cursors cross from one epoch to the next at different times.
  const std::vector<SampleId>& epoch(std::uint64_t number) const {
    Epoch& kept = kept_[number % kept_.size()];
    if (kept.list.empty() || kept.number != number) {
      kept = {number, sampler_list({size_, workers_, Tail::exact, shuffle_, seed_, number})};
    }
    return kept.list;
  }

  std::uint32_t workers_;
  bool shuffle_;
  SampleId size_;
  std::uint64_t samples_, seed_;
  mutable std::array<Epoch, 4> kept_;
};

/// How ids are dealt to shards.
struct ShardSpec {
  std::uint32_t shards = 1;
  bool hash = false;
  double zipf = 0;  ///< exponent; 0: even

  std::string text() const {
    return fmt::format("shards:{},{},{}", shards, hash ? "hash" : "contiguous",
                       zipf == 0 ? "even" : fmt::format("zipf:{}", zipf));
  }
  /// Shard s weighs (s+1)^-zipf, as an integer so that sizes are exact.
  std::vector<std::uint64_t> weights() const {
    std::vector<std::uint64_t> weights(shards);
    for (std::uint32_t s = 0; s < shards; ++s) {
      weights[s] = zipf == 0 ? 1 : static_cast<std::uint64_t>(std::ldexp(std::pow(s + 1.0, -zipf), 31));
    }
    return weights;
  }
};

/// A partition of the ids 0 … m-1; each shard repeats its own ids until its quota is met.
class Shards final : public Layout {
 public:
  Shards(const ShardSpec& spec, SampleId size, std::uint64_t samples) : spec_(spec) {
    const auto ids = static_cast<SampleId>(std::min<std::uint64_t>(samples, size));
    const std::vector<std::uint64_t> sizes = spec.hash ? deal(ids) : apportion(ids, spec.weights());
    begin_.assign(1, 0);
    for (const std::uint64_t each : sizes) begin_.push_back(begin_.back() + each);
    quotas_ = apportion(samples % ids, sizes);
    for (std::size_t s = 0; s < sizes.size(); ++s) quotas_[s] += samples / ids * sizes[s];
  }

  std::string spec() const override { return spec_.text(); }
  std::uint32_t groups() const override { return spec_.shards; }
  std::uint64_t quota(std::uint32_t shard) const override { return quotas_[shard]; }
  SampleId sample(std::uint32_t shard, std::uint64_t j) const override {
    const std::uint64_t at = begin_[shard] + j % (begin_[shard + 1] - begin_[shard]);
    return spec_.hash ? members_[at] : static_cast<SampleId>(at);
  }
  bool sharded() const override { return true; }

 private:
  /// Deals each id by its hash, fills members_ shard by shard and returns the sizes.
  std::vector<std::uint64_t> deal(SampleId ids) {
    std::vector<std::uint64_t> upto = spec_.weights();
    std::partial_sum(upto.begin(), upto.end(), upto.begin());
    std::vector<std::uint32_t> shard_of(ids);
    std::vector<std::uint64_t> sizes(spec_.shards);
    for (SampleId id = 0; id < ids; ++id) {
      const auto above = std::upper_bound(upto.begin(), upto.end(), mix(0, id) % upto.back());
      ++sizes[shard_of[id] = static_cast<std::uint32_t>(above - upto.begin())];
    }
    std::vector<std::uint64_t> next(spec_.shards);
    std::exclusive_scan(sizes.begin(), sizes.end(), next.begin(), std::uint64_t{0});
    members_.resize(ids);
    for (SampleId id = 0; id < ids; ++id) members_[next[shard_of[id]]++] = id;
    return sizes;
  }

  ShardSpec spec_;
  std::vector<std::uint64_t> begin_;  ///< shard s holds positions begin_[s] … begin_[s+1]-1
  std::vector<SampleId> members_;     ///< ids by position, when dealt by hash
  std::vector<std::uint64_t> quotas_;
};

UsageError bad_layout(std::string_view spec) {
  return UsageError(
      "layout '{}': give sequential, distributed:W[,shuffle] or "
      "shards:S[,contiguous|hash][,even|zipf:A], W and S from 1 to {}, A from 0 to 10",
      spec, most_groups);
}

/// The number after `kind:`, or nothing when `part` is of another kind.
std::optional<std::uint32_t> groups_of(std::string_view kind, const std::string& part,
                                       std::string_view spec) {
  if (!part.starts_with(kind)) return std::nullopt;
  const auto what = fmt::format("layout '{}': {}", spec, kind.substr(0, kind.size() - 1));
  return static_cast<std::uint32_t>(
      parse_count(what, std::string_view(part).substr(kind.size()), 1, most_groups));
}

ShardSpec parse_shards(std::uint32_t shards, const std::vector<std::string>& parts, std::string_view spec) {
  ShardSpec result{shards};
  bool dealt = false, sized = false;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    if (const bool hash = part == "hash"; hash || part == "contiguous") {
      if (std::exchange(dealt, true)) throw bad_layout(spec);
      result.hash = hash;
    } else if (const bool zipf = part.starts_with("zipf:"); zipf || part == "even") {
      if (std::exchange(sized, true)) throw bad_layout(spec);
      if (zipf) result.zipf = parse_number(fmt::format("layout '{}': zipf", spec), part.substr(5), 0, 10);
    } else {
      throw bad_layout(spec);
    }
  }
  return result;
}

}  // namespace

std::unique_ptr<Layout> make_layout(std::string_view spec, SampleId dataset_size, std::uint64_t samples,
                                    std::uint64_t seed) {
  const auto parts = split(spec, ',');
  if (spec == "sequential") return std::make_unique<Sequential>(dataset_size, samples);
  if (const auto workers = groups_of("distributed:", parts[0], spec)) {
    if (parts.size() > 2 || (parts.size() == 2 && parts[1] != "shuffle")) throw bad_layout(spec);
    return std::make_unique<Distributed>(*workers, parts.size() == 2, dataset_size, samples, seed);
  }
  if (const auto shards = groups_of("shards:", parts[0], spec)) {
    return std::make_unique<Shards>(parse_shards(*shards, parts, spec), dataset_size, samples);
  }
  throw bad_layout(spec);
}

}  // namespace dp
