// Serves batches by LibTorch: checks them, makes pixels the model's input (scaled, normalised), takes the best class of
// what the model returns.
// SPDX-License-Identifier: MIT
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <new>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/options.hpp"
#include "infer/backend.hpp"
#include "infer/torch_model.hpp"

namespace dp {
namespace {

/// Of "Intel(R) MKL-DNN v2.6.3 (Git Hash N/A)", the number; "" when LibTorch was built without it.
std::string onednn_version() {
  const std::string text = at::get_mkldnn_version();
  const auto from = text.find(" v");
  if (from == std::string::npos) return "";
  return text.substr(from + 2, text.find(' ', from + 2) - from - 2);
}

/// The file name of the BLAS that is loaded: on Debian any of several provides libblas.so.3.
std::string blas_library() {
  std::ifstream maps("/proc/self/maps");
  std::string found;
  for (std::string line; std::getline(maps, line);) {
    const std::string name = line.substr(line.rfind('/') + 1);
    if (name.starts_with("libopenblas") || name.starts_with("libmkl") || name.starts_with("libblis"))
      return name;
    if (name.starts_with("libblas")) found = name;
  }
  return found;
}

at::Device parse_device(const std::string& text) {
  if (text == "cpu") return at::kCPU;
  if (!text.starts_with("cuda:")) throw UsageError("--device '{}': give cpu or cuda:N, such as cuda:0", text);
  const auto index = parse_count("--device cuda:N", std::string_view(text).substr(5), 0, 127);
  if (!at::hasCUDA()) {
    throw Error(
        "--device {}: LibTorch finds no CUDA device here; use --device cpu, or a CUDA build of LibTorch",
        text);
  }
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

/// What is wrong with the job; empty if nothing. `channels` is 0 where any number will do.
std::string check(const Job& job, std::size_t channels) {
  const Shape& shape = job.shape;
  if (channels != 0 && shape.channels != channels)
    return fmt::format("{} channels, the model takes {}", shape.channels, channels);
  if (shape.channels < 1 || shape.height < 1 || shape.width < 1 || shape.height > longest_side ||
      shape.width > longest_side) {
    return fmt::format("{} channels of {}x{}, sides may be 1 to {}", shape.channels, shape.height,
                       shape.width, longest_side);
  }
  if (job.ids.empty()) return "a batch of no samples";
  if (job.pixels.size() != job.ids.size() * shape.bytes()) {
    return fmt::format("{} bytes of pixels, {} samples of {}x{}x{} take {}", job.pixels.size(),
                       job.ids.size(), shape.channels, shape.height, shape.width,
                       job.ids.size() * shape.bytes());
  }
  return {};
}

Outcome failure(ErrorClass error, std::string message) {
  return {.error = error, .message = std::move(message)};
}

bool out_of_memory(const std::string& message) {
  return message.find("can't allocate memory") != std::string::npos;  // the CPU allocator's words
}

/// A value a channel as 1 × C × 1 × 1, in steps of pixels.
at::Tensor per_channel(const std::vector<float>& values, at::Device device) {
  return at::tensor(values).view({1, -1, 1, 1}).mul_(255).to(device);
}

/// Throws Error for what no class can be told from: argmax would take the first that is not a number.
void check_finite(const at::Tensor& logits, std::span<const SampleId> ids) {
  if (std::isfinite(logits.sum().item<double>())) return;  // one number tells of all
  const at::Tensor odd = at::isfinite(logits).logical_not();
  if (!odd.any().item<bool>()) return;  // they add up to more than a float holds
  const at::Tensor first = odd.nonzero()[0];
  const auto sample = first[0].item<std::int64_t>(), label = first[1].item<std::int64_t>();
  throw Error(
      "the model returned {} for class {} of sample {}, and {} of {} samples are like it: no class can be told "
      "from that (see to the model, its --normalize, or the sample)",
      logits[sample][label].item<double>(), label, ids[static_cast<std::size_t>(sample)],
      odd.any(1).sum().item<std::int64_t>(), ids.size());
}

std::unique_ptr<TorchModel> make_model(const BackendOptions& options, at::Device device) {
  if (is_model_file(options.model))
    return load_torchscript(options.model, parse_normalization(options.normalize), device);
  return make_resnet(options.model, options.weights, device);
}

std::string description_of(const BackendOptions& options) {
  std::string text = std::filesystem::path(options.model).filename().string();
  if (options.input_size)
    text += fmt::format(" at {}x{}", options.input_size->height, options.input_size->width);
  return text + fmt::format(" fp32 {}, {} thread{}, LibTorch {}", options.device, options.threads,
                            options.threads == 1 ? "" : "s", TORCH_VERSION);
}

class TorchBackend : public Backend {
 public:
  explicit TorchBackend(const BackendOptions& options)
      : device_(parse_device(options.device)), threads_(options.threads), input_size_(options.input_size) {
    if (threads_ < 1) throw UsageError("--threads {}: give a whole number from 1", threads_);
    description_ = description_of(options);
    use_threads();
    model_ = make_model(options, device_);
    const c10::InferenceMode no_gradients;
    const Normalization& normalization = model_->normalization();
    channels_ = normalization.mean.size() > 1 ? normalization.mean.size() : 0;
    mean_ = per_channel(normalization.mean, device_);
    scale_ = per_channel(normalization.deviation, device_).reciprocal_();
  }

  void warm_up(Shape shape, std::uint32_t max_batch) override {
    const std::vector<SampleId> ids(max_batch);
    // Not all alike: some models divide by their deviation.
    std::vector<std::byte> pixels(max_batch * shape.bytes());
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::byte>(i * 31 % 251);
    for (int round = 0; round < warm_up_rounds; ++round) {
      const Outcome outcome = run({shape, ids, pixels});
      if (outcome.error != ErrorClass::none) throw Error("warming up: {}", outcome.message);
    }
  }

  Outcome run(const Job& job) override {
    if (std::string wrong = check(job, channels_); !wrong.empty())
      return failure(ErrorClass::data, std::move(wrong));
    try {
      return {.predictions = predict(job)};
    } catch (const c10::OutOfMemoryError& problem) {
      return failure(ErrorClass::resource, problem.what_without_backtrace());
    } catch (const c10::Error& problem) {
      const std::string message = problem.what_without_backtrace();
      return failure(out_of_memory(message) ? ErrorClass::resource : ErrorClass::permanent, message);
    } catch (const std::bad_alloc&) {
      return failure(ErrorClass::resource, "out of memory");
    } catch (const std::exception& problem) {
      return failure(out_of_memory(problem.what()) ? ErrorClass::resource : ErrorClass::permanent,
                     problem.what());
    }
  }

  std::string describe() const override { return description_; }

 private:
  static constexpr int warm_up_rounds = 3;

  // OpenMP keeps the number per calling thread, and oneDNN asks OpenMP. Setting it is slow, asking is not.
  void use_threads() const {
    if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
  }

  std::vector<Label> predict(const Job& job) {
    use_threads();
    const c10::InferenceMode no_gradients;
    const at::Tensor pixels = at::from_blob(
        const_cast<std::byte*>(job.pixels.data()),
        {static_cast<std::int64_t>(job.ids.size()), job.shape.channels, job.shape.height, job.shape.width},
        at::kByte);
    const at::Tensor logits = model_->logits(input(pixels.to(device_)));
    check_finite(logits, job.ids);
    const at::Tensor best = logits.argmax(1).cpu();
    const auto* first = best.data_ptr<std::int64_t>();
    return {first, first + best.numel()};
  }

  at::Tensor input(const at::Tensor& pixels) const {
    at::Tensor images = pixels.to(at::kFloat);
    if (input_size_ && (images.size(2) != input_size_->height || images.size(3) != input_size_->width))
      images = at::upsample_bilinear2d(images, {input_size_->height, input_size_->width}, false);
    return images.sub_(mean_).mul_(scale_);
  }

  at::Device device_;
  int threads_;
  std::optional<ImageSize> input_size_;
  std::unique_ptr<TorchModel> model_;
  std::size_t channels_ = 0;  ///< that the model takes; 0: any
  at::Tensor mean_, scale_;   ///< 1 × C × 1 × 1: input = (pixel - mean) * scale
  std::string description_;
};

}  // namespace

std::string odd_values(const at::Tensor& tensor, bool infinite_is_odd) {
  if (!at::isFloatingType(tensor.scalar_type()) || tensor.layout() != at::kStrided) return {};
  const at::Tensor odd = infinite_is_odd ? at::isfinite(tensor).logical_not() : at::isnan(tensor);
  const auto count = odd.sum().item<std::int64_t>();
  if (count == 0) return {};
  return fmt::format("{} of its {} values are NaN{}", count, tensor.numel(),
                     infinite_is_odd ? " or infinite" : "");
}

std::unique_ptr<Backend> make_torch_backend(const BackendOptions& options) {
  return std::make_unique<TorchBackend>(options);
}

std::string torch_capability() {
  const std::string config = at::show_config(), key = "CPU capability usage: ";
  const auto from = config.find(key);
  if (from == std::string::npos) return "DEFAULT";
  return config.substr(from + key.size(), config.find('\n', from) - from - key.size());
}

std::vector<std::string> torch_versions() {
  return {"libtorch", TORCH_VERSION, "onednn", onednn_version(), "blas", blas_library()};
}

}  // namespace dp
