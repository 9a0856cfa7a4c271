// Many dp-infer sessions in one process, to see what one dp-route bears: each is the state machine of dp-infer with two
// TCP connections of its own; some threads share them out. Nothing is computed (the null backend) and no pixels are
// gathered. Prints one JSON line when the run is over.
// SPDX-License-Identifier: MIT
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/options.hpp"
#include "base/standard_streams.hpp"
#include "data/dataset.hpp"
#include "infer/worker.hpp"
#include "runtime/event_loop.hpp"
#include "wire/transport.hpp"

namespace {

using namespace dp;

constexpr int most_messages_a_turn = 256;  ///< before timers are looked at again
constexpr std::size_t most_sessions_a_thread = 100;  ///< a ZeroMQ context has 1,023 sockets; a session takes six, more to redial

struct Plan {
  std::string route, collect;
  WorkerOptions worker;    ///< of each, but for its name
  int interruptions = -1;  ///< from `set_up_process`
};

/// The sessions of one thread, behind one Transport. To the Transport the peers of session k are 2k + 1 and 2k + 2; to
/// the session they are `route_peer` and `collect_peer`.
class Sessions {
 public:
  Sessions(const Plan& plan, std::size_t first, std::size_t last)
      : interruptions_(plan.interruptions), backend_(make_null_backend()) {
    for (std::size_t number = first; number < last; ++number) {
      WorkerOptions options = plan.worker;
      options.name = fmt::format("s{:05}", number);
      const std::size_t k = workers_.size();
      transport_.dial(outside(k, route_peer), plan.route);
      transport_.dial(outside(k, collect_peer), plan.collect, max_ledger_bytes);
      workers_.push_back(std::make_unique<Worker>(options, random_seed()));
    }
  }

  /// Until all have finished. Throws Error when one failed.
  void serve() {
    std::size_t left = workers_.size();
    while (left > 0) {
      const bool heard = listen();
      Time next = never;
      left = 0;
      for (std::size_t k = 0; k < workers_.size(); ++k) {
        Worker& worker = *workers_[k];
        if (worker.finished() == Exit::failed) throw Error("{}", worker.failure());
        if (worker.finished()) continue;
        ++left;
        if (worker.next_deadline() <= now()) {
          worker.tick(now(), out_);
          carry_out(k);
        }
        next = std::min(next, worker.next_deadline());
      }
      if (!heard && left > 0) wait(next);
    }
  }

 private:
  static PeerId outside(std::size_t k, PeerId peer) { return PeerId{2 * k + raw(peer)}; }

  bool listen() {
    for (int n = 0; n < most_messages_a_turn; ++n) {
      std::optional<Incoming> incoming = transport_.receive();
      if (!incoming) return n > 0;
      const std::uint64_t number = raw(incoming->from) - 1;
      const std::size_t k = number / 2;
      workers_[k]->receive(now(), number % 2 ? collect_peer : route_peer, std::move(incoming->envelope), out_);
      carry_out(k);
    }
    return true;
  }

  /// What a session asks for may make it ask for more.
  void carry_out(std::size_t k) {
    while (!out_.actions().empty()) {
      doing_.swap(out_.actions());
      for (Action& action : doing_) {
        if (auto* send = std::get_if<Send>(&action)) transport_.send(outside(k, send->to), send->envelope);
        if (const auto* redial = std::get_if<Redial>(&action)) transport_.redial(outside(k, redial->peer));
        if (std::holds_alternative<WarmUp>(action)) workers_[k]->warmed(now(), out_);
        if (const auto* compute = std::get_if<Compute>(&action)) {
          const Time started = now();
          Outcome outcome = backend_->run({compute->batch.shape, compute->batch.ids, {}});
          workers_[k]->computed(now(), started, now(), std::move(outcome), out_);
        }
      }
      doing_.clear();
    }
  }

  void drain() {
    interruptions_ = -1;
    for (std::size_t k = 0; k < workers_.size(); ++k) {
      workers_[k]->drain(now(), out_);
      carry_out(k);
    }
  }

  void wait(Time deadline) {
    pollfd interruption{interruptions_, POLLIN, 0};  // poll passes over a descriptor of -1
    transport_.wait({&interruption.fd, 1}, std::clamp<Duration>(deadline - now(), Duration{}, std::chrono::seconds(1)));
    if (::poll(&interruption, 1, 0) == 1) drain();
  }

  int interruptions_;  ///< readable once the person asked to stop; -1 when that is done
  std::unique_ptr<Backend> backend_;
  Transport transport_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Outbox out_;
  std::vector<Action> doing_;
};

/// Each session takes eight descriptors.
void open_as_many_as_allowed() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Options declare() {
  Options options("many_sessions", "many dp-infer sessions in one process",
                  "  many_sessions --sessions 1000 --route tcp://127.0.0.1:5602 --collect tcp://127.0.0.1:5603");
  options.section("Sessions")
      .value("sessions", "N", "how many", "1000")
      .value("credit", "N", "batches that each holds", "2")
      .value("data", "SPEC", "data set that each says it holds, as dp-infer --data", "synthetic:3x32x32")
      .value("route", "ENDPOINT", "where dp-route hands out work", "tcp://127.0.0.1:5602")
      .value("collect", "ENDPOINT", "where dp-collect listens", "tcp://127.0.0.1:5603");
  return options;
}

Exit run(Options& options) {
  const std::size_t sessions = options.count("sessions", 1, 10'000);
  const std::size_t threads = (sessions + most_sessions_a_thread - 1) / most_sessions_a_thread;
  Plan plan{options.text("route"), options.text("collect"), {}, set_up_process()};
  plan.worker.credit = options.count("credit", 1, 4096);
  plan.worker.datasets = {open_dataset(options.text("data"))->digest()};
  plan.worker.boot_id = boot_id();
  plan.worker.host = host_name();
  plan.worker.detail = make_null_backend()->describe();
  open_as_many_as_allowed();
  std::atomic<bool> failed = false;
  std::vector<std::jthread> serving;
  for (std::size_t t = 0; t < threads; ++t) {
    serving.emplace_back([&, t] {
      try {
        Sessions(plan, t * sessions / threads, (t + 1) * sessions / threads).serve();
      } catch (const std::exception& problem) {
        log_line(LogLevel::error, problem.what());
        failed = true;
      }
    });
  }
  serving.clear();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  write_stdout(fmt::format("{{\"sessions\": {}, \"threads\": {}, \"peak_rss_mb\": {:.1f}}}\n", sessions, threads,
                           static_cast<double>(usage.ru_maxrss) / 1024));
  return failed ? Exit::failed : Exit::done;
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
