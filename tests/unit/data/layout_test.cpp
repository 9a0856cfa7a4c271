// Layouts: every sample as often as it should be, in the group it belongs to.
// SPDX-License-Identifier: MIT
#include "data/layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "data/sampler.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// All that a group contributes, in order.
std::vector<SampleId> share(const Layout& layout, std::uint32_t group) {
  std::vector<SampleId> ids;
  for (std::uint64_t j = 0; j < layout.quota(group); ++j) ids.push_back(layout.sample(group, j));
  return ids;
}

/// How often each id < size occurs over all groups.
std::vector<std::uint64_t> occurrences(const Layout& layout, SampleId size) {
  std::vector<std::uint64_t> times(size);
  for (std::uint32_t group = 0; group < layout.groups(); ++group) {
    for (const SampleId id : share(layout, group)) ++times.at(id);
  }
  return times;
}

std::vector<std::uint64_t> quotas(const Layout& layout) {
  std::vector<std::uint64_t> all;
  for (std::uint32_t group = 0; group < layout.groups(); ++group) all.push_back(layout.quota(group));
  return all;
}

const char* const every_layout[] = {
    "sequential", "distributed:1",   "distributed:4",    "distributed:4,shuffle",  "distributed:33",
    "shards:1",   "shards:7",        "shards:7,hash",    "shards:7,zipf:1.2",      "shards:7,hash,zipf:1.2",
    "shards:100", "shards:100,hash", "shards:3,zipf:10", "distributed:100,shuffle"};

TEST(Layout, WholeCyclesUseEverySampleEquallyOften) {
  for (const std::string spec : every_layout) {
    for (const std::uint64_t cycles : {1, 2, 5}) {
      const auto layout = make_layout(spec, 33, 33 * cycles, 1);
      EXPECT_EQ(occurrences(*layout, 33), std::vector<std::uint64_t>(33, cycles)) << spec;
    }
  }
}

TEST(Layout, PartOfTheDataIsUsedOnceAtMost) {
  for (const std::string spec : every_layout) {
    for (const std::uint64_t samples : {1, 10, 32}) {
      const auto times = occurrences(*make_layout(spec, 33, samples, 1), 33);
      EXPECT_EQ(static_cast<std::uint64_t>(std::count(times.begin(), times.end(), 1)), samples) << spec;
      EXPECT_EQ(*std::max_element(times.begin(), times.end()), 1u) << spec;
    }
  }
}

TEST(Layout, PartCyclesAddUpToExactlyTheSamplesAskedFor) {
  for (const std::string spec : every_layout) {
    for (const std::uint64_t samples : {34, 50, 65, 100}) {
      std::uint64_t total = 0;
      for (const std::uint64_t quota : quotas(*make_layout(spec, 33, samples, 1))) total += quota;
      EXPECT_EQ(total, samples) << spec;
    }
  }
}

TEST(Layout, NoSampleOfAPartCycleIsMoreThanOneAheadOfAnotherInItsGroup) {
  for (const std::string spec : every_layout) {
    const auto layout = make_layout(spec, 33, 50, 1);
    for (std::uint32_t group = 0; group < layout->groups(); ++group) {
      std::vector<std::uint64_t> times(33);
      for (const SampleId id : share(*layout, group)) ++times[id];
      std::erase(times, 0);
      if (times.empty()) continue;
      const auto [least, most] = std::minmax_element(times.begin(), times.end());
      EXPECT_LE(*most, *least + 1) << spec;
    }
  }
}

TEST(SequentialLayout, GoesRoundInOrder) {
  EXPECT_EQ(share(*make_layout("sequential", 3, 7, 1), 0), (std::vector<SampleId>{0, 1, 2, 0, 1, 2, 0}));
}

TEST(DistributedLayout, RankHasDistributedSamplersListEpochByEpoch) {
  for (const bool shuffle : {false, true}) {
    const auto layout = make_layout(shuffle ? "distributed:3,shuffle" : "distributed:3", 10, 60, 5);
    for (std::uint32_t rank = 0; rank < 3; ++rank) {
      std::vector<SampleId> expected;
      for (const std::uint64_t epoch : {0, 1, 2, 3, 4, 5}) {
        const auto list = sampler_rank({10, 3, Tail::exact, shuffle, 5, epoch}, rank);
        expected.insert(expected.end(), list.begin(), list.end());
      }
      EXPECT_EQ(share(*layout, rank), expected) << "rank " << rank;
    }
  }
}

TEST(DistributedLayout, AnswersEpochsInAnyOrder) {
  const auto layout = make_layout("distributed:2,shuffle", 10, 200, 5);
  const auto forward = share(*layout, 1);
  for (std::uint64_t j = forward.size(); j-- > 0;) EXPECT_EQ(layout->sample(1, j), forward[j]);
}

// 12 samples of 10 for 3 ranks: a whole cycle gives 4, 3, 3, and positions 0 and 1 of the next go to ranks 0
// and 1.
TEST(DistributedLayout, RemainderGoesToTheRanksItsPositionsBelongTo) {
  EXPECT_EQ(quotas(*make_layout("distributed:3", 10, 12, 1)), (std::vector<std::uint64_t>{5, 4, 3}));
}

