// Messages that are well-formed and mean anything but well, made from a fuzzer's bytes: every field is drawn from the
// values that break arithmetic, or from a small range in which messages meet.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "wire/message.hpp"

namespace dp::fuzz {

/// The input, taken byte by byte; zeros once it is used up.
class Bytes {
 public:
  explicit Bytes(std::string_view input) : rest_(input) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const char first = rest_.front();
    rest_.remove_prefix(1);
    return static_cast<std::uint8_t>(first);
  }
  std::uint64_t number() {
    std::uint64_t n = 0;
    for (int i = 0; i < 8; ++i) n = n << 8 | byte();
    return n;
  }

 private:
  std::string_view rest_;
};

class Hostile {
 public:
  Hostile(Bytes& bytes, Time now) : bytes_(bytes), now_(now) {}

  Message message() {
    Message message;
    const std::size_t type = bytes_.byte() % std::variant_size_v<Message>;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (void)((I == type && (message.emplace<I>(), true)) || ...);
    }
    (std::make_index_sequence<std::variant_size_v<Message>>());
    std::visit([this](auto& m) { fill(m); }, message);
    return message;
  }

  template <class M>
  void fill(M& message) {
    std::apply([&](auto&... field) { (draw(field), ...); }, message.header());
    if constexpr (requires { message.arrays(); }) {
      std::apply([&](auto&... column) { (draw(column), ...); }, message.arrays());
    }
    agree(message);
  }

 private:
  template <class T>
  void draw(T& field) {
    if constexpr (std::is_same_v<T, bool>) field = bytes_.byte() & 1;
    else if constexpr (std::is_same_v<T, Role>) field = static_cast<Role>(bytes_.byte() % 4);
    else if constexpr (std::is_same_v<T, ErrorClass>) field = static_cast<ErrorClass>(bytes_.byte() % 5);
    else if constexpr (std::is_same_v<T, PayloadMode>) field = static_cast<PayloadMode>(bytes_.byte() % 2);
    else if constexpr (std::is_same_v<T, RunState>) field = static_cast<RunState>(bytes_.byte() % 3);
    else if constexpr (std::is_enum_v<T>) field = T{integer<std::uint64_t>()};
    else if constexpr (std::is_same_v<T, Time>) field = Time(instant());
    else if constexpr (std::is_same_v<T, Duration>) field = instant();
    else if constexpr (std::is_same_v<T, double>) field = real();
    else if constexpr (std::is_same_v<T, std::string>) field = text();
    else field = integer<T>();
  }
  template <class T>
  void draw(std::vector<T>& column) {
    column.resize(bytes_.byte() % 4);
    for (T& field : column) draw(field);
  }
  template <class T>
  T integer() {
    const std::uint8_t choice = bytes_.byte();
    constexpr T most = std::numeric_limits<T>::max();
    constexpr T odd[] = {most, most - 1, most / 2, most / 2 + 1, most / 64, most / 64 + 1};
    if (choice < 200) return static_cast<T>(choice % 16);
    if (choice < 250) return odd[choice % std::size(odd)];
    return static_cast<T>(bytes_.number());
  }
  Duration instant() {
    const std::uint8_t choice = bytes_.byte();
    const Duration here = now_.time_since_epoch();
    constexpr Duration most{std::int64_t{1} << 60};  // what the codec lets through
    const Duration odd[] = {-most, most, Duration{}, here, most / 2, -most / 2};
    if (choice < 100) return here + std::chrono::microseconds(choice - 50);
    if (choice < 240) return odd[choice % std::size(odd)];
    return Duration(static_cast<std::int64_t>(bytes_.number()) / 8);
  }
  double real() {
    static constexpr double odd[] = {0, 1000, 1e-300, 1e18};
    return odd[bytes_.byte() % std::size(odd)];
  }
  std::string text() {
    static constexpr std::string_view usual[] = {"",       "here",  "d",       "w0",      "w1",
                                                 "stream", "route", "collect", "plan",    "workers",
                                                 "credit", "7",     "torch",   "backend", "\xFF"};
    const std::uint8_t choice = bytes_.byte();
    if (choice == 255) return std::string(2048, 'x');
    return std::string(usual[choice % std::size(usual)]);
  }

  // What the codec sees to.
  template <class M>
  void agree(M&) {}
  void agree(Batch& b) {
    if (b.ids.empty()) b.ids.push_back(0);
    b.payload = {};
  }
  void agree(Announce& a) {
    const std::size_t n = a.batches.size();
    a.scheduled.resize(n), a.released.resize(n), a.counts.resize(n);
    std::size_t samples = 0;
    for (std::uint32_t& count : a.counts) samples += count %= 4;
    a.ids.resize(samples), a.labels.resize(samples);
    if (!a.arrivals.empty()) a.arrivals.resize(samples);
  }
  void agree(Snapshot& s) {
    const std::size_t n = s.roles.size();
    const auto fit = [n](auto&... column) { (column.resize(n), ...); };
    fit(s.names, s.hosts, s.states, s.samples, s.batches, s.retried, s.recent_samples, s.busy, s.recent_busy,
        s.cpu, s.recent_cpu, s.recent_span, s.rss_bytes, s.unheard);
    for (std::uint8_t& role : s.roles) role %= 4;
    for (std::uint8_t& state : s.states) state %= 3;
    s.latency_counts.resize(s.latency_bounds.size());
  }
  void agree(Report& r) {
    r.event_times.resize(r.events.size());
    r.failures.resize(r.failing.size());
    r.options.resize(r.options.size() / 2 * 2);
  }

  Bytes& bytes_;
  Time now_;
};

}  // namespace dp::fuzz
