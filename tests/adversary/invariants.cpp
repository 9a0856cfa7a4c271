// SPDX-License-Identifier: MIT
#include "invariants.hpp"

#include <algorithm>
#include <utility>

#include "base/settled.hpp"

namespace dp::adversary {

/// Credit: never negative (sent beyond it), never leaked upwards (more than the window).
void Invariants::limit(Link link, std::uint64_t limit, std::uint64_t window) {
  const std::uint64_t had = delivered_[link];
  if (limit > had + window)
    throw Violation("credit leaked: limit {} after {} batches, and the window is {}", limit, had, window);
  std::uint64_t& most = limits_[link];
  most = std::max(most, limit);
}

void Invariants::sent(Role from, Role to, const Envelope& e) {
  const Link giver{e.to, e.from}, taker{e.from, e.to};
  if (const auto* batch = std::get_if<Batch>(&e.body)) {
    if (raw(batch->lease.batch) >= batches_)
      throw Violation("batch {} is not in the plan", raw(batch->lease.batch));
    if (++sent_[giver] > limits_[giver])
      throw Violation("credit negative: {} sends batch number {} of a session, {} were allowed",
                      name_of(from), sent_[giver], limits_[giver]);
  }
  if (from == Role::infer && to == Role::route) {
    if (const auto* m = std::get_if<Credit>(&e.body)) limit(taker, m->limit, scenario_.credit);
    if (const auto* m = std::get_if<Done>(&e.body)) limit(taker, m->limit, scenario_.credit);
    if (const auto* m = std::get_if<Ping>(&e.body)) limit(taker, m->limit, scenario_.credit);
  }
  if (from == Role::route && to == Role::stream) {
    if (const auto* m = std::get_if<Credit>(&e.body)) limit(taker, m->limit, scenario_.buffer);
  }
  if (from != Role::collect) return;
  if (const auto* ack = std::get_if<Ack>(&e.body)) {
    for (const std::uint64_t id : ack->batches) told(BatchId{id}, "ACK");
  }
  if (const auto* commit = std::get_if<Commit>(&e.body)) {
    for (BatchId id{}; id < commit->watermark; id = next(id)) told(id, "COMMIT");
    Settled bits;
    bits.merge(commit->watermark, commit->bitmap, [&](BatchId id) { told(id, "COMMIT"); });
  }
  if (std::holds_alternative<Fin>(e.body) && durable_.size() != batches_)
    throw Violation("FIN with {} of {} batches settled", durable_.size(), batches_);
}

void Invariants::told(BatchId id, const char* in) const {
  if (!durable_.contains(id)) throw Violation("{} names batch {}, which is not durably settled", in, raw(id));
}

void Invariants::delivered(Role, const Envelope& e) {
  const auto* batch = std::get_if<Batch>(&e.body);
  if (!batch) return;
  std::uint64_t& most = delivered_[{e.to, e.from}];
  most = std::max(most, batch->number);
}

void Invariants::buffered(std::size_t batches) const {
  // Frames that are overtaken count as received too early.
  if (batches > (scenario_.fifo ? 2 : 3) * scenario_.buffer)
    throw Violation("the router keeps {} batches, and its buffer is for {}", batches, scenario_.buffer);
}

void Invariants::durable(const Disk& disk) {
  const std::string part = opened_ + std::string(disk.durable().substr(read_));
  bool first = read_ > 0;  // the Opened put before it
  read_journal(std::as_bytes(std::span(part)), [&](JournalRecord&& record) {
    if (!std::exchange(first, false)) take(record);
  });
  read_ = disk.durable().size();
}

void Invariants::take(JournalRecord& record) {
  if (opened_.empty()) append_record(opened_, record);
  if (const auto* a = std::get_if<Announce>(&record)) announced_.insert(a->batches.begin(), a->batches.end());
  ended_ = ended_ || std::holds_alternative<Ended>(record);
  const auto* s = std::get_if<Settlement>(&record);
  if (!s) return;
  const std::uint64_t id = raw(s->batch);
  if (id >= batches_ || !announced_.contains(id)) throw Violation("batch {} settled but not announced", id);
  if (!durable_.try_emplace(s->batch, *s).second) throw Violation("batch {} settled twice", id);
  check_settlement(*s);
}

void Invariants::check_settlement(const Settlement& s) const {
  if (!s.failed) {
    if (scenario_.poison.contains(raw(s.batch)))
      throw Violation("poison batch {} settled as OK", raw(s.batch));
    for (const Label label : s.predictions) {
      if (label != raw(s.batch) % 1000)
        throw Violation("batch {} settled with another's predictions", raw(s.batch));
    }
  } else if (scenario_.attempts > 1000 && !scenario_.poison.contains(raw(s.batch))) {
    throw Violation("batch {} failed: {}", raw(s.batch), s.why);
  }
}

void Invariants::complete() const {
  if (durable_.size() != batches_)
    throw Violation("the run ended with {} of {} batches settled", durable_.size(), batches_);
  if (!ended_) throw Violation("the journal of a finished run does not say so");
}

}  // namespace dp::adversary
