// Frames that no honest peer sends: each is refused with MalformedFrame, and nothing else happens.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <msgpack.hpp>

#include "base/random.hpp"
#include "sample_messages.hpp"

namespace dp {
namespace {

using sample::decoded;
using sample::encoded;
using sample::filled;
using testing::HasSubstr;

/// What `decode` refuses the frames with; a failure if it takes them or throws anything else.
MalformedFrame refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const MalformedFrame& problem) {
    return problem;
  } catch (const std::exception& other) {
    ADD_FAILURE() << "threw something else: " << other.what();
    return MalformedFrame("");
  }
  ADD_FAILURE() << "was taken";
  return MalformedFrame("");
}
MalformedFrame refusal(const Frames& frames) {
  return refusal([&] { decoded(frames); });
}
MalformedFrame refusal(std::string_view header) {
  return refusal([&] { decode(header, std::nullopt, std::nullopt); });
}

/// A header [version, type, from, to, fields…] written by hand.
template <class... Fields>
std::string header(std::uint32_t version, std::uint64_t type, const Fields&... fields) {
  msgpack::sbuffer buffer;
  msgpack::packer packer(buffer);
  packer.pack_array(4 + sizeof...(fields)).pack(version).pack(type).pack(77).pack(88);
  (packer.pack(fields), ...);
  return {buffer.data(), buffer.size()};
}

constexpr std::uint64_t reject_type = 2, start_type = 4, done_type = 7, credit_type = 9, fin_type = 17;

// ---- cut short, or too long ------------------------------------------------------------------------------

TEST(HostileFrames, AHeaderCutAnywhereIsRefused) {
  for (const Message& message : sample::one_of_each()) {
    const Frames whole = encoded(message);
    for (std::size_t size = 0; size < whole.header.size(); ++size) {
      SCOPED_TRACE(testing::Message() << "type " << message.index() << " cut to " << size);
      Frames cut = whole;
      cut.header.resize(size);
      refusal(cut);
    }
  }
}

TEST(HostileFrames, ColumnsCutAnywhereAreRefused) {
  for (const Message& message : sample::one_of_each()) {
    const Frames whole = encoded(message);
    for (std::size_t size = 0; size < whole.arrays.size(); ++size) {
      SCOPED_TRACE(testing::Message() << "type " << message.index() << " cut to " << size);
      Frames cut = whole;
      cut.arrays.resize(size);
      refusal(cut);
    }
  }
}

TEST(HostileFrames, TrailingBytesAreRefused) {
  for (const Message& message : sample::one_of_each()) {
    SCOPED_TRACE(message.index());
    for (const char extra : {'\0', '\xC0', '\xFF'}) {
      Frames longer = encoded(message);
      longer.header += extra;
      refusal(longer);
      longer = encoded(message);
      if (!longer.has_arrays) continue;
      longer.arrays += extra;
      refusal(longer);
    }
  }
}

TEST(HostileFrames, TheWrongNumberOfFramesIsRefused) {
  for (const Message& message : sample::one_of_each()) {
    SCOPED_TRACE(message.index());
    Frames frames = encoded(message);
    frames.has_arrays = !frames.has_arrays;
    refusal(frames);
    frames = encoded(message);
    frames.has_payload = !frames.has_payload;
    refusal(frames);
  }
}

TEST(HostileFrames, LongHeadersAndColumnsAreRefusedUnread) {
  const std::string start = header(protocol_version, start_type, 1);
  EXPECT_THAT(refusal(start + std::string(max_header_bytes, '\0')).what(), HasSubstr("header of"));
  Frames frames = encoded(filled<Ack>());
  frames.arrays.resize(max_arrays_bytes + 1);
  EXPECT_THAT(refusal(frames).what(), HasSubstr("binary frame of"));
}

// ---- not what the format says ----------------------------------------------------------------------------

TEST(HostileFrames, WrongFieldCountsAreRefused) {
  EXPECT_NO_THROW(decode(header(protocol_version, start_type, 1), std::nullopt, std::nullopt));
  EXPECT_THAT(refusal(header(protocol_version, start_type)).what(), HasSubstr("0 fields, expected 1"));
  EXPECT_THAT(refusal(header(protocol_version, start_type, 1, 2)).what(), HasSubstr("2 fields, expected 1"));
  EXPECT_THAT(refusal(header(protocol_version, fin_type, 1)).what(), HasSubstr("1 fields, expected 0"));
}

TEST(HostileFrames, WrongFieldTypesAreRefused) {
  const std::string cases[] = {
      header(protocol_version, start_type, "one"),
      header(protocol_version, start_type, -1),
      header(protocol_version, start_type, 1.5),
      header(protocol_version, start_type, std::uint64_t{1} << 32),
      header(protocol_version, start_type, msgpack::type::nil_t{}),
      header(protocol_version, start_type, std::vector<int>{1}),
      header(protocol_version, credit_type, -1),
      header(protocol_version, reject_type, 1, "no"),
      header(protocol_version, reject_type, true, 5),
  };
  for (const std::string& wrong : cases) refusal(wrong);
}

