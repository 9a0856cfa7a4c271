// Journals: replayed or refused with Error; what was replayed can be appended again, and reads as the same, whole or
// cut off.
// SPDX-License-Identifier: MIT
#include "collect/journal.hpp"

#include <zlib.h>

#include <cstring>
#include <optional>

#include "base/error.hpp"
#include "parts.hpp"

namespace {

constexpr std::size_t head = 12;  ///< checksum, length, type

std::string number(std::size_t n) {
  const auto value = static_cast<std::uint32_t>(n);
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Type and body of each record; the last part is what is no whole record.
std::vector<std::string> split(std::string_view whole) {
  std::vector<std::string> parts;
  while (whole.size() >= head) {
    std::uint32_t length = 0;
    std::memcpy(&length, whole.data() + 4, sizeof length);
    if (length > whole.size() - head) break;
    parts.emplace_back(whole.substr(8, 4 + length));
    whole.remove_prefix(head + length);
  }
  parts.emplace_back(whole);
  return parts;
}

/// With lengths and checksums that are right.
std::string join(const std::vector<std::string>& parts) {
  std::string whole;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    std::string part = parts[i];
    part.resize(std::max<std::size_t>(part.size(), 4));
    const std::string rest = number(part.size() - 4) + part;
    whole += number(::crc32(0, reinterpret_cast<const Bytef*>(rest.data()), static_cast<uInt>(rest.size())));
    whole += rest;
  }
  return whole + parts.back();
}

struct Journal {
  std::vector<dp::JournalRecord> records;
  std::size_t bytes = 0;
};

/// Nothing if it is refused.
std::optional<Journal> read(std::string_view file) {
  Journal journal;
  try {
    journal.bytes = dp::read_journal(std::as_bytes(std::span(file)), [&](dp::JournalRecord&& record) {
      journal.records.push_back(std::move(record));
    });
  } catch (const dp::Error&) {
    return std::nullopt;
  }
  return journal;
}

bool same(dp::JournalRecord& a, dp::JournalRecord& b) {
  return std::visit(
      [&]<class R>(R& record) {
        R* other = std::get_if<R>(&b);
        if (!other || record.header() != other->header()) return false;
        if constexpr (requires { record.arrays(); }) return record.arrays() == other->arrays();
        return true;
      },
      a);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return dp::fuzz::mutate(data, size, max_size, seed, split, join);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::optional<Journal> first = read(input);
  if (!first) return 0;
  dp::fuzz::claim(first->bytes <= size, "no more was read than there is");
  std::string copy;
  for (dp::JournalRecord& record : first->records) dp::append_record(copy, record);
  std::optional<Journal> second = read(copy);
  dp::fuzz::claim(second && second->bytes == copy.size(), "a copy is whole");
  dp::fuzz::claim(std::ranges::equal(first->records, second->records, same), "the records survive copying");
  const std::size_t cut = copy.empty() ? 0 : copy.size() - 1 - size % copy.size();
  const std::optional<Journal> torn = read(std::string_view(copy).substr(0, cut));
  dp::fuzz::claim(!torn || torn->bytes <= cut, "no more is read than was left");
  return 0;
}
