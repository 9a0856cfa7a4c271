// SPDX-License-Identifier: MIT
#include "runtime/process_usage.hpp"

#include <unistd.h>

extern "C" {
#include <libproc2/misc.h>
#include <libproc2/pids.h>
}

#include <array>
#include <cstring>
#include <fstream>
#include <string>

#include "base/error.hpp"

namespace dp {

namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t second_ns = 1'000'000'000;
enum Field : std::size_t { ticks, rss, anonymous, fields };

// libproc2 does not know it, and getrusage's ru_maxrss starts at the peak of whoever started this process.
std::uint64_t peak_rss() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (std::uint64_t value = 0; word == "VmHWM:" && status >> value) return value * kib;
  }
  throw Error("/proc/self/status has no VmHWM");
}

}  // namespace

struct ProcessUsage::Impl {
  pids_info* info = nullptr;
  std::uint64_t hertz = static_cast<std::uint64_t>(procps_hertz_get());

  Impl() {
    std::array<pids_item, fields> items{PIDS_TICS_ALL, PIDS_VM_RSS, PIDS_VM_RSS_ANON};
    const int status = procps_pids_new(&info, items.data(), static_cast<int>(items.size()));
    if (status < 0) throw Error("libproc2 cannot read /proc: {} (is /proc mounted?)", std::strerror(-status));
  }
  ~Impl() { procps_pids_unref(&info); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
};

ProcessUsage::ProcessUsage() : impl_(std::make_unique<Impl>()) {}
ProcessUsage::~ProcessUsage() = default;

ResourceUsage ProcessUsage::read() {
  auto self = static_cast<unsigned>(getpid());
  const pids_fetch* fetched = procps_pids_select(impl_->info, &self, 1, PIDS_SELECT_PID);
  if (fetched == nullptr || fetched->counts->total != 1) throw Error("libproc2 cannot read /proc/{}", self);
  const pids_result* figures = fetched->stacks[0]->head;
  return {
      .at = now(),
      .cpu = Duration(static_cast<Duration::rep>(figures[ticks].result.ull_int * (second_ns / impl_->hertz))),
      .rss_bytes = figures[rss].result.ul_int * kib,
      .anonymous_bytes = figures[anonymous].result.ul_int * kib,
      .peak_rss_bytes = peak_rss()};
}

}  // namespace dp
