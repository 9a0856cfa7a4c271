// The loop a user would write without the toolkit: batches from a mapped CIFAR-10 file through the same
// backend, one after another. What the pipeline with one worker is compared with. Prints one JSON line.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/file.hpp"
#include "base/options.hpp"
#include "base/time.hpp"
#include "infer/backend.hpp"

namespace {

using namespace dp;

constexpr Shape shape{3, 32, 32};
constexpr std::size_t record_bytes = 1 + shape.bytes();  // CIFAR-10: label, then planar RGB

Exit bare_loop(int argc, char** argv) {
  Options options("bare_loop", "serves a data file in a plain loop and prints images per second", "");
  options.section("Work")
      .value("model", "NAME", "resnet18 or resnet18-cifar", "resnet18")
      .value("weights", "FILE", "safetensors file (default: data/weights/MODEL.safetensors)")
      .value("data", "FILE", "CIFAR-10 binary file", "data/cifar10/test_batch.bin")
      .value("samples", "N", "images to serve, cycling through the file", "8000")
      .value("batch", "N", "images in a batch", "32")
      .value("threads", "N", "threads of one forward pass", "1");
  if (const auto status = options.parse(argc, argv)) return *status;
  const std::size_t samples = options.count("samples", 1, 1'000'000'000);
  const std::size_t batch = options.count("batch", 1, 65536);

  BackendOptions backend_options;
  backend_options.model = options.text("model");
  backend_options.weights = options.has("weights") ? options.text("weights")
                                                   : "data/weights/" + backend_options.model + ".safetensors";
  backend_options.threads = static_cast<int>(options.count("threads", 1, 1024));
  const auto backend = make_torch_backend(backend_options);
  backend->warm_up(shape, static_cast<std::uint32_t>(batch));

  const MappedFile file(options.text("data"));
  const std::size_t records = file.bytes().size() / record_bytes;
  if (records == 0) throw Error("{}: holds no CIFAR-10 record", options.text("data"));
  std::vector<std::byte> pixels(batch * shape.bytes());
  std::vector<SampleId> ids(batch);
  const Time start = now();
  for (std::size_t done = 0; done < samples;) {
    const std::size_t count = std::min(batch, samples - done);
    for (std::size_t i = 0; i < count; ++i) {
      ids[i] = static_cast<SampleId>((done + i) % records);
      std::memcpy(&pixels[i * shape.bytes()], &file.bytes()[ids[i] * record_bytes + 1], shape.bytes());
    }
    const Outcome outcome =
        backend->run({shape, std::span(ids).first(count), std::span(pixels).first(count * shape.bytes())});
    if (outcome.error != ErrorClass::none) throw Error("batch at sample {}: {}", done, outcome.message);
    done += count;
  }
  const double seconds = to_seconds(now() - start);
  fmt::print("{{\"samples\":{},\"seconds\":{:.6f},\"images_per_s\":{:.1f}}}\n", samples, seconds,
             static_cast<double>(samples) / seconds);
  return Exit::done;
}

}  // namespace

int main(int argc, char** argv) {
  return dp::run_main("bare_loop", [&] { return bare_loop(argc, argv); });
}