TEST(HostileFrames, WhatIsNotAMessageIsRefused) {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s, "\xC0"s, "\x01"s, "\x80"s, "\x90"s, "\x93\x01\x04\x05"s,
        "\xA3"s
        "abc"s,
        "\xC1"s, "GET / HTTP/1.1\r\n\r\n"s, "\x94\xC0\xC0\xC0\xC0"s, "\x94\x01\xA1x\x01\x01"s}) {
    SCOPED_TRACE(testing::PrintToString(text));
    refusal(text);
  }
}

TEST(HostileFrames, RandomBytesAreRefused) {
  Rng rng(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(rng.below(64), '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.bits());
    refusal(bytes);
  }
}

/// One byte changed anywhere: taken with another value, or refused, but nothing else.
TEST(HostileFrames, AFlippedByteIsTakenOrRefused) {
  Rng rng(2);
  for (const Message& message : sample::one_of_each()) {
    const Frames whole = encoded(message);
    for (int i = 0; i < 2000; ++i) {
      Frames flipped = whole;
      std::string& frame = flipped.has_arrays && rng.below(2) ? flipped.arrays : flipped.header;
      frame[rng.below(frame.size())] = static_cast<char>(rng.bits());
      try {
        decoded(flipped);
      } catch (const MalformedFrame&) {
      }
    }
  }
}

TEST(HostileFrames, EnumsOutOfRangeAreRefused) {
  const auto done = [](int error) {
    return header(protocol_version, done_type, 1, 2, 3, 4, 5, error, "", 6);
  };
  EXPECT_NO_THROW(decode(done(4), std::nullopt, std::nullopt));
  EXPECT_THAT(refusal(done(5)).what(), HasSubstr("out of range"));
  Hello hello;
  hello.role = static_cast<Role>(4);
  EXPECT_THAT(refusal(encoded(hello)).what(), HasSubstr("out of range"));
  hello = {};
  hello.data.payload = static_cast<PayloadMode>(2);
  EXPECT_THAT(refusal(encoded(hello)).what(), HasSubstr("out of range"));
  Batch batch = filled<Batch>();
  batch.mode = static_cast<PayloadMode>(255);
  EXPECT_THAT(refusal(encoded(batch)).what(), HasSubstr("out of range"));
}

TEST(HostileFrames, AnotherVersionIsForeignAndSaysWhomToAnswer) {
  for (const std::uint32_t version : {0U, protocol_version + 1, UINT32_MAX}) {
    const MalformedFrame problem = refusal(header(version, start_type, 1));
    EXPECT_THAT(problem.what(),
                HasSubstr(fmt::format("protocol version {}, expected {}", version, protocol_version)));
    EXPECT_EQ(problem.from, Session{77});
  }
}

TEST(HostileFrames, AnotherVersionIsToldWhateverItsTypesAndFields) {
  EXPECT_NE(refusal(header(protocol_version + 1, 1000, "new", std::vector<int>{1})).from, Session{});
}

TEST(HostileFrames, AnUnknownTypeIsForeignAndSaysWhomToAnswer) {
  for (const std::uint64_t type :
       {std::uint64_t{std::variant_size_v<Message>}, std::uint64_t{255}, UINT64_MAX}) {
    const MalformedFrame problem = refusal(header(protocol_version, type));
    EXPECT_THAT(problem.what(), HasSubstr("unknown message type"));
    EXPECT_NE(problem.from, Session{});
    EXPECT_EQ(problem.from, Session{77});
  }
}

TEST(HostileFrames, AMalformedFrameOfOurVersionSaysWhomToAnswer) {
  EXPECT_NE(refusal(header(protocol_version, start_type, "one")).from, Session{});
  EXPECT_NE(refusal(encoded(filled<Batch>()).header).from, Session{});
}

// ---- asking for memory -----------------------------------------------------------------------------------

TEST(HostileFrames, FourBytesCannotAskForGibibytes) {
  using namespace std::string_literals;
  const std::string cases[] = {
      "\xDD\xFF\xFF\xFF\xFF"s,  // array of 2^32 − 1 objects of 24 bytes
      "\xDD\x7F\xFF\xFF\xFF"s,
      "\xDC\xFF\xFF"s,                      // array of 65,535
      "\xDF\xFF\xFF\xFF\xFF"s,              // map
      "\x94\x01\x02\xDD\xFF\xFF\xFF\xFF"s,  // nested
  };
  for (const std::string& bytes : cases) {
    SCOPED_TRACE(testing::PrintToString(bytes));
    EXPECT_THAT(refusal(bytes).what(), HasSubstr("overflow"));
  }
}

TEST(HostileFrames, TextsLongerThanTheHeaderAreRefused) {
  using namespace std::string_literals;
  for (const std::string& bytes :
       {"\xDB\xFF\xFF\xFF\xFF"s, "\xC6\xFF\xFF\xFF\xFF"s, "\xC9\xFF\xFF\xFF\xFF\x01"s}) {
    refusal(bytes);
  }
}

TEST(HostileFrames, DeepNestingIsRefused) {
  EXPECT_THAT(refusal(std::string(4000, '\x91')).what(), HasSubstr("overflow"));
}

TEST(HostileFrames, CountsThatLieAreRefusedBeforeMemoryIsAskedFor) {
  for (const Message& message : sample::one_of_each()) {
    const Frames whole = encoded(message);
    if (whole.arrays.size() < sizeof(std::uint32_t)) continue;
    for (const std::uint32_t lie :
         {3U, 1000U, 0x1000'0000U, 0x2000'0000U, 0x4000'0001U, 0x7FFF'FFFFU, 0xFFFF'FFFFU}) {
      SCOPED_TRACE(testing::Message() << "type " << message.index() << " count " << lie);
      Frames frames = whole;
      std::memcpy(frames.arrays.data(), &lie, sizeof lie);
      refusal(frames);
    }
  }
}

TEST(HostileFrames, ATextLengthThatLiesIsRefused) {
  Frames frames = encoded(filled<Usage>());
  const std::uint32_t lie = UINT32_MAX;
  std::memcpy(frames.arrays.data() + sizeof lie, &lie, sizeof lie);
  refusal(frames);
}

// ---- parts that do not belong together -------------------------------------------------------------------

TEST(HostileFrames, APayloadThatIsNotTheProductOfItsShapeIsRefused) {
  for (const std::size_t size : {0U, 1U, 47U, 49U, 96U}) {
    Batch batch = filled<Batch>();
    batch.payload = sample::payload_of(size);
    EXPECT_THAT(refusal(encoded(batch)).what(),
                HasSubstr(fmt::format("payload of {} bytes, shape says 48", size)));
  }
}

TEST(HostileFrames, APayloadByReferenceIsRefused) {
  Batch batch = filled<Batch>();
  batch.mode = PayloadMode::reference;
  EXPECT_THAT(refusal(encoded(batch)).what(), HasSubstr("payload of 48 bytes, shape says 0"));
}

TEST(HostileFrames, AShapeWhoseProductWrapsAroundIsRefused) {
  Batch batch = filled<Batch>();
  batch.payload = {};
  for (const Shape shape :
       {Shape{1U << 31, 1U << 31, 4}, Shape{1U << 16, 1U << 16, 1U << 31}, Shape{1U << 15, 1, 1},
        Shape{1, UINT32_MAX, 1}, Shape{1, 1, UINT32_MAX}, Shape{1U << 14, 1U << 14, 1U << 14}}) {
    batch.shape = shape;
    refusal(encoded(batch));
  }
}

TEST(HostileFrames, ABatchWithoutSamplesIsRefused) {
  Batch batch = filled<Batch>();
  batch.ids.clear();
  batch.payload = {};
  EXPECT_THAT(refusal(encoded(batch)).what(), HasSubstr("without samples"));
}

TEST(HostileFrames, ColumnsOfDifferentLengthsAreRefused) {
  const std::function<void(Announce&)> breaks[] = {
      [](Announce& a) { a.batches.push_back(1); }, [](Announce& a) { a.scheduled.pop_back(); },
      [](Announce& a) { a.released.pop_back(); },  [](Announce& a) { a.counts[0] = 3; },
      [](Announce& a) { a.counts.pop_back(); },    [](Announce& a) { a.counts[0] = UINT32_MAX; },
      [](Announce& a) { a.ids.pop_back(); },       [](Announce& a) { a.labels.pop_back(); },
      [](Announce& a) { a.arrivals.pop_back(); }};
  for (const auto& break_it : breaks) {
    Announce announce = filled<Announce>();
    break_it(announce);
    EXPECT_THAT(refusal(encoded(announce)).what(), HasSubstr("different lengths"));
  }
  Report report = filled<Report>();
  report.events.pop_back();
  EXPECT_THAT(refusal(encoded(report)).what(), HasSubstr("different lengths"));
  report = filled<Report>();
  report.options.pop_back();
  EXPECT_THAT(refusal(encoded(report)).what(), HasSubstr("different lengths"));
  report = filled<Report>();
  report.failures.pop_back();
  EXPECT_THAT(refusal(encoded(report)).what(), HasSubstr("different lengths"));
}

TEST(HostileFrames, ATimeThatWouldOverflowWhenShiftedIsRefused) {
  Announce announce = filled<Announce>();
  announce.scheduled[0] = Time::max();
  EXPECT_THAT(refusal(encoded(announce)).what(), HasSubstr("a time of"));
  Ping ping;
  ping.offset = Duration::min();
  EXPECT_THAT(refusal(encoded(ping)).what(), HasSubstr("a time of"));
}

TEST(HostileFrames, AnAnnouncementWithoutArrivalsIsTaken) {
  Announce announce = filled<Announce>();
  announce.arrivals.clear();
  EXPECT_NO_THROW(decoded(encoded(announce)));
}

}  // namespace
}  // namespace dp
