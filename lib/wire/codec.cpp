// SPDX-License-Identifier: MIT
#include "wire/codec.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <msgpack.hpp>
#include <utility>

static_assert(std::endian::native == std::endian::little, "the columns travel little-endian");

namespace dp {
namespace {

template <class M>
concept HasArrays = requires(M m) {
  m.arrays();
};
template <class M>
concept HasPayload = requires(M m) {
  m.payload;
};

// ---- header fields ---------------------------------------------------------------------------------------

using Packer = msgpack::packer<msgpack::sbuffer>;

template <class T>
void pack(Packer& to, const T& value) {
  if constexpr (std::is_same_v<T, Time>) {
    to.pack_int64(value.time_since_epoch().count());
  } else if constexpr (std::is_same_v<T, Duration>) {
    to.pack_int64(value.count());
  } else if constexpr (std::is_enum_v<T>) {
    to.pack_uint64(static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    to.pack_array(static_cast<std::uint32_t>(value.size()));
    for (const std::string& text : value) to.pack(text);
  } else {
    to.pack(value);
  }
}

template <class T>
void unpack(const msgpack::object& from, T& value) {
  if constexpr (std::is_same_v<T, Time>) {
    value = Time(Duration(from.as<std::int64_t>()));
  } else if constexpr (std::is_same_v<T, Duration>) {
    value = Duration(from.as<std::int64_t>());
  } else if constexpr (std::is_enum_v<T>) {
    const auto number = from.as<std::uint64_t>();
    constexpr std::uint64_t last = std::is_same_v<T, Role>         ? 3
                                   : std::is_same_v<T, ErrorClass> ? 4
                                   : std::is_same_v<T, PayloadMode>
                                       ? 1
                                       : std::numeric_limits<std::uint64_t>::max();
    if (number > last) throw MalformedFrame("value {} out of range", number);
    value = static_cast<T>(number);
  } else {
    from.convert(value);
  }
}

template <class Tuple>
void pack_all(Packer& to, Tuple fields) {
  std::apply([&](auto&... field) { (pack(to, field), ...); }, fields);
}

template <class Tuple>
void unpack_all(const msgpack::object* from, Tuple fields) {
  std::apply([&](auto&... field) { (unpack(*from++, field), ...); }, fields);
}

// ---- binary columns --------------------------------------------------------------------------------------

void append_raw(std::string& out, const void* data, std::size_t bytes) {
  out.append(static_cast<const char*>(data), bytes);
}

void append_size(std::string& out, std::size_t size) {
  const auto count = static_cast<std::uint32_t>(size);
  append_raw(out, &count, sizeof count);
}

template <class T>
void append_column(std::string& out, const std::vector<T>& column) {
  append_size(out, column.size());
  if constexpr (std::is_same_v<T, std::string>) {
    for (const std::string& text : column) {
      append_size(out, text.size());
      out += text;
    }
  } else {
    append_raw(out, column.data(), column.size() * sizeof(T));
  }
}

/// Reads columns off a frame; every count is checked against what is left before memory is asked for.
class ColumnReader {
 public:
  explicit ColumnReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  void read(std::vector<T>& column) {
    const std::size_t count = size();
    if constexpr (std::is_same_v<T, std::string>) {
      if (count > rest_.size() / sizeof(std::uint32_t))
        throw MalformedFrame("column of {} texts is cut short", count);
      column.resize(count);
      for (std::string& text : column) text = take(size());
    } else {
      if (count > rest_.size() / sizeof(T)) throw MalformedFrame("column of {} is cut short", count);
      column.resize(count);
      const std::string_view bytes = take(count * sizeof(T));
      if (count) std::memcpy(static_cast<void*>(column.data()), bytes.data(), bytes.size());
    }
  }
  void finish() const {
    if (!rest_.empty()) throw MalformedFrame("{} bytes after the last column", rest_.size());
  }

 private:
  std::string_view take(std::size_t bytes) {
    if (bytes > rest_.size()) throw MalformedFrame("binary frame is cut short");
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  std::size_t size() {
    std::uint32_t count = 0;
    std::memcpy(&count, take(sizeof count).data(), sizeof count);
    return count;
  }
  std::string_view rest_;
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

void check(const Announce& a) {
  std::uint64_t samples = 0;
  for (const std::uint32_t count : a.counts) samples += count;
  const std::size_t n = a.batches.size();
  if (a.scheduled.size() != n || a.released.size() != n || a.counts.size() != n || a.ids.size() != samples ||
      a.labels.size() != samples || (!a.arrivals.empty() && a.arrivals.size() != samples)) {
    throw MalformedFrame("columns of different lengths");
  }
}

void check(const Report& r) {
  if (r.event_times.size() != r.events.size() || r.options.size() % 2) {
    throw MalformedFrame("columns of different lengths");
  }
}

template <class M>
void check(const M&) {}

// ---- types by number -------------------------------------------------------------------------------------

template <std::size_t Index>
Message make() {
  return Message(std::in_place_index<Index>);
}

Message make_by_number(std::uint64_t type) {
  constexpr auto makers = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Message (*)(), sizeof...(I)>{&make<I>...};
  }
  (std::make_index_sequence<std::variant_size_v<Message>>());
  return makers.at(type)();
}

template <class M>
void fill(M& message, std::span<const msgpack::object> fields, std::optional<std::string_view> arrays,
          std::optional<Payload>& payload) {
  constexpr std::size_t expected = std::tuple_size_v<decltype(message.header())>;
  if (fields.size() != expected) throw MalformedFrame("{} fields, expected {}", fields.size(), expected);
  unpack_all(fields.data(), message.header());
  if (arrays.has_value() != HasArrays<M> || payload.has_value() != HasPayload<M>) {
    throw MalformedFrame("wrong number of frames");
  }
  if constexpr (HasArrays<M>) {
    ColumnReader reader(*arrays);
    std::apply([&](auto&... column) { (reader.read(column), ...); }, message.arrays());
    reader.finish();
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
        Packer packer(buffer);
        packer.pack_array(static_cast<std::uint32_t>(4 + std::tuple_size_v<decltype(message.header())>));
        packer.pack_uint32(protocol_version);
        packer.pack_uint64(envelope.body.index());
        pack(packer, envelope.from);
        pack(packer, envelope.to);
        pack_all(packer, message.header());
        out.has_arrays = HasArrays<M>;
        out.has_payload = HasPayload<M>;
        if constexpr (HasArrays<M>) {
          std::apply([&](auto&... column) { (append_column(out.arrays, column), ...); }, message.arrays());
        }
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
    zone.clear();
    std::size_t offset = 0;
    const msgpack::unpack_limit limit(64, 0, 2048, 0, 0, 3);
    const msgpack::object root = msgpack::unpack(
        zone, header.data(), header.size(), offset, [](auto, auto, auto) { return true; }, nullptr, limit);
    if (offset != header.size()) throw MalformedFrame("{} bytes after the header", header.size() - offset);
    if (root.type != msgpack::type::ARRAY || root.via.array.size < 4)
      throw MalformedFrame("header is not a message");
    const std::span<const msgpack::object> fields(root.via.array.ptr, root.via.array.size);
    unpack(fields[2], envelope.from);
    if (const auto v = fields[0].as<std::uint32_t>(); v != protocol_version) {
      throw MalformedFrame("protocol version {}, expected {}", v, protocol_version);
    }
    const auto type = fields[1].as<std::uint64_t>();
    if (type >= std::variant_size_v<Message>) throw MalformedFrame("unknown message type {}", type);
    envelope.body = make_by_number(type);
    unpack(fields[3], envelope.to);
    if (arrays && arrays->size() > max_arrays_bytes)
      throw MalformedFrame("binary frame of {} bytes", arrays->size());
    std::visit([&](auto& message) { fill(message, fields.subspan(4), arrays, payload); }, envelope.body);
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
