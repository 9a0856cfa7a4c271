// The LibTorch backend against the predictions that came with the weights (made by PyTorch in fp32, see
// data/weights/README.md), and with weights and batches that do not fit.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "infer/backend.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::filesystem::path data = std::filesystem::path(DP_SOURCE_DIR) / "data";
constexpr Shape shape{3, 32, 32};
constexpr std::size_t record_bytes = 1 + shape.bytes();

BackendOptions options_for(const std::string& model) {
  BackendOptions options;
  options.model = model;
  options.weights = data / "weights" / (model + ".safetensors");
  return options;
}

std::unique_ptr<Backend> load(const std::string& model) { return make_torch_backend(options_for(model)); }

struct Batch {
  std::vector<SampleId> ids;
  std::vector<std::byte> pixels;
  explicit Batch(std::size_t n, std::byte pixel = std::byte{100})
      : ids(n), pixels(n * shape.bytes(), pixel) {}
  Job job() const { return {shape, ids, pixels}; }
};

/// Records [first, first + n) of the fixture.
Batch fixture_batch(const MappedFile& fixture, std::size_t first, std::size_t n) {
  Batch batch(n);
  for (std::size_t i = 0; i < n; ++i) {
    batch.ids[i] = static_cast<SampleId>(first + i);
    std::memcpy(&batch.pixels[i * shape.bytes()], &fixture.bytes()[(first + i) * record_bytes + 1],
                shape.bytes());
  }
  return batch;
}

class ShippedModel : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Torch, ShippedModel, testing::Values("resnet18", "resnet18-cifar"),
                         [](const auto& info) {
                           return std::string(info.param) == "resnet18" ? "resnet18" : "resnet18_cifar";
                         });

TEST_P(ShippedModel, AgreesWithTheShippedPredictions) {
  const MappedFile fixture(data / "fixture" / "test_512.bin");
  const MappedFile shipped(data / "weights" / (std::string(GetParam()) + ".predictions.bin"));
  ASSERT_EQ(fixture.bytes().size(), 512 * record_bytes);
  const auto backend = load(GetParam());
  int differ = 0;
  for (std::size_t first = 0; first < 512; first += 30) {  // the last batch is smaller
    const Batch batch = fixture_batch(fixture, first, std::min<std::size_t>(30, 512 - first));
    const Outcome outcome = backend->run(batch.job());
    ASSERT_EQ(outcome.error, ErrorClass::none) << outcome.message;
    for (std::size_t i = 0; i < batch.ids.size(); ++i) {
      differ += outcome.predictions[i] != std::to_integer<Label>(shipped.bytes()[first + i]);
    }
  }
  EXPECT_LE(differ, 1);  // an image may sit on the border between two classes
}

TEST(Torch, DescribesModelPrecisionDeviceAndThreads) {
  EXPECT_THAT(load("resnet18")->describe(), testing::StartsWith("resnet18 fp32 cpu, 1 thread, LibTorch "));
}

std::ptrdiff_t threads_now() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

TEST(Torch, OneThreadMeansOneThreadWhereverItIsServedFrom) {
  const auto backend = load("resnet18");
  backend->warm_up(shape, 4);
  const auto before = threads_now();
  std::ptrdiff_t during = 0;
  std::thread([&] {
    backend->run(Batch(4).job());
    during = threads_now();
  }).join();
  EXPECT_EQ(during, before + 1);  // the thread above
}

TEST(Torch, BadBatchesAreDataErrors) {
  const auto backend = load("resnet18");
  Batch batch(2);
  const std::span<const std::byte> pixels(batch.pixels);
  struct Bad {
    const char* name;
    Job job;
  };
  const Bad table[] = {
      {"one channel", {{1, 32, 32}, batch.ids, pixels.first(2 * 1024)}},
      {"four channels", {{4, 16, 16}, batch.ids, pixels.first(2 * 1024)}},
      {"no height", {{3, 0, 32}, batch.ids, {}}},
      {"product that overflows to nothing", {{3, 1U << 31, 1U << 31}, batch.ids, {}}},
      {"no samples", {shape, {}, {}}},
      {"a byte missing", {shape, batch.ids, pixels.first(pixels.size() - 1)}},
      {"a sample missing", {shape, batch.ids, pixels.first(shape.bytes())}},
      {"more samples than ids", {shape, std::span(batch.ids).first(1), pixels}},
  };
  for (const Bad& bad : table) {
    const Outcome outcome = backend->run(bad.job);
    EXPECT_EQ(outcome.error, ErrorClass::data) << bad.name;
    EXPECT_THAT(outcome.message, Not(IsEmpty())) << bad.name;
    EXPECT_THAT(outcome.predictions, IsEmpty()) << bad.name;
  }
  EXPECT_EQ(backend->run(batch.job()).error, ErrorClass::none) << "serves on after bad batches";
}

