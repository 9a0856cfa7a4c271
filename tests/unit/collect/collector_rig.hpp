// dp-collect's state machine among callers played by hand, in virtual time, with its journal in a string.
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <numeric>
#include <span>

#include "collect/collector.hpp"

namespace dp {

inline constexpr RunId our_run{0xA1};
inline constexpr Time epoch{std::chrono::hours(1)};
constexpr Duration ms(double n) { return from_seconds(n / 1000); }

/// Someone connected to the collector, who keeps what it is sent.
struct Caller {
  PeerId id;
  Role role;
  std::string name;
  Session session;
  Session collector = {};
  bool alive = true;  ///< sends heartbeats
  Duration clock_offset = {}, clock_bound = {};
  std::vector<Message> got = {};

  template <class M>
  std::vector<M> all() const {
    std::vector<M> found;
    for (const Message& message : got) {
      if (const auto* m = std::get_if<M>(&message)) found.push_back(*m);
    }
    return found;
  }
  template <class M>
  std::size_t count() const {
    return all<M>().size();
  }
};

inline CollectorOptions plain() {
  CollectorOptions options;
  options.run = our_run;
  options.boot_id = "this boot";
  options.give_up = std::chrono::seconds(5);
  options.watched = true;
  return options;
}

/// A run of `batches` batches of two samples each, ids 2k and 2k + 1, labels 0 and 1; batch k is due k ms
/// after t0.
struct CollectorTest : testing::Test {
  /// `journal`: what an earlier process left.
  explicit CollectorTest(CollectorOptions options = plain(), const std::string& journal = {})
      : journalling(options.journal), collector(std::move(options), 1) {
    routers.strategy = "uniform";
    read_journal(std::as_bytes(std::span(journal)),
                 [&](JournalRecord&& record) { collector.replay(std::move(record)); });
    written = journal;
    tick();
    if (journalling) sync();
  }
  /// All that was appended is durable from here on.
  void sync() {
    collector.durable(now, appends, out);
    carry();
  }

  Caller& call(Role role, std::string name, RunId run = {}) {
    const std::uint64_t number = callers.size() + 1;
    callers.push_back(
        {PeerId{raw(first_inbound) + number}, role, std::move(name), Session{number << 32 | 1}});
    hello(callers.back(), run);
    return callers.back();
  }
  void hello(Caller& caller, RunId run = {}, bool started = false) {
    Hello hello;
    hello.role = caller.role;
    hello.name = caller.name;
    hello.boot_id = "this boot";
    hello.run = run;
    hello.started = started;
    receive(caller, Session{}, hello);
  }
  void tell(Caller& caller, Message message) { receive(caller, caller.collector, std::move(message)); }
  void tick() {
    collector.tick(now, out);
    carry();
  }
  /// Lets time pass; those alive send heartbeats.
  void advance(Duration by) {
    const Time end = now + by;
    while (!collector.finished()) {
      const Time next = std::min(collector.next_deadline(), next_ping);
      if (next > end) break;
      now = std::max(now, next);
      if (now >= next_ping) ping_all();
      if (collector.next_deadline() <= now) tick();
    }
    now = end;
  }
  void ping_all() {
    next_ping = now + ms(500);
    for (Caller& caller : callers) {
      if (caller.alive && !collector.finished())
        tell(caller, Ping{now, 0, caller.clock_offset, caller.clock_bound, {}});
    }
  }
  void settle_down() { advance(ms(2)); }  ///< ACK and COMMIT are held back for up to a millisecond

