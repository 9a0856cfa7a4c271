// TorchScript files: models written here in TorchScript itself, whose answers follow from the pixels by hand.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/export.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "base/error.hpp"
#include "infer/backend.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class TorchScript : public testing::Test {
 protected:
  TorchScript() { std::filesystem::create_directories(folder_); }
  ~TorchScript() override { std::filesystem::remove_all(folder_); }

  /// A model whose forward has this body; its input is `x`.
  BackendOptions model(const std::string& body) {
    torch::jit::Module module("M");
    module.define("def forward(self, x):\n  " + body + "\n");
    BackendOptions options;
    options.model = (folder_ / "model.pt").string();
    module.save(options.model);
    return options;
  }

  Outcome run(const BackendOptions& options, Shape shape, const std::vector<std::uint8_t>& pixels) {
    const std::vector<SampleId> ids(pixels.size() / shape.bytes());
    return make_torch_backend(options)->run({shape, ids, std::as_bytes(std::span(pixels))});
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("dp-script-") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

std::string complaint_about(const BackendOptions& options) {
  try {
    make_torch_backend(options);
    return "accepted";
  } catch (const Error& problem) {
    return problem.what();
  }
}

TEST_F(TorchScript, TheBestOfItsOutputsIsTheClass) {
  // Three images of 3 × 1 × 2: the brightest channel is 2, 0, 1.
  const Outcome outcome = run(model("return x.mean([2, 3])"), {3, 1, 2},
                              {0, 0, 9, 9, 20, 20, 200, 100, 9, 9, 20, 20, 0, 0, 255, 0, 20, 20});
  ASSERT_EQ(outcome.error, ErrorClass::none) << outcome.message;
  EXPECT_THAT(outcome.predictions, ElementsAre(2, 0, 1));
}

TEST_F(TorchScript, ItMayHaveAThousandClasses) {
  const Outcome outcome =
      run(model("return torch.arange(1000.0).unsqueeze(0).expand([x.size(0), 1000])"), {1, 1, 1}, {0, 0});
  ASSERT_EQ(outcome.error, ErrorClass::none) << outcome.message;
  EXPECT_THAT(outcome.predictions, ElementsAre(999, 999));
}

TEST_F(TorchScript, PixelsAreDividedBy255) {
  // Class 1 where the mean is above 0.5: 127 / 255 is not, 128 / 255 is.
  const auto options = model("m = x.mean([1, 2, 3])\n  return torch.stack([torch.full_like(m, 0.5), m], 1)");
  const Outcome outcome = run(options, {1, 1, 1}, {0, 127, 128, 255});
  ASSERT_EQ(outcome.error, ErrorClass::none) << outcome.message;
  EXPECT_THAT(outcome.predictions, ElementsAre(0, 0, 1, 1));
}

TEST_F(TorchScript, NormalizeSubtractsTheMeanAndDividesByTheDeviationOfEachChannel) {
  // (51 / 255 - mean) / deviation: (0.2 - 0) / 1 = 0.2; (0.2 - 0.1) / 0.2 = 0.5; (0.2 - 0.15) / 0.2 = 0.25.
  auto options = model("return x.mean([2, 3])");
  options.normalize = "0,0.1,0.15/1,0.2,0.2";
  EXPECT_THAT(run(options, {3, 1, 1}, {51, 51, 51}).predictions, ElementsAre(1));
  options.normalize = "0,0.1,0.15/1,0.2,0.05";  // the last: 1
  EXPECT_THAT(run(options, {3, 1, 1}, {51, 51, 51}).predictions, ElementsAre(2));
  const Outcome grey = run(options, {1, 1, 1}, {51});
  EXPECT_EQ(grey.error, ErrorClass::data);
  EXPECT_THAT(grey.message, HasSubstr("1 channels, the model takes 3"));
}

TEST_F(TorchScript, InputSizeScalesImagesFirst) {
  // Class = height of the input: the model counts rows.
  auto options = model(
      "return torch.one_hot(torch.full([x.size(0)], x.size(2) * 10 + x.size(3), dtype=4), 100).float()");
  EXPECT_THAT(run(options, {1, 2, 4}, std::vector<std::uint8_t>(8)).predictions, ElementsAre(24));
  options.input_size = ImageSize{5, 7};
  EXPECT_THAT(run(options, {1, 2, 4}, std::vector<std::uint8_t>(8)).predictions, ElementsAre(57));
  EXPECT_THAT(make_torch_backend(options)->describe(), HasSubstr("model.pt at 5x7 fp32 cpu, 1 thread"));
}

TEST_F(TorchScript, ScalingIsBilinearBetweenPixelCentres) {
  // 0 255 scaled to four: 0, 1/4, 3/4, 1 of 255 (half-pixel centres). Class 1 where the second is above 0.2 and below 0.3.
  auto options =
      model("v = x[:, 0, 0, 1]\n  return torch.stack([(v - 0.25).abs(), torch.full_like(v, 0.01)], 1)");
  options.input_size = ImageSize{1, 4};
  EXPECT_THAT(run(options, {1, 1, 2}, {0, 255}).predictions, ElementsAre(1));
  EXPECT_THAT(run(options, {1, 1, 2}, {255, 0}).predictions, ElementsAre(0));
}

TEST_F(TorchScript, OutputsOfAnotherKindAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"return (x.mean([2, 3]), x)", "returned a tuple of 2"},
      {"return {'logits': x.mean([2, 3])}", "returned a dict of 1"},
      {"return [x]", "returned a list of 1"},
      {"return x", "returned a tensor 2x3x1x1 of Float"},
      {"return x.mean([1, 2, 3])", "returned a tensor 2 of Float"},
      {"return x.mean([2, 3])[:1]", "returned a tensor 1x3 of Float"},
      {"return x.mean([2, 3]).argmax(1).unsqueeze(1)", "returned a tensor 2x1 of Long"},
      {"return 5", "returned a int"},
  };
  for (const auto& [body, said] : cases) {
    const Outcome outcome = run(model(body), {3, 1, 1}, {1, 2, 3, 4, 5, 6});
    EXPECT_EQ(outcome.error, ErrorClass::permanent) << body;
    EXPECT_THAT(outcome.message,
                AllOf(HasSubstr("model.pt"), HasSubstr(said), HasSubstr("2 samples x classes")));
    EXPECT_TRUE(outcome.predictions.empty());
  }
}

