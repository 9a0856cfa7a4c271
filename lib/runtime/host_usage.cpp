// SPDX-License-Identifier: MIT
#include "runtime/host_usage.hpp"

extern "C" {
#include <libproc2/meminfo.h>
#include <libproc2/stat.h>
}

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"

namespace dp {
namespace {

enum Field : std::size_t { user, nice, system_, irq, soft_irq, idle, io_wait, stolen, fields };

double since(std::uint64_t now, std::uint64_t before) {
  return now > before ? static_cast<double>(now - before) : 0;  // some kernels step idle time back
}

}  // namespace

void HostUsage::add(const HostReading& now, bool running) {
  const std::optional<HostReading> last = std::exchange(last_, now);
  const bool during = std::exchange(was_running_, running) && running;
  if (running) {
    ++readings_;
    memory_sum_ += now.memory_used_mb;
    memory_peak_ = std::max(memory_peak_, now.memory_used_mb);
  }
  if (!last) return;
  const Span step{since(now.total, last->total), since(now.busy, last->busy),
                  since(now.stolen, last->stolen)};
  Span& sum = during ? during_ : before_;
  sum.total += step.total;
  sum.busy += step.busy;
  sum.stolen += step.stolen;
  if (during) busy_max_ = std::max(busy_max_, step.percent(step.busy).value_or(0));
}

struct HostMeter::Impl {
  stat_info* ticks = nullptr;
  meminfo_info* memory = nullptr;
  Impl() {
    if (procps_stat_new(&ticks) < 0 || procps_meminfo_new(&memory) < 0) {
      release();
      throw Error("libproc2 cannot read /proc/stat and /proc/meminfo (is /proc mounted?)");
    }
  }
  ~Impl() { release(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  void release() {
    if (ticks) procps_stat_unref(&ticks);
    if (memory) procps_meminfo_unref(&memory);
  }
};

HostMeter::HostMeter() : impl_(std::make_unique<Impl>()) {}
HostMeter::~HostMeter() = default;

HostReading HostMeter::read() {
  std::array<stat_item, fields> items{STAT_TIC_USER,    STAT_TIC_NICE, STAT_TIC_SYSTEM, STAT_TIC_IRQ,
                                      STAT_TIC_SOFTIRQ, STAT_TIC_IDLE, STAT_TIC_IOWAIT, STAT_TIC_STOLEN};
  std::array<meminfo_item, 1> used{MEMINFO_MEM_USED};
  const stat_stack* ticks = procps_stat_select(impl_->ticks, items.data(), static_cast<int>(items.size()));
  const meminfo_stack* memory =
      procps_meminfo_select(impl_->memory, used.data(), static_cast<int>(used.size()));
  if (!ticks || !memory) throw Error("libproc2 cannot read /proc/stat and /proc/meminfo");
  const auto at = [&](Field field) { return ticks->head[field].result.ull_int; };
  HostReading reading;
  reading.busy = at(user) + at(nice) + at(system_) + at(irq) + at(soft_irq);
  reading.stolen = at(stolen);
  reading.total = reading.busy + reading.stolen + at(idle) + at(io_wait);
  reading.memory_used_mb = static_cast<double>(memory->head[0].result.ul_int) * 1024 / 1e6;
  return reading;
}

}  // namespace dp
