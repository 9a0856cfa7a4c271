// The router's peers: who says HELLO, what workers say, who is gone, and whose place is whose.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "route/router.hpp"
#include "wire/buffer.hpp"
#include "wire/codec.hpp"

namespace dp {
namespace {

/// No side of an image beyond 16,384, and no batch that would not fit into a message.
bool is_sane(const DataShape& data) {
  constexpr std::uint32_t longest = 1U << 14;
  const Shape& s = data.shape;
  if (s.channels > longest || s.height > longest || s.width > longest) return false;
  return s.bytes() > 0 && data.max_batch > 0 && s.bytes() <= max_payload_bytes / data.max_batch;
}

/// The worker has the data set that batches refer to, if they do.
bool holds(const Hello& worker, const DataShape& data) {
  return data.payload != PayloadMode::reference ||
         std::ranges::find(worker.datasets, data.dataset) != worker.datasets.end();
}

std::optional<Session> session_of(const Listener& peers, const std::string& worker) {
  for (const auto& [peer, state] : peers.peers()) {
    if (state.role == Role::infer && state.name == worker) return state.session;
  }
  return std::nullopt;
}

}  // namespace

// ---- the collector ---------------------------------------------------------------------------------------

void Router::on_collect(Time now, Envelope& envelope, Outbox& out) {
  switch (collect_.receive(now, envelope, out)) {
    case LinkEvent::up:
      run_ = collect_.welcome().run;
      collect_known_ = true;
      leases_.extend_all(now);
      collect_.send(Usage{usage_, {}, {}, options_.record}, out);
      break;
    case LinkEvent::refused:
      finish(Exit::failed, std::get<Reject>(envelope.body).reason);
      break;
    case LinkEvent::message:
      if (const auto* commit = std::get_if<Commit>(&envelope.body)) leases_.commit(now, *commit);
      if (std::holds_alternative<Fin>(envelope.body)) {  // everything is settled; again, if the report was lost on its way
        out.debug("everything is settled: FIN");
        if (!std::exchange(finishing_, true)) {
          finish_by_ = now + options_.give_up;
          for (const auto& [peer, worker] : roster_.all()) peers_.send(peer, Drain{}, out);
        }
        send_report(out);
      }
      break;
    default:
      break;
  }
}

// ---- HELLO -----------------------------------------------------------------------------------------------

void Router::on_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out) {
  const Hello& hello = std::get<Hello>(envelope.body);
  if (!collect_known_) return peers_.refuse(from, envelope, "dp-route has not reached dp-collect yet", true, out);
  if (finishing_) {
    const auto acceptance = peers_.accept(now, from, envelope, {run_, {}, data_}, out);
    if (acceptance.replaced) roster_.rename(*acceptance.replaced, from);
    return peers_.send(from, hello.role == Role::infer ? Message(Drain{}) : Message(Fin{}), out);
  }
  if (hello.run != RunId{} && hello.run != run_)
    return peers_.refuse(from, envelope, fmt::format("run {:016x} is not served here", raw(hello.run)), false, out);
  if (hello.role == Role::stream) return stream_hello(now, from, envelope, out);
  if (hello.role == Role::infer) return worker_hello(now, from, envelope, out);
  peers_.refuse(from, envelope, fmt::format("a {} has no business here", name_of(hello.role)), false, out);
}

void Router::stream_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out) {
  const Hello& hello = std::get<Hello>(envelope.body);
  if (!is_sane(hello.data))
    return peers_.refuse(from, envelope, "HELLO with a shape that cannot be served", false, out);
  if (dispatcher_ && hello.shard_weights.size() != shard_weights_.size())
    return peers_.refuse(from, envelope, "another number of shards than this run has", false, out);
  if (!dispatcher_) {
    try {
      const StrategySetup setup{options_.workers, hello.shard_weights, options_.seed};
      Dispatcher::Observer observer;
      if (options_.trace || options_.log_decisions)
        observer = [this](const DispatcherCall& call) { record_.called(call); };
      dispatcher_ = std::make_unique<Dispatcher>(make_strategy(options_.strategy, setup), std::move(observer));
      if (options_.trace) options_.trace->begins(options_.strategy, setup);
      leases_.use(*dispatcher_);
      shard_weights_ = hello.shard_weights;
    } catch (const Error& problem) {
      peers_.refuse(from, envelope, problem.what(), false, out);
      return finish(Exit::failed, problem.what());
    }
  }
  const bool known_session = stream_ == from && peers_.find(from) && peers_.find(from)->session == envelope.from;
  const auto acceptance = peers_.accept(now, from, envelope, {run_, {}, {}}, out);
  if (acceptance.refused || known_session) return;
  stream_ = from;
  data_ = hello.data;
  shard_weights_ = hello.shard_weights;
  if (hello.started && !running_) {
    resuming_ = true;
    resumed_ = now;
  }
  peers_.send(from, Credit{stream_credit_.begin(buffer_of(options_.buffer, data_.payload), leases_.size())}, out);
  if (running_) peers_.send(from, Start{options_.workers}, out);
}

