// Cost of one batch in the whole router without sockets: BATCH in and out, DONE, its share of COMMIT. Counts allocations.
// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <deque>
#include <new>

#include "route/router.hpp"

namespace {
std::uint64_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace dp;

/// A router with a collector, a stream by reference, and so many workers, all played here.
class Hosted {
 public:
  Hosted(const std::string& strategy, std::uint32_t workers) : router_(options(strategy, workers), 1) {
    router_.tick(now_, out_);
    take();
    receive(collect_peer, collector_, router_session_, Welcome{RunId{1}, "boot", {}, false, {}, {}, {}, {}});
    Hello stream;
    stream.role = Role::stream;
    stream.name = "stream";
    stream.data = {Shape{3, 32, 32}, 32, PayloadMode::reference, "digest"};
    stream.shard_weights.assign(64, 1);
    join(stream_, std::move(stream));
    for (std::uint32_t i = 0; i < workers; ++i) {
      Hello hello;
      hello.role = Role::infer;
      hello.name = fmt::format("w{}", i);
      hello.datasets = {"digest"};
      const PeerId peer{raw(stream_) + 1 + i};
      join(peer, std::move(hello));
      receive(peer, session_of(peer), theirs_.at(index(peer)), Credit{1'000'000'000});
    }
  }

  /// A batch comes and goes out, and the oldest is done.
  void batch() {
    Batch batch;
    batch.lease.batch = BatchId{next_};
    batch.number = next_ + 1;
    batch.shard = static_cast<ShardId>(next_ % 64);
    batch.mode = PayloadMode::reference;
    batch.shape = {3, 32, 32};
    batch.ids = ids_;
    ++next_;
    receive(stream_, session_of(stream_), theirs_.at(0), std::move(batch));
    if (leases_.size() < 256) return;
    const auto [peer, lease] = leases_.front();
    leases_.pop_front();
    receive(peer, session_of(peer), theirs_.at(index(peer)),
            Done{lease, std::chrono::milliseconds(5), 32, ErrorClass::none, "", 1'000'000'000});
    done_.push_back(lease.batch);
    if (done_.size() < 64) return;
    for (const BatchId id : done_) settled_.insert(id);
    done_.clear();
    Commit commit{true, settled_.watermark(), {}};
    settled_.image(commit.bitmap);
    receive(collect_peer, collector_, router_session_, std::move(commit));
  }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t allocated_elsewhere() const { return elsewhere_; }

 private:
  static RouterOptions options(const std::string& strategy, std::uint32_t workers) {
    RouterOptions options;
    options.strategy = strategy;
    options.workers = workers;
    options.boot_id = "boot";
    return options;
  }
  static Session session_of(PeerId peer) { return Session{raw(peer) << 32 | 1}; }
  std::size_t index(PeerId peer) const { return raw(peer) - raw(stream_); }
  void join(PeerId peer, Hello hello) {
    hello.boot_id = "boot";
    if (index(peer) >= theirs_.size()) theirs_.resize(index(peer) + 1);
    receive(peer, session_of(peer), Session{}, std::move(hello));
  }
  void receive(PeerId from, Session session, Session to, Message message) {
    router_.receive(now_, from, Envelope{session, to, std::move(message)}, out_);
    take();
  }
  void take() {
    const std::uint64_t before = allocations;
    for (Action& action : out_.actions()) {
      auto* send = std::get_if<Send>(&action);
      if (!send) continue;
      if (send->to == collect_peer) router_session_ = send->envelope.from;
      else if (index(send->to) < theirs_.size()) theirs_[index(send->to)] = send->envelope.from;
      if (const auto* batch = std::get_if<Batch>(&send->envelope.body)) {
        leases_.emplace_back(send->to, batch->lease);
        ++sent_;
      }
    }
    out_.actions().clear();
    elsewhere_ += allocations - before;
  }

  Time now_{std::chrono::seconds(1000)};
  Outbox out_;
  Router router_;
  Session collector_{0xC'0000'0001}, router_session_{};
  PeerId stream_ = first_inbound;
  std::vector<Session> theirs_;
  std::deque<std::pair<PeerId, Lease>> leases_;
  std::vector<SampleId> ids_ = std::vector<SampleId>(32);
  std::vector<BatchId> done_;
  Settled settled_;
  std::uint64_t next_ = 0, sent_ = 0, elsewhere_ = 0;
};

void batch(benchmark::State& state, const std::string& strategy) {
  Hosted hosted(strategy, static_cast<std::uint32_t>(state.range(0)));
  for (int i = 0; i < 100'000; ++i) hosted.batch();
  const std::uint64_t before = allocations - hosted.allocated_elsewhere(), sent = hosted.sent();
  for (auto _ : state) hosted.batch();
  const auto batches = static_cast<double>(hosted.sent() - sent);
  if (hosted.sent() - sent != static_cast<std::uint64_t>(state.iterations())) state.SkipWithError("batches were held up");
  // One is the benchmark's own: the sample ids of the batch that comes in.
  state.counters["new/batch"] = static_cast<double>(allocations - hosted.allocated_elsewhere() - before) / batches - 1;
}

const bool registered = [] {
  for (const std::string name : {"random", "dynamic"}) {
    benchmark::RegisterBenchmark(fmt::format("router/{}", name).c_str(),
                                 [name](benchmark::State& state) { batch(state, name); })
        ->Arg(4)
        ->Arg(4096);
  }
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