TEST(ShardsLayout, ShardsAreDisjoint) {
  for (const std::string spec : {"shards:5", "shards:5,hash", "shards:5,zipf:1", "shards:5,hash,zipf:1"}) {
    const auto layout = make_layout(spec, 100, 1000, 1);
    std::set<SampleId> seen;
    std::size_t sum = 0;
    for (std::uint32_t shard = 0; shard < 5; ++shard) {
      const auto ids = share(*layout, shard);
      const std::set<SampleId> distinct(ids.begin(), ids.end());
      sum += distinct.size();
      seen.insert(distinct.begin(), distinct.end());
    }
    EXPECT_EQ(sum, 100u) << spec;
    EXPECT_EQ(seen.size(), 100u) << spec;
  }
}

TEST(ShardsLayout, ContiguousShardsAreRangesInOrder) {
  const auto layout = make_layout("shards:3", 10, 10, 1);
  EXPECT_EQ(share(*layout, 0), (std::vector<SampleId>{0, 1, 2, 3}));
  EXPECT_EQ(share(*layout, 1), (std::vector<SampleId>{4, 5, 6}));
  EXPECT_EQ(share(*layout, 2), (std::vector<SampleId>{7, 8, 9}));
}

// Largest remainder, by hand: 10 × (1, 1/2, 1/3, 1/4) / (25/12) = 4.8, 2.4, 1.6, 1.2: floors 4, 2, 1, 1, and
// the two left over go to the largest fractions.
TEST(ShardsLayout, ZipfSizesFollowThePowerLawByLargestRemainder) {
  EXPECT_EQ(quotas(*make_layout("shards:4,zipf:1", 10, 10, 1)), (std::vector<std::uint64_t>{5, 2, 2, 1}));
}

// Twice 5, 2, 2, 1 and 5 × (0.5, 0.2, 0.2, 0.1) = 2.5, 1, 1, 0.5 by largest remainder.
TEST(ShardsLayout, QuotaBeyondOneCycleIsTheShardsShareOfTheSamples) {
  EXPECT_EQ(quotas(*make_layout("shards:4,zipf:1", 10, 25, 1)), (std::vector<std::uint64_t>{13, 5, 5, 2}));
}

TEST(ShardsLayout, MembershipByHashDoesNotDependOnTheSeed) {
  const auto a = make_layout("shards:4,hash", 100, 100, 1), b = make_layout("shards:4,hash", 100, 100, 2);
  for (std::uint32_t shard = 0; shard < 4; ++shard) EXPECT_EQ(share(*a, shard), share(*b, shard));
}

// Binomial(10000, 1/4) has a standard deviation of 43; five of them around 2500.
TEST(ShardsLayout, HashDealsEvenly) {
  for (const std::uint64_t quota : quotas(*make_layout("shards:4,hash", 10'000, 10'000, 1))) {
    EXPECT_NEAR(static_cast<double>(quota), 2500, 5 * 43);
  }
}

// Zipf 1 over 4 shards: 12/25 of 10,000 for the first; the standard deviation is 50.
TEST(ShardsLayout, HashWithZipfDealsByTheWeights) {
  const auto all = quotas(*make_layout("shards:4,hash,zipf:1", 10'000, 10'000, 1));
  const double expected[] = {4800, 2400, 1600, 1200};
  for (int shard = 0; shard < 4; ++shard)
    EXPECT_NEAR(static_cast<double>(all[shard]), expected[shard], 5 * 50);
}

TEST(Layout, SpecNamesEveryDefault) {
  EXPECT_EQ(make_layout("shards:16", 10, 10, 1)->spec(), "shards:16,contiguous,even");
  EXPECT_EQ(make_layout("shards:16,zipf:1.5,hash", 10, 10, 1)->spec(), "shards:16,hash,zipf:1.5");
  EXPECT_EQ(make_layout("distributed:2,shuffle", 10, 10, 1)->spec(), "distributed:2,shuffle");
}

TEST(Layout, OnlyShardsAreSharded) {
  EXPECT_TRUE(make_layout("shards:2", 10, 10, 1)->sharded());
  EXPECT_FALSE(make_layout("sequential", 10, 10, 1)->sharded());
  EXPECT_FALSE(make_layout("distributed:2", 10, 10, 1)->sharded());
}

TEST(Layout, BadSpecsAreUsageErrorsThatNameWhatIsAllowed) {
  const std::string all =
      "give sequential, distributed:W[,shuffle] or shards:S[,contiguous|hash][,even|zipf:A]";
  const std::pair<std::string, std::string> cases[] = {
      {"", all},
      {"random", all},
      {"sequential,hash", all},
      {"distributed", all},
      {"distributed:0", "distributed '0': give a whole number from 1 to 65536"},
      {"distributed:x", "distributed 'x': give a whole number"},
      {"distributed:2,hash", all},
      {"distributed:2,shuffle,shuffle", all},
      {"shards:", "shards '': give a whole number from 1 to 65536"},
      {"shards:65537", "shards '65537'"},
      {"shards:-1", "shards '-1'"},
      {"shards:4,", all},
      {"shards:4,foo", all},
      {"shards:4,hash,contiguous", all},
      {"shards:4,even,zipf:1", all},
      {"shards:4,zipf", all},
      {"shards:4,zipf:", "zipf '': give a number from 0 to 10"},
      {"shards:4,zipf:nan", "zipf 'nan': give a number from 0 to 10"},
      {"shards:4,zipf:11", "zipf '11'"},
  };
  for (const auto& [spec, said] : cases) {
    try {
      make_layout(spec, 10, 10, 1);
      ADD_FAILURE() << spec << " was accepted";
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("layout '" + spec + "'"), HasSubstr(said)));
    }
  }
}

}  // namespace
}  // namespace dp
