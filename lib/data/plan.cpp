// SPDX-License-Identifier: MIT
#include "data/plan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.hpp"
#include "base/file.hpp"

namespace dp {
namespace {

constexpr double longest_run_s = 1e8;

PlanOptions checked(PlanOptions options) {
  const IntRange size = options.batch_size;
  if (options.samples < 1 || options.samples > most_samples_of_run) {
    throw UsageError("--samples '{}': give a whole number from 1 to {}", options.samples,
                     most_samples_of_run);
  }
  if (size.low < 1 || size.low > size.high || size.high > largest_batch) {
    throw UsageError("--batch-size '{}..{}': give a number or a range from 1 to {}", size.low, size.high,
                     largest_batch);
  }
  if (options.rate != 0 && !(options.rate >= lowest_rate && options.rate <= highest_rate)) {
    throw UsageError("--rate '{}': give max or {} to {:.0f} samples a second", options.rate, lowest_rate,
                     highest_rate);
  }
  if (options.rate != 0 && static_cast<double>(options.samples) / options.rate > longest_run_s) {
    throw UsageError("--samples '{}' at --rate '{}' would take {:.0f} s: at most {:.0f} s", options.samples,
                     options.rate, static_cast<double>(options.samples) / options.rate, longest_run_s);
  }
  if (options.batch_timeout < Duration::zero() || options.batch_timeout > from_seconds(longest_run_s)) {
    throw UsageError("--batch-timeout '{} ns': give 0 (none) to {:.0f} s", options.batch_timeout.count(),
                     longest_run_s);
  }
  if (options.rate == 0) {
    options.poisson = false;
    options.batch_timeout = Duration::zero();
  }
  return options;
}

}  // namespace

Plan::Plan(const PlanOptions& options, SampleId dataset_size)
    : options_(checked(options)),
      dataset_size_(dataset_size),
      layout_(make_layout(options_.layout, dataset_size, options_.samples, options_.seed)),
      batches_(0) {
  options_.layout = layout_->spec();
  if (!draws() && !layout_->seeded()) options_.seed = PlanOptions{}.seed;
  batches_ = count_batches();
}

std::uint64_t Plan::count_batches() const {
  std::uint64_t batches = 0;
  if (options_.batch_size.low != options_.batch_size.high || options_.batch_timeout > Duration::zero()) {
    for (Cursor cursor = begin(); cursor.next();) ++batches;
    return batches;
  }
  const std::uint64_t size = options_.batch_size.low;
  for (std::uint32_t group = 0; group < layout_->groups(); ++group) {
    batches += (layout_->quota(group) + size - 1) / size;
  }
  return batches;
}

Plan::Cursor Plan::begin() const { return Cursor(*this); }

void Plan::samples(const BatchSpec& batch, std::vector<SampleId>& out) const {
  out.resize(batch.count);
  for (std::uint32_t i = 0; i < batch.count; ++i) out[i] = layout_->sample(batch.shard, batch.first + i);
}

void Plan::arrivals(const BatchSpec& batch, std::vector<Duration>& out) const {
  std::optional<Rng> rng;
  if (options_.poisson) {
    rng.emplace(mix(options_.seed, raw(batch.id)));
    draw_size(rng);
  }
  out.assign(1, batch.first_arrival);
  for (std::uint32_t i = 1; i < batch.count; ++i)
    out.push_back(arrival_after(out.back(), batch.before + i, rng));
}

std::uint32_t Plan::draw_size(std::optional<Rng>& rng) const {
  const auto [low, high] = options_.batch_size;
  return low == high ? low : low + static_cast<std::uint32_t>(rng->below(high - low + 1));
}

/// When the run's sample number `sample` arrives, the one before it having arrived at `previous`.
Duration Plan::arrival_after(Duration previous, std::uint64_t sample, std::optional<Rng>& rng) const {
  if (options_.rate == 0) return Duration::zero();
  if (options_.poisson) return previous + Duration(std::llround(rng->exponential(1e9 / options_.rate)));
  return Duration(std::llround(static_cast<double>(sample) * 1e9 / options_.rate));
}

/// Sets count (at most `limit`) and release of a batch whose first sample has arrived; returns the arrival
/// after its last.
Duration Plan::fill(BatchSpec& batch, std::uint32_t limit, std::optional<Rng>& rng) const {
  const bool timed = options_.batch_timeout > Duration::zero();
  const Duration deadline = timed ? batch.first_arrival + options_.batch_timeout : Duration::max();
  if (!timed && !options_.poisson) {
    batch.count = limit;
    batch.scheduled = arrival_after({}, batch.before + limit - 1, rng);
    return arrival_after({}, batch.before + limit, rng);
  }
  Duration last = batch.first_arrival;
  for (batch.count = 1;; ++batch.count) {
    const Duration arrival = arrival_after(last, batch.before + batch.count, rng);
    const bool full = batch.count == limit;
    if (full || arrival > deadline) {
      batch.scheduled = full ? last : deadline;
      return arrival;
    }
    last = arrival;
  }
}

std::string Plan::digest() const {
  const std::string text = fmt::format(
      "layout={} samples={} batch_size={}..{} batch_timeout_ns={} rate={} poisson={} seed={} data={}",
      options_.layout, options_.samples, options_.batch_size.low, options_.batch_size.high,
      options_.batch_timeout.count(), options_.rate, options_.poisson, options_.seed, dataset_size_);
  return dp::digest(std::as_bytes(std::span(text)));
}

std::vector<std::uint64_t> Plan::shard_weights() const {
  std::vector<std::uint64_t> weights;
  if (!layout_->sharded()) return weights;
  for (std::uint32_t shard = 0; shard < layout_->groups(); ++shard) weights.push_back(layout_->quota(shard));
  return weights;
}

Plan::Cursor::Cursor(const Plan& plan) : plan_(&plan) { rewind(); }

void Plan::Cursor::rewind() {
  const Layout& layout = *plan_->layout_;
  id_ = before_ = 0;
  next_arrival_ = Duration::zero();
  served_.assign(layout.groups(), 0);
  turns_.clear();
  for (std::uint32_t group = 0; group < layout.groups(); ++group) {
    if (layout.quota(group) > 0) turns_.emplace_back(0.0, group);  // in order, so a heap already
  }
}

std::optional<BatchSpec> Plan::Cursor::next() {
  if (turns_.empty()) return std::nullopt;
  const Layout& layout = *plan_->layout_;
  std::pop_heap(turns_.begin(), turns_.end(), std::greater<>());
  auto& [share, group] = turns_.back();
  std::uint64_t& served = served_[group];
  const std::uint64_t quota = layout.quota(group);

  std::optional<Rng> rng;
  if (plan_->draws()) rng.emplace(mix(plan_->options_.seed, id_));
  BatchSpec batch{
      .id = BatchId{id_}, .shard = group, .first = served, .first_arrival = next_arrival_, .before = before_};
  const std::uint64_t size = plan_->draw_size(rng);
  next_arrival_ = plan_->fill(batch, static_cast<std::uint32_t>(std::min(size, quota - served)), rng);
  ++id_;
  before_ += batch.count;
  served += batch.count;

  if (served == quota) {
    turns_.pop_back();
  } else {
    share = layout.sharded() ? static_cast<double>(served) / static_cast<double>(quota) : share + 1;
    std::push_heap(turns_.begin(), turns_.end(), std::greater<>());
  }
  return batch;
}

}  // namespace dp
