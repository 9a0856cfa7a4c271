// Whether threads have a core each, from claims made by hand.
// SPDX-License-Identifier: MIT
#include "collect/core_claims.hpp"

#include <gtest/gtest.h>

namespace dp {
namespace {

CoreClaim on(CpuList cpus, std::uint64_t threads = 1, std::vector<CpuQuota> quotas = {}) {
  return {threads, {std::move(cpus), std::move(quotas)}};
}

TEST(CoreClaims, ThreadsNeedACoreEachOfThoseTheyMayUse) {
  const struct {
    const char* what;
    std::vector<CoreClaim> claims;
    bool over;
  } cases[] = {
      {"nobody", {}, false},
      {"two on two", {on({0, 1}), on({0, 1})}, false},
      {"three on two", {on({0, 1}), on({0, 1}, 2)}, true},
      {"two pinned to one", {on({0}), on({0})}, true},
      {"two pinned to one each", {on({0}), on({1})}, false},
      {"one pinned, one anywhere", {on({0}), on({0, 1})}, false},
      {"two pinned to one, others left idle", {on({0}), on({0}), on({0, 1, 2, 3})}, true},
      {"one beside a full pair", {on({0, 1}, 2), on({1, 2})}, false},
      {"one within a full pair", {on({0, 1}, 2), on({1})}, true},
      {"overlapping, too many in all", {on({0, 1}, 2), on({1, 2}, 2), on({7})}, true},
      {"overlapping by way of a third", {on({0, 1}, 2), on({2, 3}, 2), on({1, 2})}, true},
      {"no cores", {on({})}, true},
      {"quota of one, shared", {on({0, 1}, 1, {{"g", 1}}), on({0, 1}, 1, {{"g", 1}})}, true},
      {"quota of one each", {on({0, 1}, 1, {{"g", 1}}), on({0, 1}, 1, {{"h", 1}})}, false},
      {"quota of half a core", {on({0, 1}, 1, {{"g", 0.5}})}, true},
      {"quota of those above",
       {on({0, 1}, 1, {{"g", 1}, {"up", 1}}), on({0, 1}, 1, {{"h", 1}, {"up", 1}})},
       true},
  };
  for (const auto& one : cases) EXPECT_EQ(oversubscribed(one.claims), one.over) << one.what;
}

TEST(CoreClaims, ManyWorkersOfOneCoreEachAreWell) {
  std::vector<CoreClaim> claims;
  for (std::uint32_t cpu = 0; cpu < 200; ++cpu) claims.push_back(on({cpu}));
  EXPECT_FALSE(oversubscribed(claims));
  claims.push_back(on({7}));
  EXPECT_TRUE(oversubscribed(claims));
}

}  // namespace
}  // namespace dp
