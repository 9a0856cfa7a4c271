// SPDX-License-Identifier: MIT
#include "infer/backend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/time.hpp"

namespace dp {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

constexpr Shape shape{3, 2, 2};

struct Batch {
  std::vector<SampleId> ids;
  std::vector<std::byte> pixels;
  explicit Batch(std::size_t n) : ids(n), pixels(n * shape.bytes()) {}
  Job job() const { return {shape, ids, pixels}; }
};

std::unique_ptr<Backend> synthetic(const std::string& service, double slowdown = 1, std::uint64_t seed = 1) {
  BackendOptions options;
  options.service = service;
  options.slowdown = slowdown;
  options.seed = seed;
  return make_synthetic_backend(options);
}

Duration time_of(Backend& backend, const Batch& batch) {
  const Time start = now();
  backend.run(batch.job());
  return now() - start;
}

TEST(NullBackend, PredictsClassZeroForEverySample) {
  const auto backend = make_null_backend();
  backend->warm_up(shape, 5);
  const Outcome outcome = backend->run(Batch(5).job());
  EXPECT_EQ(outcome.error, ErrorClass::none);
  EXPECT_THAT(outcome.predictions, SizeIs(5));
  EXPECT_THAT(outcome.predictions, Each(0));
}

TEST(SyntheticBackend, PredictsClassZeroForEverySample) {
  const Outcome outcome = synthetic("fixed:0ms")->run(Batch(7).job());
  EXPECT_EQ(outcome.error, ErrorClass::none);
  EXPECT_THAT(outcome.predictions, SizeIs(7));
  EXPECT_THAT(outcome.predictions, Each(0));
}

TEST(SyntheticBackend, TakesNoLessThanTheFixedTimePerBatchWhateverItsSize) {
  const auto backend = synthetic("fixed:5ms");
  EXPECT_GE(time_of(*backend, Batch(1)), std::chrono::milliseconds(5));
  EXPECT_GE(time_of(*backend, Batch(64)), std::chrono::milliseconds(5));
}

TEST(SyntheticBackend, SlowdownMultipliesTheTime) {
  EXPECT_GE(time_of(*synthetic("fixed:5ms", 3), Batch(1)), std::chrono::milliseconds(15));
}

TEST(SyntheticBackend, EverySampleAddsItsTime) {
  BackendOptions options;
  options.service = "fixed:2ms";
  options.per_sample = std::chrono::microseconds(500);
  const auto backend = make_synthetic_backend(options);
  EXPECT_GE(time_of(*backend, Batch(8)), std::chrono::milliseconds(2 + 4));
  EXPECT_GE(time_of(*backend, Batch(64)), std::chrono::milliseconds(2 + 32));
  EXPECT_EQ(backend->describe(), "synthetic fixed:2ms + 0.5 ms a sample");
}

TEST(SyntheticBackend, AShortBatchIsNotChargedForALongOne) {
  // One sample takes 2 ms, 64 would take 65 ms: one of twenty returns in time on any machine.
  BackendOptions options;
  options.service = "fixed:1ms";
  options.per_sample = std::chrono::milliseconds(1);
  const auto backend = make_synthetic_backend(options);
  Duration shortest = Duration::max();
  for (int i = 0; i < 20; ++i) shortest = std::min(shortest, time_of(*backend, Batch(1)));
  EXPECT_LT(shortest, std::chrono::milliseconds(65));
}

TEST(SyntheticBackend, SlowdownMultipliesTheTimePerSampleToo) {
  BackendOptions options;
  options.service = "fixed:1ms";
  options.per_sample = std::chrono::milliseconds(1);
  options.slowdown = 3;
  const auto backend = make_synthetic_backend(options);
  EXPECT_GE(time_of(*backend, Batch(4)), std::chrono::milliseconds(15));
  EXPECT_EQ(backend->describe(), "synthetic fixed:1ms + 1 ms a sample, slowed 3x");
}

TEST(SyntheticBackend, RefusesTimesPerSampleThatNoRunWouldOutlive) {
  BackendOptions options;
  for (const Duration per_sample : {Duration(-1), Duration(std::chrono::seconds(16))}) {
    options.per_sample = per_sample;
    try {
      make_synthetic_backend(options);
      ADD_FAILURE() << "accepted " << to_seconds(per_sample) << " s";
    } catch (const UsageError& problem) {
      EXPECT_THAT(problem.what(), HasSubstr("--per-sample"));
    }
  }
}

TEST(SyntheticBackend, SleepsInsteadOfComputing) {
  const auto backend = synthetic("fixed:100ms");
  const std::clock_t before = std::clock();
  backend->run(Batch(1).job());
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 20);
}

TEST(SyntheticBackend, ExponentialTimesAreTheSeedsDrawsTimesTheSlowdown) {
  const auto backend = synthetic("exp:1ms", 2, 42);
  const Batch batch(1);
  Rng draws(42);
  for (int i = 0; i < 100; ++i) EXPECT_GE(time_of(*backend, batch), from_seconds(draws.exponential(0.002)));
}

TEST(SyntheticBackend, ExponentialTimesFallBelowTheirMeanToo) {
  // Of 100 draws 63 are expected below the mean of 5 ms, and 18 below 1 ms: one of them returns in time on
  // any machine.
  const auto backend = synthetic("exp:5ms");
  const Batch batch(1);
  Duration shortest = Duration::max();
  for (int i = 0; i < 100; ++i) shortest = std::min(shortest, time_of(*backend, batch));
  EXPECT_LT(shortest, std::chrono::milliseconds(5));
}

TEST(SyntheticBackend, DescribesItsServiceAndSlowdown) {
  EXPECT_EQ(synthetic("exp:5ms")->describe(), "synthetic exp:5ms");
  EXPECT_EQ(synthetic("fixed:5ms", 3)->describe(), "synthetic fixed:5ms, slowed 3x");
}

TEST(SyntheticBackend, RefusesBadServices) {
  for (const char* service : {"", "5ms", "fixed", "fixed:", "fixed:5", "fixed:-5ms", "fixed:5parsecs",
                              "gauss:5ms", "exp:nanms", "fixed:999999999s"}) {
    try {
      synthetic(service);
      ADD_FAILURE() << "accepted '" << service << "'";
    } catch (const UsageError& problem) {
      EXPECT_THAT(problem.what(), HasSubstr("--service"));
    }
  }
}

TEST(SyntheticBackend, RefusesSlowdownsThatAreNotAboveZero) {
  for (const double slowdown : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THROW(synthetic("fixed:5ms", slowdown), UsageError) << slowdown;
  }
}

}  // namespace
}  // namespace dp
