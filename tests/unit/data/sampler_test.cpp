// DistributedSampler against what PyTorch itself draws. The vectors were made with PyTorch 1.13
// (torch.utils.data.DistributedSampler and torch.randperm on the CPU).
// SPDX-License-Identifier: MIT
#include "data/sampler.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

namespace dp {
namespace {

using Ids = std::vector<SampleId>;

/// SHA-256 of the values joined by commas, by the system's sha256sum.
std::string sha256_of_comma_joined(const Ids& values) {
  const std::string path = testing::TempDir() + "dp-sampler-" + std::to_string(values.size());
  std::ofstream(path) << fmt::format("{}", fmt::join(values, ","));
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("sha256sum < '" + path + "'").c_str(), "r"),
                                                   ::pclose);
  char hex[65] = "";
  if (!pipe || std::fread(hex, 1, 64, pipe.get()) != 64) ADD_FAILURE() << "sha256sum did not run";
  std::remove(path.c_str());
  return hex;
}

TEST(Randperm, EqualsTorchForSmallSizes) {
  EXPECT_EQ(randperm(10, 0), (Ids{4, 1, 7, 5, 3, 9, 0, 8, 6, 2}));
  EXPECT_EQ(randperm(10, 1), (Ids{5, 6, 1, 2, 0, 8, 9, 3, 7, 4}));
  EXPECT_EQ(randperm(10, 18446744073709551615u), (Ids{1, 4, 6, 2, 0, 5, 8, 7, 9, 3}));
}

TEST(Randperm, EqualsTorchForCifar10sSizes) {
  EXPECT_EQ(sha256_of_comma_joined(randperm(10'000, 0)),
            "cf25d2c9a53621963f1aa6ddd85121b9f7a4fd7f1defa911c69139efbedea5cf");
  EXPECT_EQ(sha256_of_comma_joined(randperm(50'000, 0)),
            "54d9df570538936b080349fb3f8e8d339e7e51ca4aa9bafe353ce47060df41fd");
}

TEST(Randperm, OfNothingAndOfOne) {
  EXPECT_EQ(randperm(0, 0), Ids{});
  EXPECT_EQ(randperm(1, 0), Ids{0});
}

struct Partition {
  SamplerOptions options;
  std::vector<Ids> ranks;
};

TEST(Sampler, PartitionsEqualTorch) {
  const Partition cases[] = {
      {{.samples = 10, .workers = 4, .tail = Tail::pad}, {{0, 4, 8}, {1, 5, 9}, {2, 6, 0}, {3, 7, 1}}},
      {{.samples = 10, .workers = 4, .tail = Tail::drop}, {{0, 4}, {1, 5}, {2, 6}, {3, 7}}},
      {{.samples = 3, .workers = 8, .tail = Tail::pad}, {{0}, {1}, {2}, {0}, {1}, {2}, {0}, {1}}},
      {{.samples = 3, .workers = 8, .tail = Tail::drop}, {{}, {}, {}, {}, {}, {}, {}, {}}},
      {{.samples = 10, .workers = 3, .tail = Tail::pad, .shuffle = true, .seed = 0, .epoch = 0},
       {{4, 5, 0, 2}, {1, 3, 8, 4}, {7, 9, 6, 1}}},
  };
  for (const auto& [options, ranks] : cases) {
    for (std::uint32_t rank = 0; rank < options.workers; ++rank) {
      EXPECT_EQ(sampler_rank(options, rank), ranks[rank])
          << options.samples << " samples, " << options.workers << " workers, rank " << rank;
    }
  }
}

TEST(Sampler, EpochIsAddedToTheSeed) {
  EXPECT_EQ(sampler_list({.samples = 100, .shuffle = true, .seed = 5, .epoch = 2}),
            sampler_list({.samples = 100, .shuffle = true, .seed = 7, .epoch = 0}));
}

TEST(Sampler, SeedsCountModulo32Bits) {
  EXPECT_EQ(sampler_list({.samples = 100, .shuffle = true, .seed = (1ull << 32) + 7}),
            sampler_list({.samples = 100, .shuffle = true, .seed = 7}));
}

TEST(Sampler, ExactTailIsPaddedTailWithoutThePadding) {
  EXPECT_EQ(sampler_rank({.samples = 10, .workers = 4}, 1), (Ids{1, 5, 9}));
  EXPECT_EQ(sampler_rank({.samples = 10, .workers = 4}, 2), (Ids{2, 6}));
  EXPECT_EQ(sampler_rank({.samples = 3, .workers = 8}, 5), Ids{});
}

}  // namespace
}  // namespace dp
