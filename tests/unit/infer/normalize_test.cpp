// How pixels become a model's input, and which --model is a file.
// SPDX-License-Identifier: MIT
#include "infer/normalize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "infer/backend.hpp"

namespace dp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Normalize, NamesAndNumbersAreRead) {
  EXPECT_THAT(parse_normalization("none").mean, ElementsAre(0));
  EXPECT_THAT(parse_normalization("none").deviation, ElementsAre(1));
  EXPECT_THAT(parse_normalization("imagenet").mean, ElementsAre(0.485F, 0.456F, 0.406F));
  EXPECT_THAT(parse_normalization("cifar10").deviation, ElementsAre(0.2470F, 0.2435F, 0.2616F));
  EXPECT_THAT(parse_normalization("-1,0.5/2,4").mean, ElementsAre(-1, 0.5F));
  EXPECT_THAT(parse_normalization("0.1307/0.3081").deviation, ElementsAre(0.3081F));
}

TEST(Normalize, WhatIsWrongIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"mnist", "give none, cifar10, imagenet"},
      {"", "give none"},
      {"1,2,3", "give none"},
      {"1/2/3", "give none"},
      {"0,0/1", "2 means and 1 deviations"},
      {"0/0", "'0': give a number"},
      {"x/1", "'x'"},
  };
  for (const auto& [text, said] : cases) {
    try {
      parse_normalization(text);
      ADD_FAILURE() << text << " was taken";
    } catch (const UsageError& problem) {
      EXPECT_THAT(problem.what(), testing::AllOf(HasSubstr("--normalize"), HasSubstr(said)));
    }
  }
}

TEST(ModelFile, IsToldFromABuiltInNameByItsEndingOrPath) {
  for (const char* file : {"model.pt", "a.pth", "a.ts", "./model", "models/net"})
    EXPECT_TRUE(is_model_file(file));
  for (const char* name : {"resnet18", "resnet18-cifar", "resnet50"}) EXPECT_FALSE(is_model_file(name));
}

}  // namespace
}  // namespace dp
