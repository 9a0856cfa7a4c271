// SPDX-License-Identifier: MIT
#include "collect/time_series.hpp"

#include <algorithm>
#include <bit>

#include "stats/percentile_support.hpp"

namespace dp {
namespace {

constexpr std::int64_t longest = 1'000'000'000;  ///< seconds; nobody's clock is right that is further ahead
constexpr int half_bits = 6;                     // 64 bins a doubling: half a bin is below 0.8 % of its value
constexpr std::uint32_t half = 1U << half_bits;

std::uint32_t bin_of(std::int64_t value) {
  const auto v = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
  const int shift = std::max(0, static_cast<int>(std::bit_width(v)) - half_bits - 1);
  return static_cast<std::uint32_t>(shift) * half + static_cast<std::uint32_t>(v >> shift);
}

std::int64_t middle_of(std::uint32_t bin) {
  const std::uint32_t shift = bin < 2 * half ? 0 : bin / half - 1;
  return (static_cast<std::int64_t>(bin - shift * half) << shift) + ((std::int64_t{1} << shift) >> 1);
}

double ms(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

}  // namespace

void SparseHistogram::add(const Histogram& values) {
  SparseHistogram other;
  values.for_each_bin([&other](std::int64_t lower, std::uint64_t count) {
    const std::uint32_t number = bin_of(lower), n = static_cast<std::uint32_t>(count);
    if (other.bins_.empty() || other.bins_.back().number != number) {
      other.bins_.push_back({number, n});
    } else {
      other.bins_.back().count += n;
    }
  });
  merge(other);
}

void SparseHistogram::merge(const SparseHistogram& other) {
  std::vector<Bin> both;
  both.reserve(bins_.size() + other.bins_.size());
  std::ranges::merge(bins_, other.bins_, std::back_inserter(both), {}, &Bin::number, &Bin::number);
  std::size_t last = 0;
  for (std::size_t i = 1; i < both.size(); ++i) {
    if (both[i].number == both[last].number) {
      both[last].count += both[i].count;
    } else {
      both[++last] = both[i];
    }
  }
  const auto kept = static_cast<std::ptrdiff_t>(both.empty() ? 0 : last + 1);
  bins_ = std::vector<Bin>(both.begin(), both.begin() + kept);  // no more room than that
}

std::uint64_t SparseHistogram::count() const {
  std::uint64_t n = 0;
  for (const Bin& bin : bins_) n += bin.count;
  return n;
}

std::int64_t SparseHistogram::percentile(double p) const {
  const std::uint64_t rank = nearest_rank(p, count());
  std::uint64_t seen = 0;
  for (const Bin& bin : bins_) {
    seen += bin.count;
    if (seen >= rank) return middle_of(bin.number);
  }
  return 0;
}

void TimeSeries::Latencies::take(const Histogram& values) {
  if (values.count() == 0) return;
  p50 = p99 = std::nullopt;
  if (bins.count() == 0) {
    p50 = values.percentile(0.5);
    p99 = values.percentile(0.99);
  }
  max = std::max(max, values.max());
  bins.add(values);
}

void TimeSeries::Latencies::merge(const Latencies& other) {
  if (other.bins.count() == 0) return;
  if (bins.count() == 0) {
    *this = other;
    return;
  }
  p50 = p99 = std::nullopt;
  max = std::max(max, other.max);
  bins.merge(other.bins);
}

std::size_t TimeSeries::index_of(Duration after) {
  const auto second = std::clamp<std::int64_t>(after / std::chrono::seconds(1), 0, longest);
  while (second / seconds_ >= static_cast<std::int64_t>(most_rows)) make_rows_wider();
  const auto index = static_cast<std::size_t>(second / seconds_);
  if (index >= rows_.size()) rows_.resize(index + 1);
  return index;
}

void TimeSeries::make_rows_wider() {
  close_newest();
  for (std::size_t i = 1; i < rows_.size(); ++i) {
    Row& row = rows_[i / 2];
    if (i % 2 == 0) {
      row = std::move(rows_[i]);
    } else {
      row.offered += rows_[i].offered;
      row.completed += rows_[i].completed;
      row.latencies.merge(rows_[i].latencies);
    }
  }
  rows_.resize((rows_.size() + 1) / 2);
  newest_row_ /= 2;
  seconds_ *= 2;
}

void TimeSeries::close_newest() {
  if (newest_.count() == 0) return;
  rows_[newest_row_].latencies.take(newest_);
  newest_ = {};
}

void TimeSeries::offered(Duration after, std::uint64_t samples) { rows_[index_of(after)].offered += samples; }

void TimeSeries::completed(Duration after, std::uint64_t samples, Duration latency) {
  const std::size_t index = index_of(after);
  Row& row = rows_[index];
  row.completed += samples;
  if (index > newest_row_) {
    close_newest();
    newest_row_ = index;
  }
  if (index == newest_row_) return newest_.record(latency.count());
  Histogram late;
  late.record(latency.count());
  row.latencies.take(late);
}

std::vector<SecondOfRun> TimeSeries::rows() const {
  std::vector<SecondOfRun> told;
  std::uint64_t offered = 0, completed = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    offered += rows_[i].offered;
    completed += rows_[i].completed;
    SecondOfRun row;
    row.t_s = static_cast<double>(i) * static_cast<double>(seconds_);
    row.seconds = static_cast<std::uint32_t>(seconds_);
    row.offered = rows_[i].offered;
    row.completed = rows_[i].completed;
    row.queue = offered > completed ? offered - completed : 0;
    Latencies latencies = rows_[i].latencies;
    if (i == newest_row_) latencies.take(newest_);
    const std::uint64_t batches = latencies.bins.count();
    const auto percentile = [&](double p) { return std::min(latencies.bins.percentile(p), latencies.max); };
    if (batches > 0) {
      row.p50_ms = ms(latencies.p50.value_or(percentile(0.5)));
      row.max_ms = ms(latencies.max);
    }
    if (supported(0.99, batches)) row.p99_ms = ms(latencies.p99.value_or(percentile(0.99)));
    told.push_back(row);
  }
  return told;
}

}  // namespace dp
