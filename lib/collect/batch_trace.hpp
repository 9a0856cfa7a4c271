// --trace as text: a JSON array of Chrome trace events, which Perfetto (ui.perfetto.dev) and chrome://tracing
// open. Each tool is a process, each worker a thread of dp-infer with its computing as slices; what waits is
// asynchronous, since it overlaps. No file here.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

#include "collect/observer.hpp"

namespace dp {

/// Times in the trace are µs since t0, exact to the nanosecond.
class BatchTrace final : public Observer {
 public:
  void opened(RunId run, bool resumed) override;
  void started(Time t0) override { t0_ = t0; }
  void settled(const SettledBatch& batch) override;
  void happened(Time at, const std::string& what) override;

  /// The text since it was last asked.
  std::string take();
  std::size_t size() const { return text_.size(); }
  /// What makes the text so far a whole array.
  static constexpr const char* closing = "\n]\n";

 private:
  struct Track {
    unsigned thread;
    Time busy_until{};
  };

  void add(const std::string& event);
  void name_process(Role role);
  void name_thread(Role role, unsigned thread, const std::string& name);
  void wait(const SettledBatch& batch, const char* stage, Role role, unsigned thread, Time from, Time to);
  void compute(const SettledBatch& batch);
  void instant(Time at, const char* category, const std::string& name, const std::string& args);
  Track& track(const std::string& worker);
  double microseconds(Time at) const;

  Time t0_{};
  std::string text_;
  bool begun_ = false;
  std::map<std::string, Track> tracks_;
};

}  // namespace dp
