// The whole pipeline in one process and in virtual time: the real state machines of all four tools, a network
// that carries their messages, a disk, and a supervisor that restarts who has died. What goes wrong, and when,
// is the adversary's business (adversary.cpp).
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "collect/collector.hpp"
#include "data/dataset.hpp"
#include "disk.hpp"
#include "infer/worker.hpp"
#include "invariants.hpp"
#include "route/router.hpp"
#include "scenario.hpp"
#include "stream/streamer.hpp"

namespace dp::adversary {

class World {
 public:
  /// `trace`: keeps a line of what happens, step by step.
  World(const Scenario& scenario, bool trace);

  /// Lets time pass until then, or until the run is over.
  void run_until(Duration at);
  bool over() const { return over_; }
  Duration now() const { return now_; }
  const std::vector<std::string>& trace() const { return trace_; }
  const Invariants& invariants() const { return invariants_; }
  /// Who is not finished, and what is settled.
  std::string standing() const;

  // What may go wrong.
  std::size_t nodes() const { return nodes_.size(); }
  std::size_t links() const { return links_.size(); }
  void crash(std::size_t node, Duration away);         ///< SIGKILL, and restarted after a while
  void stall(std::size_t node, Duration for_so_long);  ///< SIGSTOP and SIGCONT
  void interrupt(std::size_t node);                    ///< SIGTERM
  void step_clock(std::size_t node, Duration by);
  void wedge(std::size_t node);                                      ///< a worker never finishes its batch
  void slow_disk(Duration by);                                       ///< of each sync from now on
  void hold(std::size_t link, int direction, Duration for_so_long);  ///< nothing gets through, then all of it
  void reset(std::size_t link);  ///< the connection breaks and is made anew
  void end_faults();                   ///< nothing goes wrong by itself any more
  bool is_worker(std::size_t node) const { return nodes_[node].role == Role::infer; }
  bool is(std::size_t node, Role role) const { return nodes_[node].role == role; }

 private:
  struct Node {
    Role role{};
    std::string name, boot;
    Duration clock{};  ///< its clock − virtual time
    std::unique_ptr<Stage> stage;
    std::uint64_t life = 0;  ///< counts processes
    Duration stalled_until{}, wake{};
    std::deque<Batch> computing;
    Duration compute_started{};
    bool wedged = false, done = false;
    std::uint64_t next_peer = raw(first_inbound);  ///< of this process
  };
  /// One TCP connection.
  struct Connection {
    PeerId inbound{};  ///< what the bound side calls it
    std::uint64_t dialler_life = 0, bound_life = 0;
    std::uint64_t count[2] = {0, 0},
                  cutoff[2] = {UINT64_MAX, UINT64_MAX};  ///< messages, and those that arrive
  };
  struct Link {
    std::size_t dialler = 0, bound = 0;
    PeerId dialled{};
    std::vector<Connection> connections;
    bool up = false;
    std::uint64_t attempt = 0;    ///< of connecting: a later one makes an earlier void
    Duration last[2] = {{}, {}};  ///< when the latest message of each direction arrives
  };
  struct Event {
    Duration at;
    std::uint64_t order;
    std::function<void()> what;
    bool operator>(const Event& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };

  void schedule(Duration at, std::function<void()> what);
  void add_link(std::size_t dialler, std::size_t bound);
  void start(std::size_t node);
  std::unique_ptr<Stage> make_collector(Node& node);
  std::unique_ptr<Stage> make_stage(Node& node);
  void connect_soon(std::size_t link);
  void connect(std::size_t link);
  void disconnect(std::size_t link, bool lossless);
  void tell_end(std::size_t link);
  void die(std::size_t node, bool lossless);
  void interact(std::size_t node, const std::function<void(Time, Outbox&)>& what);
  void carry_out(std::size_t node, Outbox& out);
  void finished(std::size_t node);
  void send(std::size_t node, Send&& send);
  void transmit(std::size_t link, int direction, Envelope&& envelope);
  void arrive(std::size_t link, int direction, std::size_t connection, std::uint64_t number,
              const std::shared_ptr<Envelope>& envelope);
  void wake(std::size_t node);
  void compute(std::size_t node);
  void computed(std::size_t node, std::uint64_t life);
  void sync(std::size_t node);
  Duration latency();
  Time local(const Node& node) const { return Time(std::chrono::hours(1) + now_ + node.clock); }
  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    if (tracing_)
      trace_.push_back(
          fmt::format("{:10.6f}  {}", to_seconds(now_), fmt::format(format, std::forward<Args>(args)...)));
  }

  const Scenario& scenario_;
  bool tracing_;
  Rng rng_;
  std::unique_ptr<Dataset> data_;
  Plan plan_;
  Invariants invariants_;
  Disk disk_;
  std::uint64_t appended_ = 0;  ///< groups, by the current collector
  Duration disk_free_{}, sync_takes_{};
  std::vector<Node> nodes_;
  std::vector<Link> links_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t order_ = 0;
  Duration now_{};
  bool ledger_was_away_ = false, faults_over_ = false, over_ = false;
  std::vector<std::string> trace_;
};

/// A message in a few words: `BATCH 5 attempt 1`.
std::string describe(const Message& message);

}  // namespace dp::adversary
