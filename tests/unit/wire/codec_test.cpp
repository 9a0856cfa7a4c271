// Every message comes out of its frames as it went in.
// SPDX-License-Identifier: MIT
#include "wire/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <msgpack.hpp>

#include "sample_messages.hpp"

namespace dp {
namespace {

using sample::decoded;
using sample::encoded;
using sample::filled;

/// A run as it comes back.
struct Run back(struct Run run) {
  return std::get<struct Run>(decoded(encoded(std::move(run))).body);
}

template <class M>
void expect_same(M& a, M& b) {
  EXPECT_TRUE(a.header() == b.header());
  if constexpr (requires { a.arrays(); }) {
    EXPECT_TRUE(a.arrays() == b.arrays());
  }
  if constexpr (requires { a.payload; }) {
    EXPECT_TRUE(std::ranges::equal(a.payload.bytes, b.payload.bytes));
  }
}

TEST(Codec, EveryTypeRoundTripsWithEveryFieldSet) {
  sample::for_each_type([]<class M>() {
    M message = filled<M>();
    SCOPED_TRACE(Message(message).index());
    Envelope received = decoded(encoded(message));
    EXPECT_EQ(received.from, Session{0xAAAA'0000'0001});
    EXPECT_EQ(received.to, Session{0xBBBB'0000'0002});
    ASSERT_TRUE(std::holds_alternative<M>(received.body));
    expect_same(message, std::get<M>(received.body));
  });
}

TEST(Codec, EveryTypeRoundTripsAsItIsByDefault) {
  sample::for_each_type([]<class M>() {
    M message;
    if constexpr (requires { message.payload; }) message.ids = {1};
    SCOPED_TRACE(Message(message).index());
    Envelope received = decoded(encoded(message));
    ASSERT_TRUE(std::holds_alternative<M>(received.body));
    expect_same(message, std::get<M>(received.body));
  });
}

TEST(Codec, ReusedFramesHoldNothingOfTheMessageBefore) {
  Frames frames = encoded(filled<Batch>());
  Envelope fin{Session{1}, Session{2}, Fin{}};
  encode(fin, frames);
  EXPECT_FALSE(frames.has_arrays);
  EXPECT_FALSE(frames.has_payload);
  EXPECT_TRUE(frames.arrays.empty());
  EXPECT_EQ(frames.payload.owner, nullptr);
  EXPECT_TRUE(std::holds_alternative<Fin>(decoded(frames).body));
}

TEST(Codec, ThePayloadIsNotCopied) {
  const Batch batch = filled<Batch>();
  const Frames frames = encoded(batch);
  EXPECT_EQ(frames.payload.bytes.data(), batch.payload.bytes.data());
  EXPECT_EQ(std::get<Batch>(decoded(frames).body).payload.bytes.data(), batch.payload.bytes.data());
}

TEST(Codec, NumbersOnTheWireAreThoseOfTheFormat) {
  // The type numbers and the head of the header are the protocol: changing them is a new protocol version.
  EXPECT_EQ(Message(Hello{}).index(), 0U);
  EXPECT_EQ(Message(Reject{}).index(), 2U);
  EXPECT_EQ(Message(Batch{}).index(), 6U);
  EXPECT_EQ(Message(Commit{}).index(), 13U);
  EXPECT_EQ(Message(Pong{}).index(), 21U);
  const std::string header = encoded(Start{5}).header;
  const msgpack::object_handle root = msgpack::unpack(header.data(), header.size());
  const auto fields = root->as<std::vector<std::uint64_t>>();
  EXPECT_EQ(fields, (std::vector<std::uint64_t>{3, 4, 0xAAAA'0000'0001, 0xBBBB'0000'0002, 5}));
}

TEST(Codec, ColumnsAreLittleEndianAfterACount) {
  const Frames frames = encoded(Ack{{0x0102030405060708, 9}});
  EXPECT_EQ(frames.arrays, std::string("\2\0\0\0"
                                       "\x08\x07\x06\x05\x04\x03\x02\x01"
                                       "\x09\0\0\0\0\0\0\0",
                                       20));
}

TEST(Codec, NumbersKeepTheirExtremes) {
  struct Run run;
  run.t0 = Time(Duration(-(std::int64_t{1} << 60)));
  run.batches = UINT64_MAX;
  EXPECT_EQ(back(run).t0, run.t0);
  EXPECT_EQ(back(run).batches, UINT64_MAX);
  for (const double rate : {0.0, 1000.0, 1e15, 0.1, 1e-300}) {
    run.rate = rate;
    EXPECT_EQ(back(run).rate, rate);
  }
}

TEST(Codec, TextsInColumnsKeepTheirBytes) {
  struct Run run;
  run.options = {"", std::string("a\0b", 3), std::string(100'000, 'x')};
  EXPECT_EQ(back(run).options, run.options);
}

TEST(Codec, AHeaderOverTheLimitIsNotSent) {
  EXPECT_THROW(encoded(Reject{false, std::string(max_header_bytes, 'x')}), Error);
}

}  // namespace
}  // namespace dp
