// The plan of a run: which samples make up which batch, and when each batch is due. Made from options alone,
// before anything runs, and identical for every strategy. Nothing is stored per sample or per batch: a batch
// is described by a few numbers, from which its samples and arrivals follow.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/options.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "data/layout.hpp"

namespace dp {

// The limits of a plan, which the flags of the tools have too.
inline constexpr std::uint64_t most_samples_of_run = 1'000'000'000'000;
inline constexpr std::uint32_t largest_batch = 65'536;           ///< samples
inline constexpr double lowest_rate = 1e-3, highest_rate = 1e8;  ///< samples a second

struct PlanOptions {
  std::string layout = "shards:16";  ///< see make_layout
  std::uint64_t samples = 0;    ///< to send in all, at least 1; beyond the data set's end it starts again
  IntRange batch_size{32, 32};  ///< samples a batch; a range is drawn from, batch by batch
  Duration batch_timeout{0};  ///< a batch leaves this long after its first sample, full or not; 0: full only
  double rate = 0;            ///< samples a second; 0: all at once
  bool poisson = false;       ///< exponential gaps between samples; otherwise constant ones
  std::uint64_t seed = 1;
};

/// One batch of the plan. Times are since t0.
struct BatchSpec {
  BatchId id{};
  ShardId shard = 0;         ///< the layout's group that all its samples come from
  std::uint64_t first = 0;   ///< position of its first sample within the group's share
  std::uint32_t count = 0;   ///< samples, at least 1
  Duration scheduled{};      ///< when it is to be released
  Duration first_arrival{};  ///< when its first sample arrives
  std::uint64_t before = 0;  ///< samples of the run in earlier batches
  bool operator==(const BatchSpec&) const = default;
};

/// Immutable; not for use by several threads at once (see Layout).
class Plan {
 public:
  /// Throws UsageError naming the flag and what is allowed.
  Plan(const PlanOptions& options, SampleId dataset_size);

  class Cursor;
  /// A position before the first batch. Cursors are independent of one another and must not outlive the plan.
  Cursor begin() const;

  /// The batch's samples, in order.
  void samples(const BatchSpec& batch, std::vector<SampleId>& out) const;
  /// When each of them arrives, since t0; all 0 when rate is 0.
  void arrivals(const BatchSpec& batch, std::vector<Duration>& out) const;

  const PlanOptions& options() const { return options_; }
  std::uint64_t batches() const { return batches_; }
  /// Equal for two plans exactly when their options that matter and their data set sizes are equal; 32 hex
  /// digits.
  std::string digest() const;
  /// Samples of the run in each shard; empty unless the layout is made of shards.
  std::vector<std::uint64_t> shard_weights() const;

 private:
  friend class Cursor;

  bool draws() const { return options_.batch_size.low != options_.batch_size.high || options_.poisson; }
  std::uint32_t draw_size(std::optional<Rng>& rng) const;
  Duration arrival_after(Duration previous, std::uint64_t sample, std::optional<Rng>& rng) const;
  Duration fill(BatchSpec& batch, std::uint32_t limit, std::optional<Rng>& rng) const;
  std::uint64_t count_batches() const;

  PlanOptions options_;  ///< with what has no effect set to its default
  SampleId dataset_size_;
  std::unique_ptr<const Layout> layout_;
  std::uint64_t batches_;
};

/// Walks through the batches in order.
class Plan::Cursor {
 public:
  explicit Cursor(const Plan& plan);
  /// The next batch, or nothing after the last.
  std::optional<BatchSpec> next();
  /// Goes back before the first batch.
  void rewind();

 private:
  using Turn =
      std::pair<double, std::uint32_t>;  ///< the group with the smallest (share served, number) is next

  const Plan* plan_;
  std::uint64_t id_ = 0, before_ = 0;
  Duration next_arrival_{0};
  std::vector<std::uint64_t> served_;  ///< samples, by group
  std::vector<Turn> turns_;            ///< a min-heap of the groups that are not exhausted
};

}  // namespace dp