TEST(Torch, ServesOtherImageSizesOfThreeChannels) {
  const auto backend = load("resnet18");
  const std::vector<SampleId> ids(2);
  for (const Shape other : {Shape{3, 1, 1}, Shape{3, 48, 40}}) {
    const std::vector<std::byte> pixels(ids.size() * other.bytes());
    EXPECT_THAT(backend->run({other, ids, pixels}).predictions, SizeIs(2)) << other.height;
  }
}

/// Leaves this process `room` bytes of address space more than it has now, until the end of the scope.
class AddressSpaceLimit {
 public:
  explicit AddressSpaceLimit(rlim_t room) {
    getrlimit(RLIMIT_AS, &before_);
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    statm >> pages;
    const rlimit limit{pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + room, before_.rlim_max};
    setrlimit(RLIMIT_AS, &limit);
  }
  ~AddressSpaceLimit() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

TEST(Torch, MemoryThatCannotBeHadIsAResourceError) {
  const auto backend = load("resnet18-cifar");
  const Shape large{3, 2000, 2000};  // the first activation alone takes 64 * 2000 * 2000 * 4 B = 1 GB
  const std::vector<SampleId> ids(1);
  const std::vector<std::byte> pixels(large.bytes());
  {
    const AddressSpaceLimit limit(512 << 20);
    const Outcome outcome = backend->run({large, ids, pixels});
    EXPECT_EQ(outcome.error, ErrorClass::resource) << outcome.message;
  }
  EXPECT_EQ(backend->run(Batch(2).job()).error, ErrorClass::none) << "serves on afterwards";
}

TEST(Torch, WarmingUpOnAShapeItCannotServeThrows) {
  EXPECT_THROW(load("resnet18")->warm_up({1, 28, 28}, 4), Error);
}

std::string complaint_about(const BackendOptions& options) {
  try {
    make_torch_backend(options);
    return "accepted";
  } catch (const Error& problem) {
    return problem.what();
  }
}

/// A copy of the shipped weights with the header or a tensor changed.
class ChangedWeights : public testing::Test {
 protected:
  template <class Change>
  std::string complaint_after(Change change) {
    return complaint_after(change, [](const nlohmann::json&, char*) {});
  }
  template <class Change, class ChangeData>
  std::string complaint_after(Change change, ChangeData change_data) {
    const BackendOptions shipped = options_for("resnet18");
    std::string text = read_text(shipped.weights);
    std::uint64_t length = 0;
    std::memcpy(&length, text.data(), sizeof length);
    nlohmann::json header = nlohmann::json::parse(text.substr(sizeof length, length));
    change(header);
    const std::string changed = header.dump();
    const std::uint64_t changed_length = changed.size();
    text.replace(0, sizeof length + length, std::string(sizeof length, '\0') + changed);
    std::memcpy(text.data(), &changed_length, sizeof changed_length);
    change_data(header, text.data() + sizeof changed_length + changed_length);
    BackendOptions options = shipped;
    options.weights = std::filesystem::path(testing::TempDir()) / "dp_changed.safetensors";
    write_atomically(options.weights, text);
    const std::string complaint = complaint_about(options);
    std::filesystem::remove(options.weights);
    return complaint;
  }
};

void rename(nlohmann::json& header, const char* from, const char* to) {
  header[to] = header.at(from);
  header.erase(from);
}

TEST_F(ChangedWeights, AMissingTensorIsNamed) {
  EXPECT_THAT(complaint_after([](auto& header) { rename(header, "layer3.0.bn2.bias", "something"); }),
              HasSubstr("has no tensor 'layer3.0.bn2.bias'"));
}

TEST_F(ChangedWeights, AnExtraTensorIsNamed) {
  EXPECT_THAT(complaint_after([](auto& header) {
                header["layer5.weight"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
              }),
              HasSubstr("'layer5.weight' has no place"));
}

TEST_F(ChangedWeights, AWrongShapeIsNamedWithTheOneWanted) {
  EXPECT_THAT(complaint_after([](auto& header) {
                header["fc.weight"]["shape"] = {20, 256};
              }),
              HasSubstr("'fc.weight' is 20x256, wanted Nx512"));
}

TEST_F(ChangedWeights, ValuesThatAreNoNumbersAreNamedWithTheirTensor) {
  // IEEE 754: all bits of the exponent set; NaN if any of the rest is, too.
  struct Odd {
    std::string name;
    std::uint16_t half, bfloat;
    std::uint32_t single;
  };
  for (const Odd& odd : {Odd{"fc.weight", 0x7E00, 0x7FC0, 0x7FC00000},
                         Odd{"layer2.0.bn1.running_mean", 0x7C00, 0x7F80, 0x7F800000}}) {
    const auto change_data = [&](const nlohmann::json& header, char* data) {
      const std::string dtype = header.at(odd.name).at("dtype");
      char* element = data + header.at(odd.name).at("data_offsets").at(0).get<std::size_t>();
      if (dtype == "F32") std::memcpy(element, &odd.single, sizeof odd.single);
      else std::memcpy(element, dtype == "F16" ? &odd.half : &odd.bfloat, sizeof odd.half);
    };
    EXPECT_THAT(complaint_after([](auto&) {}, change_data),
                testing::AllOf(HasSubstr("dp_changed.safetensors: tensor '" + odd.name + "': 1 of its"),
                               HasSubstr("NaN or infinite")));
  }
}

TEST_F(ChangedWeights, AVarianceBelowZeroIsNamed) {
  const auto change_data = [](const nlohmann::json& header, char* data) {
    const auto& entry = header.at("bn1.running_var");
    char* element = data + entry.at("data_offsets").at(0).get<std::size_t>();
    const std::size_t size = entry.at("dtype") == "F32" ? 4 : 2;
    element[size - 1] = static_cast<char>(element[size - 1] | 0x80);  // its sign
  };
  EXPECT_THAT(complaint_after([](auto&) {}, change_data),
              testing::AllOf(HasSubstr("bn1"), HasSubstr("NaN or infinite")));
}

TEST_F(ChangedWeights, BatchCountersOfTorchvisionAreIgnored) {
  EXPECT_EQ(
      complaint_after([](auto& header) {
        header["bn1.num_batches_tracked"] = {{"dtype", "I64"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
      }),
      "accepted");
}

TEST_F(ChangedWeights, NormalisationMustBeThere) {
  EXPECT_THAT(complaint_after([](auto& header) { header["__metadata__"].erase("mean"); }),
              HasSubstr("no 'mean'"));
  EXPECT_THAT(complaint_after([](auto& header) { header["__metadata__"]["std"] = "0.2,0.2"; }),
              HasSubstr("not three numbers"));
  EXPECT_THAT(complaint_after([](auto& header) { header["__metadata__"]["std"] = "0.2,0,0.2"; }),
              HasSubstr("std"));
}

TEST(TorchOptions, WeightsOfTheOtherModelAreRefused) {
  BackendOptions options = options_for("resnet18");
  options.model = "resnet18-cifar";
  EXPECT_THAT(complaint_about(options), HasSubstr("'conv1.weight' is 64x3x7x7, wanted 64x3x3x3"));
}

TEST(TorchOptions, AMissingFileIsNamed) {
  BackendOptions options = options_for("resnet18");
  options.weights = "no/such.safetensors";
  EXPECT_THAT(complaint_about(options), HasSubstr("no/such.safetensors"));
}

TEST(TorchOptions, UnknownModelsDevicesAndThreadCountsAreUsageErrors) {
  const auto refused = [](auto change) {
    BackendOptions options = options_for("resnet18");
    change(options);
    EXPECT_THROW(make_torch_backend(options), UsageError);
  };
  refused([](auto& options) { options.model = "resnet50"; });
  refused([](auto& options) { options.device = "gpu"; });
  refused([](auto& options) { options.device = "cuda:"; });
  refused([](auto& options) { options.device = "cuda:-1"; });
  refused([](auto& options) { options.threads = 0; });
}

TEST(TorchOptions, ACudaDeviceThatIsNotThereIsAnError) {
  BackendOptions options = options_for("resnet18");
  options.device = "cuda:127";
  EXPECT_THAT(complaint_about(options), HasSubstr("cuda:127"));
}

}  // namespace
}  // namespace dp
