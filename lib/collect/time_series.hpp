// A run by time: what was offered and completed in each row, and how long its batches took, in constant memory however
// long the run gets. A row is one second of the run until there are too many; then neighbours become one, two by two.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "report/run_report.hpp"
#include "stats/histogram.hpp"

namespace dp {

/// A histogram to within 0.8 %: the bins that are not empty, of which there are 64 a doubling, 8 bytes each.
class SparseHistogram {
 public:
  void add(const Histogram& values);
  void merge(const SparseHistogram& other);
  std::uint64_t count() const;
  std::int64_t percentile(double p) const;  ///< nearest rank; 0 when empty

 private:
  struct Bin {
    std::uint32_t number = 0, count = 0;
  };
  std::vector<Bin> bins_;  ///< ascending
};

/// Latencies in a row of one piece have three significant digits; in one that was put together, or that a batch came
/// late to, percentiles are within 0.8 %.
class TimeSeries {
 public:
  static constexpr std::size_t most_rows = 512;

  /// Samples arrived so long after t0.
  void offered(Duration after, std::uint64_t samples);
  /// A batch was collected so long after t0.
  void completed(Duration after, std::uint64_t samples, Duration latency);
  std::vector<SecondOfRun> rows() const;

 private:
  /// What was collected in a row and is no longer in `newest_`.
  struct Latencies {
    std::int64_t max = 0;
    std::optional<std::int64_t> p50, p99;  ///< exact, while all of it is of one histogram
    SparseHistogram bins;
    void take(const Histogram& values);
    void merge(const Latencies& other);
  };
  struct Row {
    std::uint64_t offered = 0, completed = 0;
    Latencies latencies;
  };

  std::size_t index_of(Duration after);
  void make_rows_wider();
  void close_newest();

  std::int64_t seconds_ = 1;  ///< a row's
  std::vector<Row> rows_;
  std::size_t newest_row_ = 0;  ///< in which batches are being collected
  Histogram newest_;            ///< their latencies
};

}  // namespace dp
