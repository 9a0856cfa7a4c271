// Journals for the tests, and a checksum of their own.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "../wire/sample_messages.hpp"
#include "collect/journal.hpp"

namespace dp::sample {

/// CRC-32 bit by bit, as its definition goes.
inline std::uint32_t crc32_by_definition(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
  }
  return ~crc;
}

inline std::string little_endian(std::uint32_t number) {
  std::string bytes(4, '\0');
  for (char& byte : bytes) byte = static_cast<char>(number & 0xFF), number >>= 8;
  return bytes;
}

/// A record by the format's description, whatever its body.
inline std::string record_of(std::uint32_t type, std::string_view body) {
  const std::string rest =
      little_endian(static_cast<std::uint32_t>(body.size())) + little_endian(type) + std::string(body);
  return little_endian(crc32_by_definition(rest)) + rest;
}

inline std::string written(JournalRecord record) {
  std::string bytes;
  append_record(bytes, record);
  return bytes;
}

inline Opened opened() { return {journal_format, RunId{0xA1}, "a-boot", Time(Duration(5)), 6}; }

/// Calls `f.operator()<R>()` for each record type.
template <class F>
void for_each_record_type(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f.template operator()<std::variant_alternative_t<I, JournalRecord>>(), ...);
  }
  (std::make_index_sequence<std::variant_size_v<JournalRecord>>());
}

/// One of each type, the first of them OPENED, as bytes each.
inline std::vector<std::string> one_record_of_each() {
  std::vector<std::string> all;
  for_each_record_type([&]<class R>() {
    R record = filled<R>();
    if constexpr (std::is_same_v<R, Opened>) record = opened();
    all.push_back(written(std::move(record)));
  });
  return all;
}

inline std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

/// What a journal says: its records as bytes again, and how many bytes were good.
struct Replayed {
  std::vector<std::string> records;
  std::size_t good = 0;
};
inline Replayed replayed(std::string_view bytes) {
  Replayed result;
  result.good = read_journal(std::as_bytes(std::span(bytes)),
                             [&](JournalRecord&& record) { result.records.push_back(written(record)); });
  return result;
}

}  // namespace dp::sample
