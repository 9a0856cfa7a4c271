// The inference thread: what goes in comes out in order, with its times, announced on the descriptor.
// SPDX-License-Identifier: MIT
#include "infer/inference_thread.hpp"

#include <gmock/gmock.h>
#include <poll.h>

#include "base/error.hpp"

namespace dp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Predicts the first byte of each sample's pixels; refuses to warm up on request.
class FirstByte final : public Backend {
 public:
  explicit FirstByte(bool broken = false) : broken_(broken) {}
  void warm_up(Shape shape, std::uint32_t max_batch) override {
    if (broken_) throw Error("no room for {} samples of {} bytes", max_batch, shape.bytes());
  }
  Outcome run(const Job& job) override {
    Outcome outcome;
    for (std::size_t i = 0; i < job.ids.size(); ++i) {
      outcome.predictions.push_back(static_cast<Label>(job.pixels[i * job.shape.bytes()]));
    }
    return outcome;
  }
  std::string describe() const override { return "first byte"; }

 private:
  bool broken_;
};

using Answer = InferenceThread::Answer;

/// Waits on the descriptor until `n` answers are there; fewer if none comes for long.
std::vector<Answer> wait_for(InferenceThread& thread, std::size_t n) {
  std::vector<Answer> answers;
  while (answers.size() < n) {
    pollfd waiting{thread.descriptor(), POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) != 1) break;
    for (Answer& answer : thread.take()) answers.push_back(std::move(answer));
  }
  return answers;
}

const InferenceThread::Computed& computed(const Answer& answer) {
  return std::get<InferenceThread::Computed>(answer);
}

constexpr Shape shape{1, 2, 2};

Compute inline_batch(std::vector<std::uint8_t> first_bytes) {
  auto pixels = std::make_shared<std::vector<std::byte>>();
  Batch batch;
  for (const std::uint8_t value : first_bytes) {
    batch.ids.push_back(0);
    pixels->insert(pixels->end(), shape.bytes(), std::byte{value});
  }
  batch.shape = shape;
  batch.payload = {pixels, *pixels};
  return {batch};
}

Compute by_reference(std::vector<SampleId> ids, Shape of = shape) {
  Batch batch;
  batch.mode = PayloadMode::reference;
  batch.shape = of;
  batch.ids = std::move(ids);
  return {batch};
}

TEST(InferenceThread, SaysWhenItIsWarm) {
  InferenceThread thread(std::make_unique<FirstByte>(), nullptr);
  thread.submit(WarmUp{{shape, 4, PayloadMode::inline_pixels, ""}});
  const auto answers = wait_for(thread, 1);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<InferenceThread::Warmed>(answers[0]));
}

TEST(InferenceThread, SaysWhyItCouldNotWarmUp) {
  InferenceThread thread(std::make_unique<FirstByte>(true), nullptr);
  thread.submit(WarmUp{{shape, 4, PayloadMode::inline_pixels, ""}});
  const auto answers = wait_for(thread, 1);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(std::get<InferenceThread::Broken>(answers[0]).why, "no room for 4 samples of 4 bytes");
}

TEST(InferenceThread, AnswersInTheOrderOfTheJobs) {
  InferenceThread thread(std::make_unique<FirstByte>(), nullptr);
  constexpr std::uint8_t jobs = 100;
  for (std::uint8_t i = 0; i < jobs; ++i)
    thread.submit(inline_batch({i, static_cast<std::uint8_t>(i + 100)}));
  const auto answers = wait_for(thread, jobs);
  ASSERT_EQ(answers.size(), jobs);
  for (std::uint8_t i = 0; i < jobs; ++i) {
    EXPECT_THAT(computed(answers[i]).outcome.predictions, ElementsAre(i, i + 100));
  }
}

TEST(InferenceThread, TheTimesOfSuccessiveJobsDoNotOverlap) {
  InferenceThread thread(std::make_unique<FirstByte>(), nullptr);
  const Time before = now();
  for (int i = 0; i < 3; ++i) thread.submit(inline_batch({1}));
  const auto answers = wait_for(thread, 3);
  ASSERT_EQ(answers.size(), 3U);
  Time last = before;
  for (const Answer& answer : answers) {
    EXPECT_GE(computed(answer).started, last);
    EXPECT_GE(computed(answer).done, computed(answer).started);
    last = computed(answer).done;
  }
  EXPECT_LE(last, now());
}

TEST(InferenceThread, TheDescriptorIsQuietOnceEverythingIsTaken) {
  InferenceThread thread(std::make_unique<FirstByte>(), nullptr);
  thread.submit(inline_batch({1}));
  ASSERT_EQ(wait_for(thread, 1).size(), 1U);
  pollfd waiting{thread.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 0);
  EXPECT_TRUE(thread.take().empty());
}

TEST(InferenceThread, EndsWithJobsStillWaiting) {
  InferenceThread thread(std::make_unique<FirstByte>(), nullptr);
  for (int i = 0; i < 1000; ++i) thread.submit(inline_batch({1}));
}

TEST(InferenceThread, GathersABatchByReferenceFromItsOwnData) {
  const auto data = open_dataset("synthetic:1x2x2:300");
  InferenceThread thread(std::make_unique<FirstByte>(), open_dataset("synthetic:1x2x2:300"));
  thread.submit(by_reference({7, 0, 299, 7}));
  const auto answers = wait_for(thread, 1);
  ASSERT_EQ(answers.size(), 1U);
  std::vector<Label> expected;
  for (const SampleId id : {7U, 0U, 299U, 7U}) {
    std::vector<std::byte> pixels(shape.bytes());
    data->copy(id, pixels);
    expected.push_back(static_cast<Label>(pixels[0]));
  }
  EXPECT_EQ(computed(answers[0]).outcome.predictions, expected);
}

TEST(InferenceThread, WhatItCannotGatherIsADataError) {
  const struct {
    const char* data;
    Compute job;
    const char* message;
  } cases[] = {
      {"synthetic:1x2x2:300", by_reference({1, 300}), "sample 300 is not in the data set"},
      {"synthetic:1x2x2:300", by_reference({1}, {3, 2, 2}), "no data set of this shape here"},
      {nullptr, by_reference({1}), "no data set"},
  };
  for (const auto& one : cases) {
    InferenceThread thread(std::make_unique<FirstByte>(), one.data ? open_dataset(one.data) : nullptr);
    thread.submit(one.job);
    const auto answers = wait_for(thread, 1);
    ASSERT_EQ(answers.size(), 1U);
    const Outcome& outcome = computed(answers[0]).outcome;
    EXPECT_EQ(outcome.error, ErrorClass::data);
    EXPECT_TRUE(outcome.predictions.empty());
    EXPECT_THAT(outcome.message, HasSubstr(one.message));
  }
}

}  // namespace
}  // namespace dp
