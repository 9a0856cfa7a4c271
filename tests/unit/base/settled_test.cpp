// The set of settled batches, against std::set.
// SPDX-License-Identifier: MIT
#include "base/settled.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/random.hpp"

namespace dp {
namespace {

std::uint64_t first_missing(const std::set<std::uint64_t>& set) {
  std::uint64_t id = 0;
  while (set.contains(id)) ++id;
  return id;
}

TEST(Settled, StartsEmpty) {
  const Settled settled;
  EXPECT_EQ(settled.watermark(), BatchId{0});
  EXPECT_EQ(settled.count(), 0U);
  EXPECT_FALSE(settled.contains(BatchId{0}));
}

TEST(Settled, ABatchIsNewOnce) {
  Settled settled;
  EXPECT_TRUE(settled.insert(BatchId{70}));
  EXPECT_FALSE(settled.insert(BatchId{70}));
  EXPECT_EQ(settled.count(), 1U);
}

TEST(Settled, ABatchBelowTheWatermarkIsNotNew) {
  Settled settled;
  for (std::uint64_t id = 0; id < 128; ++id) settled.insert(BatchId{id});
  EXPECT_FALSE(settled.insert(BatchId{0}));
  EXPECT_EQ(settled.watermark(), BatchId{128});
  EXPECT_EQ(settled.count(), 128U);
}

TEST(Settled, TheImageBeginsWithTheWatermarksWord) {
  Settled settled;
  for (std::uint64_t id = 0; id < 65; ++id) settled.insert(BatchId{id});
  settled.insert(BatchId{67});
  settled.insert(BatchId{128});
  std::vector<std::uint64_t> image{99};
  settled.image(image);
  EXPECT_EQ(settled.watermark(), BatchId{65});
  EXPECT_EQ(image, (std::vector<std::uint64_t>{0b1001, 0b1}));
}

TEST(Settled, TheImageStaysShortWhateverHasPassed) {
  Settled settled;
  std::vector<std::uint64_t> image;
  for (std::uint64_t id = 0; id < 100'000; ++id) settled.insert(BatchId{id});
  settled.image(image);
  EXPECT_LE(image.size(), 1U);
}

/// Inserts in random order around a moving front, as batches are settled.
TEST(Settled, AgreesWithASetUnderRandomInsertions) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    Settled settled;
    std::set<std::uint64_t> reference;
    const std::uint64_t spread = 1 + rng.below(300);
    for (int step = 0; step < 500; ++step) {
      const std::uint64_t id = (rng.below(4) ? first_missing(reference) : 0) + rng.below(spread);
      ASSERT_EQ(settled.insert(BatchId{id}), reference.insert(id).second) << "seed " << seed;
      ASSERT_EQ(raw(settled.watermark()), first_missing(reference)) << "seed " << seed;
      ASSERT_EQ(settled.count(), reference.size()) << "seed " << seed;
    }
    for (std::uint64_t id = 0; id < 1000; ++id) {
      ASSERT_EQ(settled.contains(BatchId{id}), reference.contains(id)) << "seed " << seed << " id " << id;
    }
  }
}

/// A follower that has some batches of its own and hears of images at random, some of them old.
TEST(Settled, AMergedFollowerHasTheUnionAndHearsOfEachBatchOnce) {
  struct Image {
    BatchId watermark;
    std::vector<std::uint64_t> words;
    std::set<std::uint64_t> content;
  };
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    Settled leader, follower;
    std::set<std::uint64_t> led, followed, heard;
    std::vector<Image> images;
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t id = first_missing(led) + (rng.below(2) ? 0 : rng.below(200));
      leader.insert(BatchId{id});
      led.insert(id);
      if (rng.below(10) == 0) {
        images.push_back({leader.watermark(), {}, led});
        leader.image(images.back().words);
      }
      if (rng.below(20) == 0) {
        const std::uint64_t own = rng.below(400);
        if (follower.insert(BatchId{own})) heard.insert(own);
        followed.insert(own);
      }
      if (images.empty() || rng.below(10)) continue;
      const Image& image = images[rng.below(images.size())];
      for (std::uint64_t below = 0; below < raw(image.watermark); ++below) heard.insert(below);
      follower.merge(image.watermark, image.words,
                     [&](BatchId fresh) { ASSERT_TRUE(heard.insert(raw(fresh)).second) << "seed " << seed; });
      followed.insert(image.content.begin(), image.content.end());
      ASSERT_EQ(heard, followed) << "seed " << seed;
      ASSERT_EQ(follower.count(), followed.size()) << "seed " << seed;
      ASSERT_EQ(raw(follower.watermark()), first_missing(followed)) << "seed " << seed;
    }
  }
}

TEST(Settled, a_watermark_far_ahead_costs_nothing) {
  Settled settled;
  settled.insert(BatchId{70});
  settled.merge(BatchId{(std::uint64_t{1} << 63) + 5}, {}, [](BatchId) { FAIL(); });
  EXPECT_EQ(settled.watermark(), BatchId{(std::uint64_t{1} << 63) + 5});
  EXPECT_EQ(settled.count(), (std::uint64_t{1} << 63) + 5);
  EXPECT_TRUE(settled.contains(BatchId{70}));
  EXPECT_FALSE(settled.contains(settled.watermark()));
}

}  // namespace
}  // namespace dp
