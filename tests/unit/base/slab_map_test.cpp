// SlabMap and SlabList against the standard's map and list, under random use.
// SPDX-License-Identifier: MIT
#include "base/slab_map.hpp"

#include <gtest/gtest.h>

#include <list>
#include <map>

#include "base/random.hpp"

namespace dp {
namespace {

struct Value {
  SlabLinks links;
  int number = 0;
};
using Slab = SlabMap<std::uint64_t, Value>;

/// Keys that follow each other, keys of one bucket, and keys far apart.
std::uint64_t some_key(Rng& rng) {
  switch (rng.below(3)) {
    case 0: return rng.below(50);
    case 1: return rng.below(20) << 60;
    default: return 38'000'000 * rng.below(20);
  }
}

TEST(SlabMap, AgreesWithAMapUnderRandomUse) {
  Rng rng(1);
  for (int round = 0; round < 50; ++round) {
    Slab slab;
    std::map<std::uint64_t, int> truth;
    for (int step = 0; step < 2000; ++step) {
      const std::uint64_t key = some_key(rng);
      const SlabIndex found = slab.find(key);
      ASSERT_EQ(found != no_index, truth.contains(key));
      if (found == no_index) {
        const auto [index, fresh] = slab.insert(key);
        ASSERT_TRUE(fresh);
        ASSERT_EQ(slab[index].number, 0) << "what is new is empty";
        slab[index].number = truth[key] = step;
      } else if (rng.below(2)) {
        ASSERT_EQ(slab.insert(key), std::pair(found, false));
        ASSERT_EQ(slab[found].number, truth[key]);
      } else {
        ASSERT_EQ(slab.key(found), key);
        slab.erase(found);
        truth.erase(key);
      }
      ASSERT_EQ(slab.size(), truth.size());
    }
    std::map<std::uint64_t, int> seen;
    slab.for_each([&](SlabIndex index) { seen[slab.key(index)] = slab[index].number; });
    EXPECT_EQ(seen, truth);
  }
}

TEST(SlabMap, AnIndexStaysWhileOthersComeAndGo) {
  Slab slab;
  const SlabIndex kept = slab.insert(7).first;
  slab[kept].number = 7;
  for (std::uint64_t key = 100; key < 1000; ++key) slab.insert(key);
  for (std::uint64_t key = 100; key < 1000; ++key) slab.erase(slab.find(key));
  EXPECT_EQ(slab.find(7), kept);
  EXPECT_EQ(slab[kept].number, 7);
}

TEST(SlabList, AgreesWithAListUnderRandomUse) {
  Rng rng(2);
  Slab slab;
  for (std::uint64_t key = 0; key < 30; ++key) slab.insert(key);
  SlabList list;
  std::list<SlabIndex> truth;
  for (int step = 0; step < 5000; ++step) {
    const auto index = static_cast<SlabIndex>(rng.below(30));
    if (const auto found = std::find(truth.begin(), truth.end(), index); found != truth.end()) {
      list.erase(slab, index);
      truth.erase(found);
    } else {
      list.push_back(slab, index);
      truth.push_back(index);
    }
    std::list<SlabIndex> seen;
    for (SlabIndex at = list.front(); at != no_index; at = SlabList::after(slab, at)) seen.push_back(at);
    ASSERT_EQ(seen, truth);
    ASSERT_EQ(list.size(), truth.size());
    ASSERT_EQ(list.empty(), truth.empty());
  }
}

}  // namespace
}  // namespace dp
