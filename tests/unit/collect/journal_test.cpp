// The journal's format: what comes back, what a crash may leave, and what is refused.
// SPDX-License-Identifier: MIT
#include "collect/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sample_journal.hpp"

namespace dp {
namespace {

using sample::filled;
using sample::joined;
using sample::one_record_of_each;
using sample::opened;
using sample::record_of;
using sample::replayed;
using sample::written;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

template <class R>
void expect_same(R& a, R& b) {
  EXPECT_TRUE(a.header() == b.header());
  if constexpr (requires { a.arrays(); }) {
    EXPECT_TRUE(a.arrays() == b.arrays());
  }
}

/// What reading the bytes throws.
void expect_refused(std::string_view bytes, const char* why) {
  SCOPED_TRACE(why);
  EXPECT_THAT([&] { replayed(bytes); }, ThrowsMessage<Error>(HasSubstr(why)));
}

TEST(Journal, EveryTypeComesBackAsItWentIn) {
  sample::for_each_record_type([]<class R>() {
    R whole = filled<R>(), plain;
    if constexpr (std::is_same_v<R, Opened>) whole.format = journal_format;
    for (R& record : std::array<R, 2>{whole, plain}) {
      SCOPED_TRACE(JournalRecord(record).index());
      const std::string bytes = written(opened()) + written(record);
      std::vector<JournalRecord> back;
      EXPECT_EQ(read_journal(std::as_bytes(std::span(bytes)),
                             [&](JournalRecord&& one) { back.push_back(std::move(one)); }),
                bytes.size());
      ASSERT_EQ(back.size(), 2U);
      ASSERT_TRUE(std::holds_alternative<R>(back[1]));
      expect_same(record, std::get<R>(back[1]));
    }
  });
}

TEST(Journal, TextsLongerThanAMessageHeaderComeBack) {
  const std::string bytes =
      written(opened()) + written(Happened{Time(Duration(1)), std::string(100'000, 'x')});
  EXPECT_EQ(replayed(bytes).good, bytes.size());
}

TEST(Journal, TypeNumbersAreThoseOfTheFormat) {
  EXPECT_EQ(JournalRecord(Opened{}).index(), 0U);
  EXPECT_EQ(JournalRecord(std::in_place_type<struct Run>).index(), 1U);
  EXPECT_EQ(JournalRecord(Announce{}).index(), 2U);
  EXPECT_EQ(JournalRecord(Settlement{}).index(), 3U);
  EXPECT_EQ(JournalRecord(Happened{}).index(), 4U);
  EXPECT_EQ(JournalRecord(Eos{}).index(), 5U);
  EXPECT_EQ(JournalRecord(Ended{}).index(), 6U);
}

TEST(Journal, ARecordIsChecksumLengthTypeAndBody) {
  ASSERT_EQ(sample::crc32_by_definition("123456789"), 0xCBF43926U);  // the check value of CRC-32
  // The first four bytes are Python's zlib.crc32 of the others.
  const std::string eos("\x2c\x66\x82\xaf\x02\0\0\0\x05\0\0\0\x91\x05", 14);
  EXPECT_EQ(written(Eos{5}), eos);
  EXPECT_EQ(record_of(5, "\x91\x05"), eos);
  for (const std::string& record : one_record_of_each()) {
    EXPECT_EQ(record_of(static_cast<unsigned char>(record[8]), std::string_view(record).substr(12)), record);
  }
}

TEST(Journal, ColumnsFollowTheFields) {
  Settlement settlement;
  settlement.predictions = {0x0102, no_label};
  EXPECT_THAT(written(settlement), testing::EndsWith(std::string("\2\0\0\0\2\1\xFF\xFF", 8)));
}

TEST(Journal, AnEmptyFileIsANewJournal) {
  EXPECT_EQ(replayed("").good, 0U);
  EXPECT_THAT(replayed("").records, IsEmpty());
}

/// The journal's records that lie whole within its first `size` bytes.
std::vector<std::string> whole_within(const std::vector<std::string>& records, std::size_t size) {
  std::vector<std::string> whole;
  for (std::size_t end = 0; const std::string& record : records) {
    if ((end += record.size()) > size) break;
    whole.push_back(record);
  }
  return whole;
}

TEST(Journal, CutOffAnywhereItKeepsWhatIsWhole) {
  const auto records = one_record_of_each();
  const std::string bytes = joined(records);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    SCOPED_TRACE(size);
    const auto whole = whole_within(records, size);
    const auto result = replayed(bytes.substr(0, size));
    EXPECT_EQ(result.good, joined(whole).size());
    EXPECT_THAT(result.records, ElementsAreArray(whole));
  }
}

TEST(Journal, ZerosForWhatNeverReachedTheDiskAreATornTail) {
  const std::string first = written(opened()), second = written(Happened{Time(Duration(1)), "something"});
  for (std::size_t size = 0; size < second.size(); ++size) {
    for (const std::size_t zeros : {second.size() - size, std::size_t{10'000}}) {
      EXPECT_EQ(replayed(first + second.substr(0, size) + std::string(zeros, '\0')).good, first.size())
          << size;
    }
  }
  for (std::size_t size = 0; size < first.size(); ++size) {
    EXPECT_EQ(replayed(first.substr(0, size) + std::string(first.size() - size, '\0')).good, 0U) << size;
  }
}

TEST(Journal, AFlippedBitInTheLastRecordIsATornTail) {
  const auto records = one_record_of_each();
  const std::string bytes = joined(records);
  const std::size_t kept = bytes.size() - records.back().size();
  for (std::size_t at = kept; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << bit);
      EXPECT_EQ(replayed(flipped).good, kept) << at;
    }
  }
}

TEST(Journal, AFlippedBitBeforeTheLastRecordIsRefused) {
  const auto records = one_record_of_each();
  const std::string bytes = joined(records);
  for (std::size_t at = 0; at < bytes.size() - records.back().size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << bit);
      EXPECT_THAT([&] { replayed(flipped); }, ThrowsMessage<Error>(HasSubstr("damaged"))) << at;
    }
  }
}

TEST(Journal, ABadRecordIsRefusedHoweverFarTheNextGoodOneIs) {
  for (const std::size_t gap : {1U, 11U, 12U, 13U, 100'000U}) {
    for (const char filling : {'\0', 'x', '\x91'}) {
      expect_refused(written(opened()) + std::string(gap, filling) + written(Ended{}), "damaged");
    }
  }
}

TEST(Journal, DamageIsToldWithBothPlaces) {
  const std::string head = written(opened());
  expect_refused(
      head + "garbage" + written(Eos{1}),
      fmt::format("the record at byte {} is bad and one at byte {} is good", head.size(), head.size() + 7)
          .c_str());
}

TEST(Journal, AFileOfAnotherKindIsRefused) {
  std::string counting;
  for (int i = 0; i < 300; ++i) counting += static_cast<char>(i);
  for (const std::string& file :
       {std::string("hello\n!"), std::string("#!/bin/sh\n"), std::string("{\n \"schema\": \"dp.run/1\"\n}\n"),
        std::string("\x7f"
                    "ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0",
                    18),
        std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16), std::string(1000, '\0'), std::string(1 << 20, 'x'),
        counting, std::string("abcd\x40\0\0\0\1\0\0\0", 12), std::string("abcd\x40\0\0\0\0\0\0\0A", 13)}) {
    expect_refused(file, "not a journal");
  }
}

TEST(Journal, AJournalWithoutItsBeginningIsRefused) {
  for (const std::string& record : one_record_of_each()) {
    if (record[8] != 0) expect_refused(record, "beginning is missing");
  }
}

TEST(Journal, AnotherFormatIsRefused) {
  Opened later = opened();
  later.format = journal_format + 1;
  expect_refused(written(later), "format is not 2");
  expect_refused(written(opened()) + written(later), "format is not 2");
  expect_refused(record_of(0, "\x91\x03"), "format is not 2");  // and has other fields
}

TEST(Journal, ARecordThatIsWholeButNotOfThisFormatIsRefused) {
  const std::string head = written(opened());
  for (const auto& [type, body, why] : std::vector<std::tuple<std::uint32_t, std::string, const char*>>{
           {99, "\x90", "unknown type 99"},
           {5, "\x90", "0 fields, expected 1"},
           {5, "\x92\x01\x02", "2 fields, expected 1"},
           {5, "\x91\x01x", "1 bytes after the last column"},
           {5, "\x91\xA1x", "wrong type"},
           {5, "\x91\xFF", "wrong type"},
           {5, "\x05", "not an array"},
           {5, "\x91", "insufficient bytes"},
           {5, "\xC1", "parse error"},
           {5, "\xDD\xFF\xFF\xFF\xFF", "array size overflow"},
           {5, "\x91\x91\x91\x91\x91\x91\x01", "depth size overflow"},
           {4, std::string("\x92\x01\xDB\xFF\xFF\xFF\xFFx", 8), "insufficient bytes"},
           {2, "\x90", "cut short"},
           {2, std::string("\x90\xFF\xFF\xFF\xFF", 5), "cut short"},
       }) {
    SCOPED_TRACE(why);
    expect_refused(head + record_of(type, body), why);
    expect_refused(head + record_of(type, body), "another version");
  }
}

TEST(Journal, AnnouncementsWhoseColumnsDisagreeAreRefused) {
  Announce announce = filled<Announce>();
  announce.counts[0] = 3;
  expect_refused(written(opened()) + written(announce), "different lengths");
}

TEST(Journal, ALengthNobodyWritesIsATornTail) {
  const std::string head = written(opened());
  for (const std::uint32_t length : {3U, (32U << 20) + 1, 0x7FFF'FFFFU, 0xFFFF'FFFFU}) {
    const std::string rest = sample::little_endian(length) + sample::little_endian(5) + "\x91\x05";
    const std::string torn = sample::little_endian(sample::crc32_by_definition(rest)) + rest;
    EXPECT_EQ(replayed(head + torn).good, head.size()) << length;
  }
  EXPECT_EQ(replayed(head + record_of(4, "")).good, head.size());
  const std::uint32_t too_long = (32U << 20) + 1;
  const std::string whole = sample::little_endian(0xBFE67217) +  // Python's zlib.crc32 of the rest
                            sample::little_endian(too_long) + sample::little_endian(5) + "\x91\x01";
  EXPECT_EQ(replayed(head + whole + std::string(too_long - 2, '\0')).good, head.size());
}

TEST(Journal, ARecordTooLongIsNotWritten) {
  std::string bytes = "before";
  JournalRecord record = Happened{Time{}, std::string((32U << 20) + 1, 'x')};
  EXPECT_THROW(append_record(bytes, record), Error);
  EXPECT_EQ(bytes, "before");
}

}  // namespace
}  // namespace dp