TEST_F(TorchScript, AnInputOfTheWrongSizeIsAnErrorThatNamesInputSize) {
  const Outcome outcome =
      run(model("return torch.mm(x.flatten(1), torch.ones([12, 4]))"), {3, 1, 1}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(outcome.error, ErrorClass::permanent);
  EXPECT_THAT(outcome.message,
              AllOf(HasSubstr("cannot serve images of 2x3x1x1"), HasSubstr("--input-size HxW"),
                    HasSubstr("12x4"), testing::Not(HasSubstr("\n"))));
  EXPECT_THROW(make_torch_backend(model("return x"))->warm_up({3, 1, 1}, 2), Error);
}

TEST_F(TorchScript, AnOutputThatIsNoNumberFailsTheBatchAndNamesSampleAndClass) {
  // Class 1 of the second image, the only black one, is 0 / 0; of the others all is well.
  const BackendOptions options = model("m = x.mean([1, 2, 3])\n  return torch.stack([m, m / m], 1)");
  const Shape pixel{1, 1, 1};
  const std::vector<std::uint8_t> levels{9, 0, 200};
  const std::vector<SampleId> ids{41, 42, 43};
  const auto backend = make_torch_backend(options);
  const Outcome outcome = backend->run({pixel, ids, std::as_bytes(std::span(levels))});
  EXPECT_EQ(outcome.error, ErrorClass::permanent);
  EXPECT_TRUE(outcome.predictions.empty());
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("nan for class 1 of sample 42"), HasSubstr("1 of 3 samples")));
  const std::span<const std::byte> bright = std::as_bytes(std::span(levels)).subspan(2);
  EXPECT_THAT(backend->run({pixel, std::span(ids).subspan(2), bright}).predictions, ElementsAre(1));
  EXPECT_NO_THROW(backend->warm_up({1, 2, 2}, 2)) << "its made-up images are not black";
}

