// SPDX-License-Identifier: MIT
#include "collect/batch_outputs.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.hpp"

namespace dp {
namespace {

constexpr std::size_t much = 1 << 20;  ///< bytes of text before it goes to the file unasked

/// Where the trace is until it is whole.
std::string unfinished(const OutputPlace& trace) { return trace.path.string() + (trace.in_place ? "" : ".part"); }

}  // namespace

BatchOutputs::BatchOutputs(const std::string& events, const std::string& trace) {
  if (!events.empty()) events_.emplace(events, events);
  if (trace.empty()) return;
  trace_place_ = output_place(trace);
  trace_.emplace(trace, unfinished(trace_place_));
}

BatchOutputs::~BatchOutputs() {
  std::error_code unknown;
  if (trace_ && !trace_place_.in_place) std::filesystem::remove(unfinished(trace_place_), unknown);
}

void BatchOutputs::opened(RunId run, bool resumed) {
  if (events_ && events_->file.regular()) {
    std::size_t kept = 0;
    if (resumed) {
      const MappedFile there(events_->path);
      const auto* text = reinterpret_cast<const char*>(there.bytes().data());
      kept = events_->text.found(run, {text, there.bytes().size()});
    }
    events_->file.cut(kept);
  }
  if (events_) events_->text.opened(run, resumed);
  if (!trace_) return;
  if (trace_->file.regular()) trace_->file.cut(0);
  trace_->text.opened(run, resumed);
}

void BatchOutputs::started(Time t0) {
  if (events_) events_->text.started(t0);
  if (trace_) trace_->text.started(t0);
}

void BatchOutputs::settled(const SettledBatch& batch) {
  if (events_) events_->text.settled(batch);
  if (trace_) trace_->text.settled(batch);
  relieve();
}

void BatchOutputs::happened(Time at, const std::string& what) {
  if (events_) events_->text.happened(at, what);
  if (trace_) trace_->text.happened(at, what);
}

/// A journal may bring back more than there is memory for.
void BatchOutputs::relieve() {
  const auto relieve_one = [this](auto& output) {
    if (!output || output->text.size() < much) return;
    output->file.append(output->text.take());
    if (waits_) output->file.drain();
  };
  relieve_one(events_);
  relieve_one(trace_);
}

template <class Text>
void BatchOutputs::hand_over(std::optional<Output<Text>>& output, std::vector<std::string>& problems) {
  if (!output) return;
  output->file.append(output->text.take());
  if (output->file.unread() && !std::exchange(output->told_unread, true))
    problems.push_back(output->path + ": nobody reads it: what it is told waits, up to 64 MiB; the run goes on");
  std::string problem = output->file.problem();
  if (problem.empty() || std::exchange(output->told, true)) return;
  problems.push_back(std::move(problem) + ": what follows is not written there; the run goes on");
}

std::vector<std::string> BatchOutputs::pump() {
  std::vector<std::string> problems;
  hand_over(events_, problems);
  hand_over(trace_, problems);
  return problems;
}

std::vector<std::string> BatchOutputs::close() {
  std::vector<std::string> problems = pump();
  if (trace_) trace_->file.append(BatchTrace::closing);
  if (events_) events_->file.drain();
  if (trace_) trace_->file.drain();
  hand_over(events_, problems);
  hand_over(trace_, problems);
  place_trace(problems);
  return problems;
}

void BatchOutputs::place_trace(std::vector<std::string>& problems) {
  if (!trace_ || trace_->told || trace_place_.in_place) return;
  std::error_code problem;
  std::filesystem::rename(unfinished(trace_place_), trace_place_.path, problem);
  if (problem) problems.push_back(fmt::format("{}: {}", trace_->path, problem.message()));
}

}  // namespace dp
