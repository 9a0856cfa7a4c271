// The format is the "Trace Event Format" of the Chromium project, its array form: ph X is a slice of a thread,
// b and e begin and end something asynchronous (paired by cat and id), i is an instant, M names a track.
// SPDX-License-Identifier: MIT
#include "collect/batch_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "collect/batch_events.hpp"

namespace dp {
namespace {

/// Process ids of the trace: no real ones, so that the tools stand in the order of the pipeline.
int process(Role role) { return static_cast<int>(role) + 1; }

constexpr unsigned main_thread = 1;

double in_us(Duration d) { return static_cast<double>(d.count()) / 1e3; }

}  // namespace

double BatchTrace::microseconds(Time at) const { return in_us(between(t0_, at)); }

void BatchTrace::add(const std::string& event) {
  text_ += begun_ ? ",\n" : "[\n";
  begun_ = true;
  text_ += event;
}

void BatchTrace::name_process(Role role) {
  add(fmt::format(R"({{"ph":"M","name":"process_name","pid":{},"args":{{"name":"{}"}}}})", process(role),
                  name_of(role)));
  add(fmt::format(R"({{"ph":"M","name":"process_sort_index","pid":{0},"args":{{"sort_index":{0}}}}})",
                  process(role)));
}

void BatchTrace::name_thread(Role role, unsigned thread, const std::string& name) {
  add(fmt::format(R"({{"ph":"M","name":"thread_name","pid":{},"tid":{},"args":{{"name":{}}}}})",
                  process(role), thread, json_text(name)));
}

void BatchTrace::opened(RunId run, bool) {
  for (const Role role : {Role::stream, Role::route, Role::infer, Role::collect}) name_process(role);
  for (const Role role : {Role::stream, Role::route, Role::collect})
    name_thread(role, main_thread, name_of(role));
  add(fmt::format(R"({{"ph":"M","name":"process_labels","pid":{},"args":{{"labels":"run {:016x}"}}}})",
                  process(Role::collect), raw(run)));
}

BatchTrace::Track& BatchTrace::track(const std::string& worker) {
  const auto [at, fresh] = tracks_.try_emplace(worker, Track{static_cast<unsigned>(tracks_.size()) + 1});
  if (fresh) name_thread(Role::infer, at->second.thread, worker);
  return at->second;
}

void BatchTrace::settled(const SettledBatch& b) {
  const OutboundTimes& way = b.outbound;
  wait(b, "generator", Role::stream, main_thread, way.scheduled, way.released);
  if (b.failed) {
    wait(b, "failed", Role::route, main_thread, way.released, b.collected);
    return instant(b.collected, "failed", fmt::format("batch {} failed", raw(b.id)),
                   fmt::format(R"("batch":{},"why":{})", raw(b.id), json_text(b.why)));
  }
  wait(b, "admission", Role::stream, main_thread, way.released, way.sent);
  wait(b, "router", Role::route, main_thread, way.sent, way.routed);
  wait(b, "queue", Role::infer, track(b.worker).thread, way.routed, b.at_worker.started);
  compute(b);
  wait(b, "return", Role::collect, main_thread, b.at_worker.done, b.collected);
}

void BatchTrace::wait(const SettledBatch& b, const char* stage, Role role, unsigned thread, Time from,
                      Time to) {
  const std::string common = fmt::format(R"("cat":"{0}","name":"{0}","id":"0x{1:x}","pid":{2},"tid":{3})",
                                         stage, raw(b.id), process(role), thread);
  add(fmt::format(R"({{"ph":"b",{},"ts":{},"args":{{"batch":{},"samples":{}}}}})", common, microseconds(from),
                  raw(b.id), b.samples));
  add(fmt::format(R"({{"ph":"e",{},"ts":{}}})", common, microseconds(std::max(from, to))));
}

/// Clocks of other hosts are known within a bound only: what would overlap by that begins where the other ends.
void BatchTrace::compute(const SettledBatch& b) {
  Track& worker = track(b.worker);
  const Time done = std::max(b.at_worker.started, b.at_worker.done);
  const Time from = std::clamp(worker.busy_until, b.at_worker.started, done);
  worker.busy_until = std::max(worker.busy_until, done);
  add(fmt::format(R"({{"ph":"X","cat":"compute","name":"compute","pid":{},"tid":{},"ts":{},"dur":{},)"
                  R"("args":{{"batch":{},"samples":{},"attempt":{}}}}})",
                  process(Role::infer), worker.thread, microseconds(from), in_us(between(from, done)),
                  raw(b.id), b.samples, b.attempt));
}

void BatchTrace::happened(Time at, const std::string& what) { instant(at, "event", what, {}); }

void BatchTrace::instant(Time at, const char* category, const std::string& name, const std::string& args) {
  const double when = t0_ == Time{} ? 0 : microseconds(at);
  add(fmt::format(R"({{"ph":"i","s":"g","cat":"{}","name":{},"pid":{},"tid":{},"ts":{},"args":{{{}}}}})",
                  category, json_text(name), process(Role::collect), main_thread, when, args));
}

std::string BatchTrace::take() { return std::exchange(text_, {}); }

}  // namespace dp
