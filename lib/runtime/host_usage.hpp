// What the whole host does while a run goes on: CPU time stolen and used, memory used. By libproc2.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

namespace dp {

/// Since the host started, over all cores, in clock ticks; memory now.
struct HostReading {
  std::uint64_t total = 0, busy = 0, stolen = 0;  ///< total = busy + stolen + idle
  double memory_used_mb = 0;
};

/// Adds readings up to shares of CPU time.
class HostUsage {
 public:
  /// `running`: the measurement is under way, else it is yet to begin. The span in which it begins counts as
  /// before.
  void add(const HostReading& now, bool running);

  std::optional<double> steal_percent_before() const { return before_.percent(before_.stolen); }
  std::optional<double> steal_percent_during() const { return during_.percent(during_.stolen); }
  std::optional<double> busy_percent() const { return during_.percent(during_.busy); }
  double busy_percent_max() const { return busy_max_; }
  std::optional<double> memory_used_mb() const {
    return readings_ ? std::optional(memory_sum_ / static_cast<double>(readings_)) : std::nullopt;
  }
  double memory_used_mb_peak() const { return memory_peak_; }

 private:
  struct Span {
    double total = 0, busy = 0, stolen = 0;
    std::optional<double> percent(double part) const {
      return total > 0 ? std::optional(100 * part / total) : std::nullopt;
    }
  };
  std::optional<HostReading> last_;
  bool was_running_ = false;
  Span before_, during_;
  double busy_max_ = 0, memory_sum_ = 0, memory_peak_ = 0;
  std::uint64_t readings_ = 0;
};

/// Reads the host's figures; used from one thread.
class HostMeter {
 public:
  /// Throws Error if libproc2 cannot read /proc.
  HostMeter();
  ~HostMeter();
  HostReading read();  ///< Throws Error.

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dp
