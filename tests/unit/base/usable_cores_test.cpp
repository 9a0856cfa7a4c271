// Lists of cores and quotas as texts.
// SPDX-License-Identifier: MIT
#include "base/usable_cores.hpp"

#include <gmock/gmock.h>

namespace dp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CpuList, IsWrittenAsTheKernelDoesAndReadAgain) {
  const std::pair<CpuList, const char*> cases[] = {
      {{0}, "0"},
      {{0, 1}, "0-1"},
      {{0, 1, 2, 3, 8}, "0-3,8"},
      {{1, 3, 5}, "1,3,5"},
      {{7, 8, 4095}, "7-8,4095"}};
  for (const auto& [cpus, text] : cases) {
    EXPECT_EQ(cpu_list_text(cpus), text);
    EXPECT_EQ(parse_cpu_list(text), cpus);
  }
  EXPECT_EQ(cpu_list_text({}), "");
}

TEST(CpuList, WhatIsNoneIsRefused) {
  for (const char* text : {"", "x", "1,", "-1", "3-1", "1-", "1,1", "0-2,2", "2,1", "0-4294967295", "0-8192",
                           "0-8191,8192", "99999999999"})
    EXPECT_FALSE(parse_cpu_list(text)) << text;
}

TEST(CpuQuotas, AreReadAsWritten) {
  const std::vector<CpuQuota> quotas = {{"17", 1.5}, {"a:b", 2}};
  EXPECT_EQ(quotas_text(quotas), "17:1.5,a:b:2");
  EXPECT_EQ(parse_quotas(quotas_text(quotas)), quotas);
  EXPECT_THAT(parse_quotas(""), IsEmpty());
  EXPECT_THAT(parse_quotas("1,2:x,3:-1,4:0,5:inf,6:nan,7:1"), ElementsAre(CpuQuota{"7", 1}));
}

TEST(UsableCores, AreBoundedByTheSmallestQuota) {
  EXPECT_EQ((UsableCores{{0, 1, 2}, {}}.count()), 3);
  EXPECT_EQ((UsableCores{{0, 1, 2}, {{"a", 2.5}, {"b", 4}}}.count()), 2.5);
  EXPECT_EQ((UsableCores{{0}, {{"a", 2}}}.count()), 1);
}

}  // namespace
}  // namespace dp
