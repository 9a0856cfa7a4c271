// What computes the predictions of a batch, behind one small interface. Knows nothing of sockets or messages.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error_class.hpp"
#include "base/ids.hpp"
#include "base/shape.hpp"
#include "base/time.hpp"

namespace dp {

/// One batch: `pixels` is N × C × H × W uint8, N = `ids.size()`. Borrowed for the duration of `run`.
struct Job {
  Shape shape;
  std::span<const SampleId> ids;
  std::span<const std::byte> pixels;
};

/// One prediction per sample in the job's order, or a classified error with its message and no predictions.
struct Outcome {
  std::vector<Label> predictions = {};
  ErrorClass error = ErrorClass::none;
  std::string message = {};
};

/// A model ready to serve; used from one thread.
class Backend {
 public:
  virtual ~Backend() = default;
  /// Serves made-up batches of this shape until the first real one finds everything allocated. Throws Error.
  virtual void warm_up(Shape shape, std::uint32_t max_batch) = 0;
  /// Serves one batch. Bad data is an Outcome, never an exception.
  virtual Outcome run(const Job& job) = 0;
  /// For the run's record: "resnet18 fp32 cpu, 1 thread".
  virtual std::string describe() const = 0;
};

struct BackendOptions {
  std::string kind = "torch";                ///< torch, null or synthetic
  std::string model = "resnet18";            ///< torch: resnet18, resnet18-cifar or a TorchScript file
  std::filesystem::path weights;             ///< torch: a safetensors file, for the built-in models
  std::string normalize = "none";            ///< torch: see parse_normalization; for TorchScript files
  std::optional<ImageSize> input_size = {};  ///< torch: images are scaled to it, bilinearly
  int threads = 1;                           ///< torch: threads of one forward pass
  std::string device = "cpu";                ///< torch: cpu or cuda:N
  std::string service = "fixed:0ms";         ///< synthetic: time per batch, fixed:5ms or exp:5ms (its mean)
  Duration per_sample{0};  ///< synthetic: added to the service time for each sample of the batch
  double slowdown = 1;     ///< synthetic: multiplies both
  std::uint64_t seed = 1;  ///< synthetic: of the exponential draws
};

/// Predicts class 0 at once: measures the toolkit itself.
std::unique_ptr<Backend> make_null_backend();
/// Predicts class 0 after sleeping for slowdown × (a drawn service time + samples × per_sample). Throws UsageError for
/// a bad service, time per sample or slowdown.
std::unique_ptr<Backend> make_synthetic_backend(const BackendOptions& options);
/// True for a file's name as --model: it ends in .pt, .pth or .ts, holds a slash, or is there.
bool is_model_file(const std::string& model);
/// ResNet-18 or a TorchScript file, by LibTorch. Throws UsageError for an unknown model or device, Error for bad weights or
/// a bad file. In dp_torch.
std::unique_ptr<Backend> make_torch_backend(const BackendOptions& options);
/// Name, value, …: versions of LibTorch and oneDNN, and the BLAS that is loaded. In dp_torch.
std::vector<std::string> torch_versions();
/// Which of LibTorch's kernels are used: AVX512, AVX2, DEFAULT … In dp_torch.
std::string torch_capability();

}  // namespace dp
