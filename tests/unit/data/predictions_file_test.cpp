// Files of predictions in both formats; the array's bytes are those numpy.save writes.
// SPDX-License-Identifier: MIT
#include "data/predictions_file.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "base/error.hpp"
#include "data/npy.hpp"

namespace dp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<Label> parsed(const std::string& file) {
  return parse_predictions(std::as_bytes(std::span(file)));
}

std::string refusal(const std::string& file) {
  try {
    parsed(file);
  } catch (const Error& problem) {
    return problem.what();
  }
  return "";
}

TEST(PredictionsFile, EveryClassAModelMayHaveSurvives) {
  const std::vector<Label> all = {0, 254, 255, 256, 300, 65'534, no_label};
  EXPECT_EQ(parsed(predictions_file(all)), all);
  EXPECT_THAT(parsed(predictions_file({})), IsEmpty());
}

// numpy.save(file, numpy.array([7, 300, 65535], "uint16"))
TEST(PredictionsFile, IsWhatNumpySaves) {
  const std::string dict = "{'descr': '<u2', 'fortran_order': False, 'shape': (3,), }";
  const std::string header = dict + std::string(118 - dict.size() - 1, ' ') + "\n";
  const std::string version{1, 0, 118, 0}, data{7, 0, 44, 1, -1, -1};
  const std::vector<Label> classes = {7, 300, no_label};
  EXPECT_EQ(predictions_file(classes), "\x93NUMPY" + version + header + data);
}

TEST(PredictionsFile, TheOldFormatHasOneByteASample) {
  EXPECT_THAT(parsed({7, 0, '\xFE', '\xFF'}), ElementsAre(7, 0, 254, no_label));
  EXPECT_THAT(parsed(""), IsEmpty());
}

TEST(PredictionsFile, ArraysOfOtherIntegersAreTakenToo) {
  EXPECT_THAT(parsed(npy_header(NpyType::u8, {2}) + std::string{1, '\xFF'}), ElementsAre(1, 255));
  EXPECT_THAT(parsed(npy_header(NpyType::i64, {1}) + std::string{44, 1, 0, 0, 0, 0, 0, 0}), ElementsAre(300));
}

TEST(PredictionsFile, WhatIsNoListOfClassesIsRefused) {
  EXPECT_THAT(refusal(npy_header(NpyType::f32, {1}) + std::string(4, '\0')), HasSubstr("float32"));
  EXPECT_THAT(refusal(npy_header(NpyType::u16, {1, 1}) + std::string(2, '\0')), HasSubstr("2 dimensions"));
  EXPECT_THAT(refusal(npy_header(NpyType::i32, {2}) + std::string{0, 0, 0, 0, 0, 0, 1, 0}),
              HasSubstr("class 65536 of sample 1"));
  EXPECT_THAT(refusal(npy_header(NpyType::i16, {1}) + std::string(2, '\xFF')),
              HasSubstr("class -1 of sample 0"));
  EXPECT_THAT(refusal(npy_header(NpyType::u16, {9})), HasSubstr("cut off"));
}

}  // namespace
}  // namespace dp
