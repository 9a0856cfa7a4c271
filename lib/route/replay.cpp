// SPDX-License-Identifier: MIT
#include "route/replay.hpp"

#include <deque>

#include "route/dispatcher.hpp"

namespace dp {
namespace {

using Kind = DispatcherCall::Kind;

constexpr Slot most_slots = 1 << 16;  ///< in a trace: more is damage

bool is_answer(const DispatcherCall& call) { return call.kind == Kind::answer || call.kind == Kind::sent; }

std::string words(const DispatcherCall& call) {
  if (call.kind == Kind::sent)
    return fmt::format("batch {} attempt {} goes to slot {}", raw(call.ticket.batch), call.ticket.attempt, call.ticket.slot);
  return fmt::format("batch {} attempt {}: {}", raw(call.batch.id), call.attempt,
                     call.slot ? fmt::format("slot {}", *call.slot) : "waits");
}

bool same(const DispatcherCall& a, const DispatcherCall& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::sent) return a.ticket == b.ticket;
  return a.batch.id == b.batch.id && a.attempt == b.attempt && a.slot == b.slot;
}

void refuse_impossible(const DispatcherCall& call, const Dispatcher& dispatcher, const TraceReader& trace) {
  const bool names_slot = call.slot.has_value() && call.kind != Kind::answer;
  if (names_slot && *call.slot >= most_slots) trace.fail("slot {} is beyond reason", *call.slot);
  const bool live = names_slot && dispatcher.view().live().contains(*call.slot);
  if (call.kind == Kind::join && live) trace.fail("slot {} joins twice", *call.slot);
  if (names_slot && call.kind != Kind::join && call.kind != Kind::observe && !live)
    trace.fail("slot {} is named, which is not there", *call.slot);
  const auto& shards = trace.setup().shard_weights;
  const bool brings_batch = call.kind == Kind::arrive || call.kind == Kind::adopt;
  if (brings_batch && !shards.empty() && call.batch.shard >= shards.size())
    trace.fail("batch {} is of shard {}, of {}", raw(call.batch.id), call.batch.shard, shards.size());
}

void apply(const DispatcherCall& call, Dispatcher& dispatcher, const TraceReader& trace) {
  refuse_impossible(call, dispatcher, trace);
  switch (call.kind) {
    case Kind::join: return dispatcher.join(call.at, *call.slot, call.flag);
    case Kind::leave: return dispatcher.leave(call.at, *call.slot, call.flag);
    case Kind::credit: return dispatcher.credit(call.at, *call.slot, call.credit);
    case Kind::arrive: return dispatcher.arrive(call.at, call.batch, call.attempt, call.exclude);
    case Kind::adopt: dispatcher.adopt(call.at, call.batch, call.attempt, *call.slot); return;
    case Kind::next: dispatcher.next(call.at); return;
    case Kind::finish: return dispatcher.finish(call.at, call.ticket, call.ended);
    case Kind::withdraw: return dispatcher.withdraw(call.at, call.batch.id);
    case Kind::observe: return dispatcher.observe(call.at, *call.slot, call.batch.samples, call.service, call.response);
    case Kind::answer:
    case Kind::sent: return;
  }
}

/// Answers as the trace does, and asks another what it would have answered.
class Forced final : public Strategy {
 public:
  using See = std::function<void(std::optional<Slot>)>;
  Forced(std::unique_ptr<Strategy> other, const TraceReader& trace, std::deque<DispatcherCall>& recorded, See see)
      : other_(std::move(other)), trace_(trace), recorded_(recorded), see_(std::move(see)) {}

  std::optional<Slot> choose(Time now, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView& view) override {
    if (recorded_.empty() || recorded_.front().kind != Kind::answer || recorded_.front().batch.id != batch.id)
      trace_.fail("batch {} is asked about, which the trace does not answer there", raw(batch.id));
    const auto made = recorded_.front().slot;
    if (made && !view.live().contains(*made)) trace_.fail("batch {} goes to slot {}, which is not there", raw(batch.id), *made);
    see_(other_->choose(now, batch, exclude, view));
    return made;
  }
  void joined(Slot slot, bool resumes) override { other_->joined(slot, resumes); }
  void left(Slot slot) override { other_->left(slot); }
  void observed(Time now, Slot slot, std::uint32_t samples, Duration service, Duration response) override {
    other_->observed(now, slot, samples, service, response);
  }

 private:
  std::unique_ptr<Strategy> other_;
  const TraceReader& trace_;
  std::deque<DispatcherCall>& recorded_;
  See see_;
};

/// Plays one call after the other; the answers that follow it in the trace stand in `recorded` meanwhile.
template <class Play>
void each_call(TraceReader& trace, ReplayedTrace& result, std::deque<DispatcherCall>& recorded, Play&& play) {
  DispatcherCall call, following;
  bool more = trace.next(call);
  if (more && is_answer(call)) trace.fail("the trace begins with an answer");
  while (more) {
    recorded.clear();
    while ((more = trace.next(following)) && is_answer(following)) recorded.push_back(following);
    ++result.calls;
    play(call);
    call = following;
  }
}

}  // namespace

ReplayedTrace replay(TraceReader& trace) {
  ReplayedTrace result;
  std::deque<DispatcherCall> recorded;
  std::uint64_t calls = 0;
  Dispatcher dispatcher(make_strategy(trace.strategy(), trace.setup()), [&](const DispatcherCall& said) {
    if (!is_answer(said)) return;
    if (recorded.empty()) trace.fail("call {}: {}, and the trace says nothing", calls, words(said));
    if (!same(said, recorded.front())) trace.fail("call {}: {}, not {}", calls, words(said), words(recorded.front()));
    recorded.pop_front();
    if (said.kind == Kind::answer) ++result.decisions, ++result.same;
    if (said.kind == Kind::sent) ++result.batches_sent;
  });
  each_call(trace, result, recorded, [&](const DispatcherCall& call) {
    ++calls;
    apply(call, dispatcher, trace);
    if (!recorded.empty()) trace.fail("call {}: the trace says {}, and nothing is said", calls, words(recorded.front()));
  });
  return result;
}

ReplayedTrace ask_another(TraceReader& trace, const std::string& strategy,
                          const std::function<void(const DispatcherCall&, std::optional<Slot>)>& see) {
  ReplayedTrace result;
  std::deque<DispatcherCall> recorded;
  const auto compare = [&](std::optional<Slot> other) {
    ++result.decisions;
    result.same += recorded.front().slot == other;
    see(recorded.front(), other);
  };
  Dispatcher dispatcher(std::make_unique<Forced>(make_strategy(strategy, trace.setup()), trace, recorded, compare),
                        [&](const DispatcherCall& said) {
                          if (!is_answer(said)) return;
                          if (recorded.empty() || !same(said, recorded.front()))
                            trace.fail("{}: not what the trace says", words(said));
                          recorded.pop_front();
                          result.batches_sent += said.kind == Kind::sent;
                        });
  each_call(trace, result, recorded, [&](const DispatcherCall& call) { apply(call, dispatcher, trace); });
  return result;
}

}  // namespace dp
