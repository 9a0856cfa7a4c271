// How messages and journal records become bytes: fields as a MessagePack array, arrays as raw little-endian
// columns. For codec.cpp and the journal alone: it brings MessagePack with it.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <msgpack.hpp>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "wire/codec.hpp"

static_assert(std::endian::native == std::endian::little, "the columns travel little-endian");

namespace dp::fields {

template <class M>
concept HasArrays = requires(M m) {
  m.arrays();
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
    constexpr std::uint64_t last = std::is_same_v<T, Role>          ? 3
                                   : std::is_same_v<T, ErrorClass>  ? 4
                                   : std::is_same_v<T, PayloadMode> ? 1
                                   : std::is_same_v<T, RunState>    ? 3
                                                                 : std::numeric_limits<std::uint64_t>::max();
    if (number > last) throw MalformedFrame("value {} out of range", number);
    value = static_cast<T>(number);
  } else {
    from.convert(value);
  }
}

template <class M>
constexpr std::size_t count = std::tuple_size_v<decltype(std::declval<M&>().header())>;

template <class M>
void pack_all(Packer& to, M& message) {
  std::apply([&](auto&... field) { (pack(to, field), ...); }, message.header());
}

template <class M>
void unpack_all(std::span<const msgpack::object> from, M& message) {
  if (from.size() != count<M>) throw MalformedFrame("{} fields, expected {}", from.size(), count<M>);
  auto next = from.begin();
  std::apply([&](auto&... field) { (unpack(*next++, field), ...); }, message.header());
}

/// The MessagePack array at the start of `bytes`, and where it ends; texts refer to `bytes`. Nothing in it can
/// ask for more memory than these limits say. Throws what MessagePack throws.
inline std::span<const msgpack::object> unpack_array(msgpack::zone& zone, std::string_view bytes,
                                                     std::size_t longest_text, std::size_t& end) {
  zone.clear();
  end = 0;
  const msgpack::unpack_limit limit(64, 0, longest_text, 0, 0, 3);
  const msgpack::object root = msgpack::unpack(
      zone, bytes.data(), bytes.size(), end, [](auto, auto, auto) { return true; }, nullptr, limit);
  if (root.type != msgpack::type::ARRAY) throw MalformedFrame("not an array of fields");
  return {root.via.array.ptr, root.via.array.size};
}

// ---- binary columns --------------------------------------------------------------------------------------

inline void append_raw(std::string& out, const void* data, std::size_t bytes) {
  out.append(static_cast<const char*>(data), bytes);
}

inline void append_size(std::string& out, std::size_t size) {
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

template <class M>
void append_columns(std::string& out, M& message) {
  if constexpr (HasArrays<M>) {
    std::apply([&](auto&... column) { (append_column(out, column), ...); }, message.arrays());
  }
}

/// Fills the columns from exactly these bytes.
template <class M>
void read_columns(std::string_view bytes, M& message) {
  ColumnReader reader(bytes);
  if constexpr (HasArrays<M>) {
    std::apply([&](auto&... column) { (reader.read(column), ...); }, message.arrays());
  }
  reader.finish();
}

// ---- types by number -------------------------------------------------------------------------------------

template <class Variant, std::size_t Index>
Variant make() {
  return Variant(std::in_place_index<Index>);
}

/// The default value of the variant's type of that number.
template <class Variant>
Variant make_by_number(std::uint64_t type) {
  constexpr auto makers = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Variant (*)(), sizeof...(I)>{&make<Variant, I>...};
  }
  (std::make_index_sequence<std::variant_size_v<Variant>>());
  return makers.at(type)();
}

// ---- what the types alone cannot say ---------------------------------------------------------------------

template <class M>
void check(const M&) {}

inline void check(const Announce& a) {
  std::uint64_t samples = 0;
  for (const std::uint32_t count : a.counts) samples += count;
  const std::size_t n = a.batches.size();
  if (a.scheduled.size() != n || a.released.size() != n || a.counts.size() != n || a.ids.size() != samples ||
      a.labels.size() != samples || (!a.arrivals.empty() && a.arrivals.size() != samples)) {
    throw MalformedFrame("columns of different lengths");
  }
}

inline void check(const Run& r) {
  if (!(r.rate >= 0 && r.rate <= 1e18)) throw MalformedFrame("a rate of {} samples/s", r.rate);
}

inline void check(const Snapshot& s) {
  const std::size_t n = s.roles.size();
  const bool even = s.names.size() == n && s.hosts.size() == n && s.states.size() == n &&
                    s.samples.size() == n && s.batches.size() == n && s.retried.size() == n &&
                    s.recent_samples.size() == n && s.busy.size() == n && s.recent_busy.size() == n &&
                    s.cpu.size() == n && s.recent_cpu.size() == n && s.recent_span.size() == n &&
                    s.rss_bytes.size() == n && s.unheard.size() == n;
  if (!even || s.latency_bounds.size() != s.latency_counts.size())
    throw MalformedFrame("columns of different lengths");
  for (std::size_t i = 0; i < n; ++i) {
    if (s.roles[i] > static_cast<std::uint8_t>(Role::collect) ||
        s.states[i] > static_cast<std::uint8_t>(PeerPresence::left))
      throw MalformedFrame("value out of range");
  }
  if (!(s.requested >= 0 && s.requested <= 1e18)) throw MalformedFrame("a rate of {} samples/s", s.requested);
}

inline void check(const Report& r) {
  if (r.event_times.size() != r.events.size() || r.options.size() % 2 ||
      r.failures.size() != r.failing.size()) {
    throw MalformedFrame("columns of different lengths");
  }
}

}  // namespace dp::fields
