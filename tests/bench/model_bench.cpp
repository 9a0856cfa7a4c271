// Images per second of the LibTorch backend by model and batch size, one thread, on made-up pixels.
// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <map>

#include "base/random.hpp"
#include "infer/backend.hpp"
#include "support/source_dir.hpp"

namespace {

using namespace dp;

constexpr Shape shape{3, 32, 32};

Backend& backend(const std::string& model) {
  static std::map<std::string, std::unique_ptr<Backend>> loaded;
  auto& slot = loaded[model];
  if (!slot) {
    BackendOptions options;
    options.model = model;
    options.weights = std::string(DP_SOURCE_DIR "/data/weights/") + model + ".safetensors";
    slot = make_torch_backend(options);
  }
  return *slot;
}

void serve(benchmark::State& state, const std::string& model) {
  const auto batch = static_cast<std::uint32_t>(state.range(0));
  std::vector<std::byte> pixels(batch * shape.bytes());
  Rng rng(1);
  for (std::byte& pixel : pixels) pixel = static_cast<std::byte>(rng.below(256));
  const std::vector<SampleId> ids(batch);
  backend(model).warm_up(shape, batch);
  for (auto step : state) benchmark::DoNotOptimize(backend(model).run({shape, ids, pixels}));
  state.SetItemsProcessed(state.iterations() * batch);
}

BENCHMARK_CAPTURE(serve, resnet18, "resnet18")
    ->Arg(1)
    ->Arg(8)
    ->Arg(32)
    ->Arg(128)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve, resnet18_cifar, "resnet18-cifar")
    ->Arg(1)
    ->Arg(8)
    ->Arg(32)
    ->Arg(128)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
