// SPDX-License-Identifier: MIT
#include "wire/codec.hpp"

#include <utility>

#include "wire/fields.hpp"

namespace dp {
namespace {

using fields::check;
using fields::HasArrays;

template <class M>
concept HasPayload = requires(M m) {
  m.payload;
};

// ---- what the types alone cannot say ---------------------------------------------------------------------

void check(const Batch& batch) {
  if (batch.ids.empty()) throw MalformedFrame("batch without samples");
  const bool by_reference = batch.mode == PayloadMode::reference;
  const Shape& s = batch.shape;
  constexpr std::uint32_t side = 1U << 14;
  if (s.channels > side || s.height > side || s.width > side) throw MalformedFrame("shape out of range");
  const std::size_t expected = by_reference ? 0 : batch.ids.size() * s.bytes();
  if (batch.payload.bytes.size() != expected) {
    throw MalformedFrame("payload of {} bytes, shape says {}", batch.payload.bytes.size(), expected);
  }
}

/// Times and durations within 36 years of zero: sums and differences of a few of them cannot overflow.
template <class T>
void check_range(const T& value) {
  if constexpr (std::is_same_v<T, Time>) {
    check_range(value.time_since_epoch());
  } else if constexpr (std::is_same_v<T, Duration>) {
    constexpr Duration most{std::int64_t{1} << 60};
    if (value < -most || value > most) throw MalformedFrame("a time of {} ns", value.count());
  } else if constexpr (std::is_same_v<T, std::vector<Time>> || std::is_same_v<T, std::vector<Duration>>) {
    for (const auto& each : value) check_range(each);
  }
}

template <class M>
void fill(M& message, std::span<const msgpack::object> values, std::optional<std::string_view> arrays,
          std::optional<Payload>& payload) {
  fields::unpack_all(values, message);
  std::apply([](const auto&... field) { (check_range(field), ...); }, message.header());
  if (arrays.has_value() != HasArrays<M> || payload.has_value() != HasPayload<M>) {
    throw MalformedFrame("wrong number of frames");
  }
  if constexpr (HasArrays<M>) {
    fields::read_columns(*arrays, message);
    std::apply([](const auto&... column) { (check_range(column), ...); }, message.arrays());
  }
  if constexpr (HasPayload<M>) message.payload = std::move(*payload);
  check(message);
}

}  // namespace

void encode(Envelope& envelope, Frames& out) {
  thread_local msgpack::sbuffer buffer(512);
  buffer.clear();
  out.arrays.clear();
  out.payload = {};
  std::visit(
      [&]<class M>(M& message) {
        fields::Packer packer(buffer);
        packer.pack_array(static_cast<std::uint32_t>(4 + fields::count<M>));
        packer.pack_uint32(protocol_version);
        packer.pack_uint64(envelope.body.index());
        fields::pack(packer, envelope.from);
        fields::pack(packer, envelope.to);
        fields::pack_all(packer, message);
        out.has_arrays = HasArrays<M>;
        out.has_payload = HasPayload<M>;
        fields::append_columns(out.arrays, message);
        if constexpr (HasPayload<M>) out.payload = message.payload;
      },
      envelope.body);
  if (buffer.size() > max_header_bytes)
    throw Error("message header of {} bytes exceeds {}", buffer.size(), max_header_bytes);
  out.header.assign(buffer.data(), buffer.size());
}

Envelope decode(std::string_view header, std::optional<std::string_view> arrays,
                std::optional<Payload> payload) {
  if (header.size() > max_header_bytes) throw MalformedFrame("header of {} bytes", header.size());
  Envelope envelope;
  try {
    thread_local msgpack::zone zone;
    std::size_t end = 0;
    const auto values = fields::unpack_array(zone, header, 2048, end);
    if (end != header.size()) throw MalformedFrame("{} bytes after the header", header.size() - end);
    if (values.size() < 4) throw MalformedFrame("header is not a message");
    fields::unpack(values[2], envelope.from);
    if (const auto v = values[0].as<std::uint32_t>(); v != protocol_version) {
      throw MalformedFrame("protocol version {}, expected {}", v, protocol_version);
    }
    const auto type = values[1].as<std::uint64_t>();
    if (type >= std::variant_size_v<Message>) throw MalformedFrame("unknown message type {}", type);
    envelope.body = fields::make_by_number<Message>(type);
    fields::unpack(values[3], envelope.to);
    if (arrays && arrays->size() > max_arrays_bytes)
      throw MalformedFrame("binary frame of {} bytes", arrays->size());
    std::visit([&](auto& message) { fill(message, values.subspan(4), arrays, payload); }, envelope.body);
    return envelope;
  } catch (MalformedFrame& problem) {
    problem.from = envelope.from;
    throw;
  } catch (const msgpack::unpack_error& problem) {
    throw MalformedFrame("not MessagePack: {}", problem.what());
  } catch (const msgpack::type_error&) {
    MalformedFrame problem("a field has the wrong type");
    problem.from = envelope.from;
    throw problem;
  }
}

}  // namespace dp