void Router::worker_hello(Time now, PeerId from, const Envelope& envelope, Outbox& out) {
  const Hello& hello = std::get<Hello>(envelope.body);
  if (data_.max_batch == 0)
    return peers_.refuse(from, envelope, "dp-route has not heard from dp-stream yet", true, out);
  if (wedged_.contains(process_of(envelope.from)))
    return peers_.refuse(from, envelope, "this worker held a batch beyond --lease-cap and is not trusted with another", false, out);
  if (!holds(hello, data_))
    return peers_.refuse(from, envelope,
                         fmt::format("batches travel by reference and worker '{}' does not hold data set {} (give dp-infer "
                                     "the stream's --data, or dp-stream --payload inline)",
                                     hello.name, data_.dataset),
                         false, out);
  const bool known_session =
      roster_.find(from) && peers_.find(from) && peers_.find(from)->session == envelope.from;
  const std::optional<Session> before = session_of(peers_, hello.name);
  const auto acceptance = peers_.accept(now, from, envelope, {run_, {}, data_}, out);
  if (acceptance.refused || known_session) return;

  auto fresh = std::make_unique<WorkerSession>();
  fresh->name = hello.name;
  if (WorkerSession* old = acceptance.replaced ? roster_.find(*acceptance.replaced) : nullptr) {
    const bool same_process = before && process_of(*before) == process_of(envelope.from);
    fresh->resumes = same_process && old->slot;  // which it regains at once
    leases_.hand_over(now, *old, *fresh, {hello.held.begin(), hello.held.end()},
                      {hello.unacked.begin(), hello.unacked.end()});
    out.debug("worker {} is back, {}: it keeps {} batches", fresh->name,
              same_process ? "the same process" : "a new process", fresh->serving.size() + fresh->unsettled.size());
    worker_gone(now, *acceptance.replaced, {.charge = !same_process}, true, out);
  }
  WorkerSession& worker = roster_.add(from, std::move(fresh));
  if (!hello.held.empty()) roster_.warmed(worker);
  if (!hello.held.empty() || !hello.unacked.empty())
    out.debug("worker {} brings {} batches and {} results with it", worker.name, hello.held.size(), hello.unacked.size());
  if (running_) take_place(now, worker, out);
  if (running_ && !worker.slot) out.debug("worker {} is a spare: every place is taken", worker.name);
  leases_.returned(now, worker, process_of(envelope.from), hello);
}

// ---- workers ---------------------------------------------------------------------------------------------

void Router::on_worker(Time now, WorkerSession& worker, const Message& message, Outbox& out) {
  if (const auto* done = std::get_if<Done>(&message)) {
    leases_.done(now, worker, *done, out);
    credited(now, worker, done->limit, worker.warm, out);
  } else if (const auto* back = std::get_if<Return>(&message)) {
    leases_.handed_back(now, worker, *back, out);
  } else if (const auto* credit = std::get_if<Credit>(&message)) {
    credited(now, worker, credit->limit, true, out);
  } else if (const auto* ping = std::get_if<Ping>(&message)) {
    credited(now, worker, ping->limit, worker.warm || ping->limit > 0, out);
    leases_.renew(now, worker, ping->held);
  }
}

/// Credit is cumulative, and never taken back.
void Router::credited(Time now, WorkerSession& worker, std::uint64_t limit, bool warm, Outbox& out) {
  if (warm && !worker.warm) {
    roster_.warmed(worker);
    out.debug("worker {} is warm: {} are, {} are wanted", worker.name, roster_.warm(), options_.workers);
  }
  worker.limit = std::max(worker.limit, limit);
  if (running_ && worker.warm) take_place(now, worker, out);
  if (worker.slot) dispatcher_->credit(now, *worker.slot, worker.credit());
}

void Router::peer_gone(Time now, PeerId peer, const PeerState& state, const char* how, Outbox& out) {
  if (stream_ == peer) stream_.reset();
  const WorkerSession* worker = roster_.find(peer);
  if (!worker) return;
  if (!finishing_) {
    record_.note(now,
                 fmt::format("worker {} {}; {} of its batches go elsewhere", state.name, how,
                             worker->serving.size() + worker->unsettled.size()),
                 out);
  }
  // Whose connection has ended may yet be back.
  const auto returning = state.disconnected ? std::optional(process_of(state.session)) : std::nullopt;
  worker_gone(now, peer, {.charge = true, .until_back = returning}, false, out);
}

void Router::worker_gone(Time now, PeerId peer, const Blame& blame, bool returns, Outbox& out) {
  WorkerSession& worker = *roster_.find(peer);
  const std::optional<Slot> slot = worker.slot;
  WorkerSession* spare = nullptr;
  if (slot) {
    roster_.vacate(worker);
    spare = returns ? nullptr : roster_.warm_spare(&worker);
    dispatcher_->leave(now, *slot, returns || spare);
  }
  leases_.lost(now, worker, blame, out);
  if (spare) {
    record_.note(now, fmt::format("spare worker {} takes the place of {}", spare->name, worker.name), out);
    seat(now, *spare, *slot, out);
  }
  roster_.remove(peer);
}

// ---- places ----------------------------------------------------------------------------------------------

void Router::take_place(Time now, WorkerSession& worker, Outbox& out) {
  if (worker.slot) return;
  if (const auto slot = roster_.place_for(worker.name, traits_.elastic)) seat(now, worker, *slot, out);
}

void Router::seat(Time now, WorkerSession& worker, Slot slot, Outbox& out) {
  roster_.seat(worker, slot);
  out.debug("worker {} has place {}", worker.name, slot);
  dispatcher_->join(now, slot, worker.resumes);
  leases_.seated(now, worker);
  dispatcher_->credit(now, slot, worker.credit());
}

}  // namespace dp
