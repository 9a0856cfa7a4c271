// SPDX-License-Identifier: MIT
#include "route/dispatcher_trace.hpp"

#include "base/file.hpp"
#include "base/options.hpp"

namespace dp {
namespace {

using Kind = DispatcherCall::Kind;

constexpr const char* version = "dp.dispatcher-trace/1";
constexpr std::size_t block_size = 64 << 10, most_block = 16 << 20, head_size = 12;

void put(std::string& to, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) to.push_back(static_cast<char>(number | 0x80));
  to.push_back(static_cast<char>(number));
}
std::uint64_t zigzag(std::int64_t n) { return static_cast<std::uint64_t>(n) << 1 ^ static_cast<std::uint64_t>(n >> 63); }
std::int64_t unzigzag(std::uint64_t n) { return static_cast<std::int64_t>(n >> 1 ^ (0 - (n & 1))); }

std::string little_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(number >> (8 * i)));
  return text;
}
std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) number = number << 8 | static_cast<std::uint64_t>(bytes[i - 1]);
  return number;
}
std::string block_of(std::string_view contents) {
  return little_endian(contents.size(), 4) + little_endian(checksum(std::as_bytes(std::span(contents))), 8) +
         std::string(contents);
}

}  // namespace

// ---- writing ---------------------------------------------------------------------------------------------

TraceWriter::TraceWriter(const std::string& strategy, const StrategySetup& setup, Take take) : take_(std::move(take)) {
  take_(block_of(fmt::format("{}\n{}\n{}\n{}\n{}\n", version, strategy, setup.workers, setup.seed,
                             fmt::join(setup.shard_weights, ","))));
}

void TraceWriter::add(const DispatcherCall& call) {
  const auto slot = [&] { put(records_, *call.slot); };
  const auto ticket = [&] {
    for (const std::uint64_t n : {raw(call.ticket.batch), std::uint64_t{call.ticket.attempt}, std::uint64_t{call.ticket.slot},
                                  std::uint64_t{call.ticket.life}})
      put(records_, n);
  };
  const auto batch = [&] {
    for (const std::uint64_t n : {raw(call.batch.id), std::uint64_t{call.batch.shard}, std::uint64_t{call.batch.samples},
                                  std::uint64_t{call.attempt}})
      put(records_, n);
  };
  records_.push_back(static_cast<char>(call.kind));
  put(records_, zigzag((call.at - last_).count()));
  last_ = call.at;
  switch (call.kind) {
    case Kind::join:
    case Kind::leave: slot(), put(records_, call.flag); break;
    case Kind::credit: slot(), put(records_, call.credit); break;
    case Kind::arrive:
      batch();
      put(records_, call.exclude ? std::uint64_t{call.exclude->slot} + 1 : 0);
      put(records_, call.exclude ? call.exclude->life : 0);
      break;
    case Kind::answer:
      put(records_, raw(call.batch.id)), put(records_, call.attempt);
      put(records_, call.slot ? std::uint64_t{*call.slot} + 1 : 0), put(records_, call.flag);
      break;
    case Kind::adopt: batch(), slot(); break;
    case Kind::next: break;
    case Kind::sent: ticket(); break;
    case Kind::finish: ticket(), put(records_, static_cast<std::uint64_t>(call.ended)); break;
    case Kind::withdraw: put(records_, raw(call.batch.id)); break;
    case Kind::observe:
      slot(), put(records_, call.batch.samples);
      put(records_, static_cast<std::uint64_t>(call.service.count()));
      put(records_, static_cast<std::uint64_t>(call.response.count()));
      break;
  }
  if (records_.size() >= block_size) flush();
}

void TraceWriter::flush() {
  if (!records_.empty()) take_(block_of(records_));
  records_.clear();
}

// ---- reading ---------------------------------------------------------------------------------------------