  void begin(std::uint64_t batches = 4) {
    stream = &call(Role::stream, "stream");
    route = &call(Role::route, "route");
    worker = &call(Role::infer, "w0");
    t0 = now + ms(100);
    planned = {batches, 2 * batches, "the plan", true, t0, 1000, 0, "some data", {}, "digest"};
    tell(*stream, planned);
  }
  void announce(const std::vector<std::uint64_t>& ids) {
    Announce a;
    for (const std::uint64_t id : ids) {
      a.batches.push_back(id);
      a.scheduled.push_back(due(id) - stream->clock_offset);
      a.released.push_back(due(id) - stream->clock_offset);
      a.counts.push_back(2);
      for (const SampleId i : {0U, 1U}) {
        a.ids.push_back(static_cast<SampleId>(2 * id + i));
        a.labels.push_back(static_cast<Label>(i));
      }
    }
    tell(*stream, a);
  }
  Time due(std::uint64_t id) const { return t0 + ms(static_cast<double>(id)); }
  Result result(std::uint64_t id, std::vector<Label> predictions = {0, 1}, RunId run = our_run) const {
    Result r;
    r.run = run;
    r.lease.batch = BatchId{id};
    r.outbound = {due(id), due(id), due(id), due(id)};
    r.worker = {due(id), due(id), due(id)};
    r.predictions = std::move(predictions);
    return r;
  }
  /// Brings the run to its regular end.
  void complete(std::uint64_t batches) {
    std::vector<std::uint64_t> all(batches);
    std::iota(all.begin(), all.end(), 0);
    announce(all);
    for (const std::uint64_t id : all) tell(*worker, result(id));
    end(batches);
  }
  void end(std::uint64_t batches) {
    tell(*stream, Eos{batches});
    tell(*route, routers);
    for (Caller* caller : {stream, route, worker}) leave(*caller);
  }
  void leave(Caller& caller) {
    caller.alive = false;
    tell(caller, Bye{});
  }

  std::vector<std::uint64_t> acknowledged(const Caller& caller) const {
    std::vector<std::uint64_t> ids;
    for (const Ack& ack : caller.all<Ack>()) ids.insert(ids.end(), ack.batches.begin(), ack.batches.end());
    return ids;
  }
  std::vector<std::uint64_t> committed(const Caller& caller) const {
    Settled seen;
    std::vector<std::uint64_t> ids;
    for (const Commit& c : caller.all<Commit>()) {
      for (BatchId id{}; id < c.watermark; id = next(id)) {
        if (seen.insert(id)) ids.push_back(raw(id));
      }
      seen.merge(c.watermark, c.bitmap, [&](BatchId id) { ids.push_back(raw(id)); });
    }
    return ids;
  }
  std::vector<std::string> events() const {
    std::vector<std::string> all;
    for (const RunEvent& event : collector.report().events) all.push_back(event.what);
    return all;
  }

  const bool journalling;
  std::string written;  ///< the journal
  std::uint64_t appends = 0;
  Time now = epoch, next_ping = epoch + ms(500), t0{};
  Outbox out;
  Collector collector;
  std::deque<Caller> callers;
  Caller *stream = nullptr, *route = nullptr, *worker = nullptr;
  dp::Run planned;
  Report routers;  ///< what dp-route says at the end
  std::vector<std::string> warnings;

 private:
  void receive(Caller& caller, Session to, Message message) {
    collector.receive(now, caller.id, Envelope{caller.session, to, std::move(message)}, out);
    carry();
  }
  void carry() {
    for (Action& action : out.actions()) {
      if (const auto* notice = std::get_if<Notice>(&action); notice && notice->level == LogLevel::warn)
        warnings.push_back(notice->text);
      if (const auto* append = std::get_if<Append>(&action)) {
        written += append->records;
        ++appends;
      }
      auto* send = std::get_if<Send>(&action);
      if (!send) continue;
      const auto to = std::ranges::find(callers, send->to, &Caller::id);
      ASSERT_NE(to, callers.end());
      ASSERT_EQ(send->envelope.to, to->session);
      to->collector = send->envelope.from;
      if (!std::holds_alternative<Pong>(send->envelope.body))
        to->got.push_back(std::move(send->envelope.body));
    }
    out.actions().clear();
  }
};

}  // namespace dp
