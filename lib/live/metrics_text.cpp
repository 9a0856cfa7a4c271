// SPDX-License-Identifier: MIT
#include "live/metrics_text.hpp"

#include <fmt/format.h>

#include "wire/message.hpp"

namespace dp {
namespace {

/// Quote and line end as the format wants them; backslashes and bytes outside ASCII, which may be no UTF-8, read \x5C and
/// \xE4: two names never become one.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') out += "\\n";
    else if (byte < ' ' || byte > '~' || c == '\\') out += fmt::format("\\\\x{:02X}", byte);
    else if (c == '"') out += "\\\"";
    else out += c;
  }
  return out;
}

class Text {
 public:
  void describe(const char* name, const char* type, const char* help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class T>
  void value(const std::string& labels, T value, const char* suffix = "") {
    text_ += fmt::format("{}{}{} {}\n", name_, suffix, labels.empty() ? "" : "{" + labels + "}", value);
  }
  template <class T>
  void one(const char* name, const char* type, const char* help, T only) {
    describe(name, type, help);
    value("", only);
  }
  std::string take() { return std::move(text_); }

 private:
  const char* name_ = "";
  std::string text_;
};

void fill_run(const Snapshot& s, const std::string& version, Text& to) {
  to.describe("dataparallel_build_info", "gauge", "The version of dp-collect; always 1.");
  to.value(fmt::format("version=\"{}\"", escaped(version)), 1);
  to.describe("dataparallel_run_info", "gauge", "The run that these figures are of; always 1.");
  to.value(fmt::format("run_id=\"{:016x}\",strategy=\"{}\"", raw(s.run), escaped(s.strategy)), 1);
  constexpr const char* states[] = {"waiting", "running", "done", "stopped"};
  to.describe("dataparallel_run_state", "gauge", "1 for the state the run is in.");
  for (int i = 0; i < 4; ++i)
    to.value(fmt::format("state=\"{}\"", states[i]), static_cast<int>(s.state) == i ? 1 : 0);
  to.one("dataparallel_run_elapsed_seconds", "gauge", "Time since the schedule began.",
         to_seconds(s.elapsed));
  to.one("dataparallel_warnings", "gauge", "Conditions of a valid run that are not met as things stand.",
         s.warnings.size());
}

void fill_samples(const Snapshot& s, Text& to) {
  to.one("dataparallel_samples_planned", "gauge", "Samples of the whole run.", s.planned);
  to.one("dataparallel_samples_announced_total", "counter", "Samples that dp-stream released.", s.announced);
  to.one("dataparallel_samples_completed_total", "counter", "Samples with a result in the ledger.",
         s.completed);
  to.one("dataparallel_samples_failed_total", "counter", "Samples given up after all attempts.", s.failed);
  to.one("dataparallel_samples_duplicate_total", "counter",
         "Samples of results that came again and were discarded.", s.duplicates);
  to.one("dataparallel_batch_retries_total", "counter", "Attempts beyond the first, of settled batches.",
         s.retries);
  to.one("dataparallel_samples_outstanding", "gauge", "Samples released and not settled.", s.waiting_samples);
  to.one("dataparallel_batches_outstanding", "gauge", "Batches released and not settled.", s.waiting_batches);
}

void fill_latency(const Snapshot& s, Text& to) {
  to.describe("dataparallel_batch_latency_seconds", "histogram",
              "From a batch's schedule to the ledger, without the warm-up.");
  for (std::size_t i = 0; i < s.latency_bounds.size(); ++i)
    to.value(fmt::format("le=\"{}\"", to_seconds(s.latency_bounds[i])), s.latency_counts[i], "_bucket");
  to.value("le=\"+Inf\"", s.whole.batches, "_bucket");
  to.value("", to_seconds(s.latency_sum), "_sum");
  to.value("", s.whole.batches, "_count");
}

bool is_worker(const Snapshot& s, std::size_t i) {
  return s.roles[i] == static_cast<std::uint8_t>(Role::infer);
}

/// An empty label is none.
std::string worker_label(const Snapshot& s, std::size_t i) {
  return fmt::format("worker=\"{}\",host=\"{}\"", is_worker(s, i) ? escaped(s.names[i]) : "",
                     escaped(s.hosts[i]));
}

void fill_workers(const Snapshot& s, Text& to) {
  const auto each = [&](const char* name, const char* type, const char* help, auto figure) {
    to.describe(name, type, help);
    for (std::size_t i = 0; i < s.roles.size(); ++i) {
      if (is_worker(s, i)) to.value(worker_label(s, i), figure(i));
    }
  };
  each("dataparallel_worker_up", "gauge", "1 while the worker is connected.", [&](std::size_t i) {
    return s.states[i] == static_cast<std::uint8_t>(PeerPresence::connected) ? 1 : 0;
  });
  each("dataparallel_worker_samples_total", "counter", "Samples whose result the worker gave.",
       [&](std::size_t i) { return s.samples[i]; });
  each("dataparallel_worker_batches_total", "counter", "Batches whose result the worker gave.",
       [&](std::size_t i) { return s.batches[i]; });
  each("dataparallel_worker_retried_batches_total", "counter",
       "Of these, batches that had been tried before.", [&](std::size_t i) { return s.retried[i]; });
  each("dataparallel_worker_busy_seconds_total", "counter", "Time the worker computed on these.",
       [&](std::size_t i) { return to_seconds(s.busy[i]); });
}

void fill_processes(const Snapshot& s, Text& to) {
  const auto each = [&](const char* name, const char* type, const char* help, auto figure) {
    to.describe(name, type, help);
    for (std::size_t i = 0; i < s.roles.size(); ++i) {
      if (s.rss_bytes[i] == 0) continue;
      const char* role = name_of(static_cast<Role>(s.roles[i]));
      to.value(fmt::format("role=\"{}\",{}", role, worker_label(s, i)), figure(i));
    }
  };
  each("dataparallel_process_cpu_seconds_total", "counter", "CPU time the process used.",
       [&](std::size_t i) { return to_seconds(s.cpu[i]); });
  each("dataparallel_process_resident_memory_bytes", "gauge", "Resident memory of the process.",
       [&](std::size_t i) { return s.rss_bytes[i]; });
}

}  // namespace

std::string metrics_text(const Snapshot& snapshot, const std::string& version) {
  Text text;
  fill_run(snapshot, version, text);
  fill_samples(snapshot, text);
  fill_latency(snapshot, text);
  fill_workers(snapshot, text);
  fill_processes(snapshot, text);
  return text.take();
}

}  // namespace dp
