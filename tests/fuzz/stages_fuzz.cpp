// Peers that keep to the format and to nothing else: each stage is fed messages with any values, in any order, from
// peers that have said HELLO. Whatever they say, a stage does not throw, what it sends can be encoded, and the report
// of what it has taken can be written.
// SPDX-License-Identifier: MIT
#include <memory>

#include "collect/collector.hpp"
#include "data/dataset.hpp"
#include "hostile.hpp"
#include "infer/worker.hpp"
#include "parts.hpp"
#include "route/router.hpp"
#include "stream/streamer.hpp"
#include "wire/codec.hpp"

namespace {

using namespace dp;
using fuzz::Bytes;

struct Rig {
  std::unique_ptr<Dataset> data;
  std::unique_ptr<Plan> plan;
  std::unique_ptr<Stage> stage;
  Router* router = nullptr;  ///< the stage, if it is one; likewise below
  Worker* worker = nullptr;
  Collector* collector = nullptr;
  std::map<PeerId, Session> theirs, ours;  ///< nonces of the peers, and the stage's towards them
  std::uint64_t appends = 0;
  Time now{std::chrono::hours(24)};
  Outbox out;

  explicit Rig(std::uint8_t choice) {
    switch (choice % 4) {
      case 0: {
        data = make_synthetic("synthetic:1x2x2:64");
        PlanOptions options;
        options.layout = "shards:4";
        options.samples = 64;
        options.batch_size = {4, 4};
        options.rate = choice & 4 ? 1000 : 0;
        plan = std::make_unique<Plan>(options, data->size());
        StreamerOptions streamer;
        streamer.boot_id = "here";
        stage = std::make_unique<Streamer>(std::move(streamer), *plan, *data, 1);
        break;
      }
      case 1: {
        RouterOptions options;
        options.strategy = strategy_kinds()[choice / 4 % strategy_kinds().size()].name;
        options.workers = 2;
        options.boot_id = "here";
        stage.reset(router = new Router(std::move(options), 1));
        break;
      }
      case 2: {
        WorkerOptions options;
        options.name = "w0";
        options.boot_id = "here";
        stage.reset(worker = new Worker(std::move(options), 1));
        break;
      }
      default: {
        CollectorOptions options;
        options.run = RunId{5};
        options.boot_id = "here";
        options.journal = choice & 4;
        options.warmup = std::chrono::seconds(choice & 8 ? 1 : 0);
        options.expected = {1, 2, 3};
        options.begun = now;
        stage.reset(collector = new Collector(std::move(options), 1));
      }
    }
  }

  /// Takes what the stage asks for, as the event loop does.
  void drain() {
    auto actions = std::move(out.actions());
    out.actions().clear();
    for (Action& action : actions) {
      if (auto* send = std::get_if<Send>(&action)) {
        Frames frames;
        encode(send->envelope, frames);
        ours[send->to] = send->envelope.from;
      }
      if (std::holds_alternative<WarmUp>(action)) worker->warmed(now, out);
      if (auto* compute = std::get_if<Compute>(&action)) {
        worker->computed(now, now, now, {std::vector<Label>(compute->batch.ids.size())}, out);
      }
      if (std::holds_alternative<Append>(action) && !stage->finished())
        collector->durable(now, ++appends, out);
    }
    if (!out.actions().empty()) drain();  // of what that led to
  }

  void say(PeerId peer, Message body) {
    if (std::holds_alternative<Hello>(body) || std::holds_alternative<Welcome>(body))
      theirs[peer] = Session{(raw(peer) << 32) + 1};
    stage->receive(now, peer, Envelope{theirs[peer], ours[peer], std::move(body)}, out);
    drain();
  }
  Hello hello(Role role, std::string name) {
    Hello hello;
    hello.role = role;
    hello.name = std::move(name);
    hello.boot_id = "here";
    hello.data = {{1, 2, 2}, 4, PayloadMode::reference, "d"};
    hello.datasets = {"d"};
    hello.shard_weights = {16, 16, 16, 16};
    return hello;
  }
  /// Everyone is there and the run is under way.
  void introduce() {
    const Welcome welcome{RunId{5}, "here", {{1, 2, 2}, 4, PayloadMode::reference, "d"}, false, {}};
    constexpr PeerId stream{16}, route{17}, first{18}, second{19};
    if (collector) {
      say(stream, hello(Role::stream, "stream"));
      say(route, hello(Role::route, "route"));
      say(first, hello(Role::infer, "w0"));
      Run run{16, 64, "plan", true, now, 1000, 0, "data", {}, "d"};
      say(stream, run);
      return;
    }
    say(collect_peer, welcome);
    if (!router) {
      say(route_peer, welcome);
      say(route_peer, Start{2});
      say(route_peer, Credit{100});
      Commit commit;
      commit.run_stored = true;
      say(collect_peer, commit);
      return;
    }
    say(stream, hello(Role::stream, "stream"));
    say(first, hello(Role::infer, "w0"));
    say(second, hello(Role::infer, "w1"));
    say(first, Credit{2});
    say(second, Credit{2});
  }

  void step(Bytes& bytes) {
    const std::uint8_t what = bytes.byte();
    if (what < 32) {
      now += std::chrono::milliseconds(what * what);
      stage->tick(now, out);
      (void)stage->next_deadline();
    } else {
      const bool dialled = !collector && what & 1;
      const PeerId peer = dialled ? PeerId{1 + what / 2 % 2u} : PeerId{raw(first_inbound) + what / 2 % 4u};
      if (peer == route_peer && router) return;
      Envelope envelope;
      fuzz::Hostile hostile(bytes, now);
      envelope.body = hostile.message();
      if (std::holds_alternative<Hello>(envelope.body) || std::holds_alternative<Welcome>(envelope.body)) {
        theirs[peer] = Session{(raw(peer) << 32) + 1 + what / 16};
        if (auto* hello = std::get_if<Hello>(&envelope.body); hello && what & 64) hello->run = {};
      }
      envelope.from = theirs[peer];
      envelope.to = ours[peer];
      stage->receive(now, peer, std::move(envelope), out);
    }
    drain();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes({reinterpret_cast<const char*>(data), size});
  Rig rig(bytes.byte());
  rig.stage->tick(rig.now, rig.out);
  rig.drain();
  if (bytes.byte() < 200) rig.introduce();
  while (!bytes.empty() && !rig.stage->finished()) rig.step(bytes);
  if (rig.collector) {
    RunReport report = rig.collector->report();
    report.series.resize(std::min<std::size_t>(report.series.size(), 10));  // of up to 512
    (void)write_run_report(report);
  }
  return 0;
}