TraceReader::TraceReader(std::string name, std::span<const std::byte> file) : name_(std::move(name)), file_(file) {
  const bool begins = file.size() > head_size && little_endian(file.first(4)) <= most_block && open_block();
  if (!begins) fail("no trace of a dispatcher: its first block is not whole");
  const std::string_view text(reinterpret_cast<const char*>(block_.data()), block_.size());
  const auto lines = split(text, '\n');
  if (lines.size() != 6 || lines[0] != version) fail("no trace of a dispatcher, or of another version than {}", version);
  strategy_ = lines[1];
  try {
    setup_.workers = static_cast<std::uint32_t>(parse_count("workers", lines[2], 1, 4096));
    setup_.seed = parse_count("seed", lines[3], 0, UINT64_MAX);
    if (!lines[4].empty()) {
      for (const std::string& weight : split(lines[4], ','))
        setup_.shard_weights.push_back(parse_count("shard weight", weight, 0, UINT64_MAX));
    }
    parse_strategy(strategy_);
  } catch (const UsageError& problem) {
    fail("no trace of a dispatcher: {}", problem.what());
  }
  in_block_ = block_.size();
}

bool TraceReader::open_block() {
  const std::size_t left = file_.size() - at_;
  if (left == 0) return false;
  const auto head = file_.subspan(at_, std::min(left, head_size));
  const std::uint64_t length = head.size() < head_size ? 0 : little_endian(head.first(4));
  if (length > most_block) fail("byte {}: a block of {} bytes is too long", at_, length);
  if (head.size() < head_size || length > left - head_size) {
    torn_ = left;
    return false;
  }
  block_ = file_.subspan(at_ + head_size, length);
  if (checksum(block_) != little_endian(head.subspan(4))) fail("byte {}: the block is damaged (its checksum)", at_);
  at_ += head_size + length;
  in_block_ = 0;
  return true;
}

std::uint64_t TraceReader::number() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (in_block_ == block_.size()) fail("byte {}: a record is not whole", at_ - block_.size() + in_block_);
    const auto byte = static_cast<std::uint64_t>(block_[in_block_++]);
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail("byte {}: a number is too long", at_ - block_.size() + in_block_);
}

bool TraceReader::next(DispatcherCall& call) {
  while (in_block_ == block_.size()) {
    if (!open_block()) return false;
  }
  call = {};
  const auto kind = static_cast<std::uint64_t>(block_[in_block_++]);
  if (kind > static_cast<std::uint64_t>(Kind::observe))
    fail("byte {}: a record of unknown kind {}", at_ - block_.size() + in_block_ - 1, kind);
  const auto small = [this] {
    const std::uint64_t value = number();
    if (value > UINT32_MAX) fail("byte {}: {} is too large there", at_ - block_.size() + in_block_, value);
    return static_cast<std::uint32_t>(value);
  };
  const auto maybe_slot = [&]() -> std::optional<Slot> {
    const std::uint32_t slot = small();
    return slot == 0 ? std::nullopt : std::optional(slot - 1);
  };
  const auto batch = [&] {
    call.batch = {BatchId{number()}, small(), small()};
    call.attempt = small();
  };
  const auto ticket = [&] { call.ticket = {BatchId{number()}, small(), small(), small()}; };
  call.kind = static_cast<Kind>(kind);
  std::int64_t at = 0;
  if (__builtin_add_overflow(last_.time_since_epoch().count(), unzigzag(number()), &at))
    fail("byte {}: a time beyond all clocks", at_ - block_.size() + in_block_);
  call.at = last_ = Time(Duration(at));
  switch (call.kind) {
    case Kind::join:
    case Kind::leave: call.slot = small(), call.flag = number() != 0; break;
    case Kind::credit: call.slot = small(), call.credit = number(); break;
    case Kind::arrive: {
      batch();
      const auto slot = maybe_slot();
      const std::uint32_t life = small();
      if (slot) call.exclude = Excluded{*slot, life};
      break;
    }
    case Kind::answer:
      call.batch.id = BatchId{number()}, call.attempt = small();
      call.slot = maybe_slot(), call.flag = number() != 0;
      break;
    case Kind::adopt: batch(), call.slot = small(); break;
    case Kind::next: break;
    case Kind::sent: ticket(); break;
    case Kind::finish: ticket(), call.ended = static_cast<AttemptEnd>(number()); break;
    case Kind::withdraw: call.batch.id = BatchId{number()}; break;
    case Kind::observe:
      call.slot = small(), call.batch.samples = small();
      call.service = Duration(static_cast<std::int64_t>(number()));
      call.response = Duration(static_cast<std::int64_t>(number()));
      break;
  }
  return true;
}

}  // namespace dp