TEST_F(TorchScript, InfiniteOutputsFailAndLargeOnesDoNot) {
  for (const char* infinite : {"1", "-1"}) {
    const auto body = fmt::format("m = x.mean([2, 3])\n  m[:, 1] = {} / (m[:, 1] * 0)\n  return m", infinite);
    EXPECT_THAT(run(model(body), {3, 1, 1}, {1, 2, 3}).message, HasSubstr("inf for class 1 of sample 0"))
        << body;
  }
  // 3e38 twice is more than fp32 holds, each alone is not.
  const Outcome large =
      run(model("return torch.full([x.size(0), 2], 3e38) * torch.tensor([0.9, 1.0])"), {1, 1, 1}, {5});
  EXPECT_THAT(large.predictions, ElementsAre(1)) << large.message;
}

TEST_F(TorchScript, WarmingUpAModelThatOnlyKnowsNaNSaysSo) {
  const auto backend = make_torch_backend(model("return x.mean([2, 3]) * float('nan')"));
  EXPECT_THROW(backend->warm_up({3, 2, 2}, 2), Error);
  const std::vector<SampleId> ids{7};
  const std::vector<std::byte> pixels(3);
  EXPECT_THAT(backend->run({{3, 1, 1}, ids, pixels}).message, HasSubstr("nan for class 0 of sample 7"));
}

TEST_F(TorchScript, WeightsThatAreNoNumbersAreRefusedByName) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinite = std::numeric_limits<float>::infinity();
  enum class As { parameter, buffer };
  const auto complaint = [&](As as, float value, bool frozen) {
    torch::jit::Module inner("Inner"), module("M");
    const at::Tensor weight = at::tensor({1.0F, value, 2.0F});
    as == As::parameter ? inner.register_parameter("w", weight, false) : inner.register_buffer("w", weight);
    inner.define("def forward(self, x):\n  return x.mean([2, 3]) * self.w\n");
    module.register_module("head", inner);
    module.define("def forward(self, x):\n  return self.head.forward(x)\n");
    module.eval();
    if (frozen) module = torch::jit::freeze(module);
    BackendOptions options;
    options.model = (folder_ / "weights.pt").string();
    module.save(options.model);
    return complaint_about(options);
  };
  EXPECT_EQ(complaint(As::parameter, 3, false), "accepted");
  EXPECT_EQ(complaint(As::parameter, 3, true), "accepted");
  for (const float odd : {nan, infinite, -infinite}) {
    EXPECT_THAT(complaint(As::parameter, odd, false),
                AllOf(HasSubstr("weights.pt: parameter 'head.w': 1 of its 3 values are NaN or infinite")));
  }
  EXPECT_THAT(complaint(As::buffer, nan, false), HasSubstr("buffer 'head.w': 1 of its 3 values are NaN"));
  EXPECT_THAT(complaint(As::parameter, nan, true),
              HasSubstr("a constant of its code: 1 of its 3 values are NaN"));
  EXPECT_EQ(complaint(As::buffer, -infinite, false), "accepted") << "a mask";
}

TEST_F(TorchScript, FilesThatAreNoTorchScriptAreRefusedWithWhatToDo) {
  BackendOptions options;
  options.model = (folder_ / "none.pt").string();
  EXPECT_THAT(complaint_about(options),
              AllOf(HasSubstr("none.pt: no such file"), HasSubstr("torch.jit.trace")));
  options.model = (folder_ / "text.pt").string();
  std::ofstream(options.model) << "not a model";
  EXPECT_THAT(complaint_about(options), AllOf(HasSubstr("text.pt"), HasSubstr("torch.jit.trace")));
  options.model = folder_.string();
  EXPECT_THAT(complaint_about(options), HasSubstr("not a regular file"));
  const BackendOptions good = model("return x");
  std::filesystem::resize_file(good.model, std::filesystem::file_size(good.model) / 2);
  EXPECT_THAT(complaint_about(good), AllOf(HasSubstr("model.pt"), HasSubstr("torch.jit.trace")));
}

}  // namespace
}  // namespace dp
