// Messages with every field set to something else, made from the fields' types: a new field is covered
// unasked.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wire/codec.hpp"

namespace dp::sample {

/// Sets fields to values that differ from each other and from the defaults.
class Filler {
 public:
  template <class T>
  void operator()(T& field) {
    const std::uint64_t n = ++count_;
    if constexpr (std::is_same_v<T, bool>) field = true;
    else if constexpr (std::is_same_v<T, Role>) field = Role::collect;
    else if constexpr (std::is_same_v<T, ErrorClass>) field = ErrorClass::permanent;
    else if constexpr (std::is_same_v<T, PayloadMode>) field = PayloadMode::reference;
    else if constexpr (std::is_same_v<T, RunState>) field = RunState::done;
    else if constexpr (std::is_enum_v<T>) field = T{0xFEDC'BA98'0000'0000 + n};
    else if constexpr (std::is_same_v<T, Time>)
      field = Time(Duration(-1'000'000'000'000 - static_cast<int>(n)));
    else if constexpr (std::is_same_v<T, Duration>) field = -Duration(n);
    else if constexpr (std::is_same_v<T, std::string>) field = "text \xC3\xA9 " + std::to_string(n);
    else field = static_cast<T>(n) + T(0.5);
  }
  template <class T>
  void operator()(std::vector<T>& column) {
    column.resize(2);
    for (T& field : column) (*this)(field);
  }

 private:
  std::uint64_t count_ = 0;
};

inline Payload payload_of(std::size_t size) {
  auto bytes = std::make_shared<std::vector<std::byte>>(size);
  for (std::size_t i = 0; i < size; ++i) (*bytes)[i] = static_cast<std::byte>(i * 7 + 1);
  const std::span<const std::byte> all(*bytes);
  return {std::move(bytes), all};
}

template <class M>
M filled() {
  M message;
  Filler fill;
  std::apply([&](auto&... field) { (fill(field), ...); }, message.header());
  if constexpr (requires { message.arrays(); }) {
    std::apply([&](auto&... column) { (fill(column), ...); }, message.arrays());
  }
  return message;
}
template <>
inline Batch filled<Batch>() {
  Batch batch{Lease{Session{11}, BatchId{12}, 13},
              18,
              14,
              PayloadMode::inline_pixels,
              Shape{3, 2, 4},
              15,
              {Time(Duration(1)), Time(Duration(2)), Time(Duration(3)), Time(Duration(4))},
              {16, 17},
              payload_of(48)};
  return batch;
}
template <>
inline Announce filled<Announce>() {
  const auto at = [](int ns) { return Time(Duration(ns)); };
  return {{7, 8},       {at(1), at(2)},   {at(3), at(4)},       {2, 1},
          {90, 91, 92}, {0, 1, no_label}, {at(5), at(6), at(7)}};
}

template <>
inline Snapshot filled<Snapshot>() {
  Snapshot s;
  Filler fill;
  std::apply([&](auto&... field) { (fill(field), ...); }, s.header());
  std::apply([&](auto&... column) { (fill(column), ...); }, s.arrays());
  s.roles = {0, 3};
  s.states = {1, 2};
  return s;
}

/// Calls `f.operator()<M>()` for each message type.
template <class F>
void for_each_type(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f.template operator()<std::variant_alternative_t<I, Message>>(), ...);
  }
  (std::make_index_sequence<std::variant_size_v<Message>>());
}

/// One filled message of each type.
inline std::vector<Message> one_of_each() {
  std::vector<Message> all;
  for_each_type([&]<class M>() { all.emplace_back(filled<M>()); });
  return all;
}

inline Frames encoded(Message message) {
  Envelope envelope{Session{0xAAAA'0000'0001}, Session{0xBBBB'0000'0002}, std::move(message)};
  Frames frames;
  encode(envelope, frames);
  return frames;
}

inline Envelope decoded(const Frames& frames) {
  std::optional<std::string_view> arrays;
  std::optional<Payload> payload;
  if (frames.has_arrays) arrays = frames.arrays;
  if (frames.has_payload) payload = frames.payload;
  return decode(frames.header, arrays, payload);
}

}  // namespace dp::sample
