// ResNet-18 as plain structs of tensors. Batch norm is folded into the convolutions when the weights are loaded; on the CPU
// the weights are kept in oneDNN's own blocked layout, which serves ResNet-18 at 32 × 32 half as fast again as dense
// tensors do.
// SPDX-License-Identifier: MIT
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/options.hpp"
#include "infer/safetensors.hpp"
#include "infer/torch_model.hpp"

namespace dp {
namespace {

constexpr std::int64_t channels = 3;
constexpr double norm_epsilon = 1e-5;  // torchvision's BatchNorm2d

/// Convolution with the batch norm after it folded in: weight O × I × K × K, bias O.
struct Conv {
  at::Tensor weight, bias;
  std::int64_t stride, padding;
};

struct Block {
  Conv first, second;
  std::optional<Conv> shortcut;
};

struct Network {
  Normalization normalization;
  Conv stem;
  bool stem_pool;
  std::vector<Block> blocks;
  Conv classifier;  // the linear layer as a 1 × 1 convolution: BLAS, with threads of its own, is never called
};

/// Where the two models differ.
struct Stem {
  std::int64_t kernel, stride, padding;
  bool pool;
};

Stem stem_of(const std::string& model) {
  static const std::vector<std::string> models{"resnet18", "resnet18-cifar"};
  return parse_choice("--model", model, models) == 0 ? Stem{7, 2, 3, true} : Stem{3, 1, 1, false};
}

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::f32:
      return at::kFloat;
    case DType::i64:
      return at::kLong;
  }
  return at::kFloat;
}

/// "10x512"; any size (-1) is N.
std::string size_text(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> sizes;
  for (const std::int64_t n : shape) sizes.push_back(n == -1 ? "N" : std::to_string(n));
  return fmt::format("{}", fmt::join(sizes, "x"));
}

/// Hands out the file's tensors by name and knows at the end which nobody asked for.
class Weights {
 public:
  Weights(const std::filesystem::path& path, std::string model)
      : file_(path), path_(path), model_(std::move(model)) {}

  /// The tensor in fp32, of the shape asked for; -1 allows any size.
  at::Tensor take(const std::string& name, const std::vector<std::int64_t>& shape) {
    const auto found = file_.tensors().find(name);
    if (found == file_.tensors().end()) fail(fmt::format("has no tensor '{}'", name));
    const TensorView& view = found->second;
    const bool fits = std::equal(shape.begin(), shape.end(), view.shape.begin(), view.shape.end(),
                                 [](auto want, auto have) { return want == -1 ? have > 0 : want == have; });
    if (!fits)
      fail(fmt::format("tensor '{}' is {}, wanted {}", name, size_text(view.shape), size_text(shape)));
    if (view.dtype == DType::i64) fail(fmt::format("tensor '{}' holds integers", name));
    taken_.insert(name);
    at::Tensor stored = at::empty(view.shape, scalar_type(view.dtype));
    std::memcpy(stored.data_ptr(), view.bytes.data(), view.bytes.size());
    return finite(name, stored.to(at::kFloat));
  }

  /// `conv`.weight with the batch norm `norm` folded in.
  Conv conv(const std::string& conv, const std::string& norm, std::int64_t out, std::int64_t in,
            std::int64_t kernel, std::int64_t stride) {
    const at::Tensor weight = take(conv + ".weight", {out, in, kernel, kernel}).to(at::kDouble);
    const auto parameter = [&](const char* field) { return take(norm + field, {out}).to(at::kDouble); };
    const at::Tensor gain = parameter(".weight") / at::sqrt(parameter(".running_var") + norm_epsilon);
    const at::Tensor bias = parameter(".bias") - parameter(".running_mean") * gain;
    return {finite(conv + ".weight times " + norm, (weight * gain.view({-1, 1, 1, 1})).to(at::kFloat)),
            finite(norm, bias.to(at::kFloat)), stride, kernel / 2};
  }

  /// Three numbers, one per channel, from the file's metadata: "0.4914,0.4822,0.4465".
  std::vector<float> per_channel(const std::string& key, double low) {
    const auto found = file_.metadata().find(key);
    if (found == file_.metadata().end())
      fail(fmt::format("its __metadata__ has no '{}' for input normalisation", key));
    const auto parts = split(found->second, ',');
    if (parts.size() != channels)
      fail(fmt::format("__metadata__ {} '{}' is not three numbers", key, found->second));
    std::vector<float> values;
    for (const std::string& part : parts) {
      values.push_back(static_cast<float>(
          parse_number(fmt::format("{}: __metadata__ {}", path_.string(), key), part, low, 1e6)));
    }
    return values;
  }

  void check_all_taken() {
    for (const auto& [name, view] : file_.tensors()) {
      if (!taken_.contains(name) && !name.ends_with(".num_batches_tracked")) {
        fail(fmt::format("tensor '{}' has no place in the network", name));
      }
    }
  }

 private:
  at::Tensor finite(const std::string& name, at::Tensor tensor) const {
    if (const std::string odd = odd_values(tensor, true); !odd.empty())
      throw Error("{}: tensor '{}': {} (damaged, or the training went astray: fetch or export it again)",
                  path_.string(), name, odd);
    return tensor;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error("{}: {}: not weights of {}? (give --weights and --model that belong together)",
                path_.string(), what, model_);
  }

  Safetensors file_;
  std::filesystem::path path_;
  std::string model_;
  std::set<std::string> taken_;
};

Block load_block(Weights& weights, const std::string& name, std::int64_t in, std::int64_t out) {
  const std::int64_t stride = in == out ? 1 : 2;
  Block block{weights.conv(name + ".conv1", name + ".bn1", out, in, 3, stride),
              weights.conv(name + ".conv2", name + ".bn2", out, out, 3, 1), std::nullopt};
  if (in != out)
    block.shortcut = weights.conv(name + ".downsample.0", name + ".downsample.1", out, in, 1, stride);
  return block;
}

Network load(const std::filesystem::path& path, const std::string& model) {
  const Stem stem = stem_of(model);
  Weights weights(path, model);
  Network network;
  network.normalization = {weights.per_channel("mean", 0), weights.per_channel("std", 1e-6)};
  network.stem = weights.conv("conv1", "bn1", 64, channels, stem.kernel, stem.stride);
  network.stem_pool = stem.pool;
  std::int64_t in = 64;
  for (const std::int64_t out : {64, 128, 256, 512}) {
    const std::string layer = fmt::format("layer{}", network.blocks.size() / 2 + 1);
    network.blocks.push_back(load_block(weights, layer + ".0", in, out));
    network.blocks.push_back(load_block(weights, layer + ".1", out, out));
    in = out;
  }
  const at::Tensor linear = weights.take("fc.weight", {-1, in});
  network.classifier = {linear.view({-1, in, 1, 1}), weights.take("fc.bias", {linear.size(0)}), 1, 0};
  weights.check_all_taken();
  return network;
}

/// Moves the weights to where, and into the layout in which, they are used.
void place(Network& network, at::Device device) {
  const auto place_conv = [&](Conv& conv) {
    conv.weight = conv.weight.to(device);
    conv.bias = conv.bias.to(device);
    if (!device.is_cpu()) return;
    const std::array padding{conv.padding, conv.padding}, stride{conv.stride, conv.stride};
    conv.weight = at::mkldnn_reorder_conv2d_weight(conv.weight.to_mkldnn(), padding, stride, {1, 1}, 1);
    conv.bias = conv.bias.to_mkldnn();
  };
  place_conv(network.stem);
  for (Block& block : network.blocks) {
    place_conv(block.first);
    place_conv(block.second);
    if (block.shortcut) place_conv(*block.shortcut);
  }
  place_conv(network.classifier);
}

at::Tensor apply(const Conv& conv, const at::Tensor& x) {
  return at::conv2d(x, conv.weight, conv.bias, {conv.stride, conv.stride}, {conv.padding, conv.padding});
}

at::Tensor apply(const Block& block, const at::Tensor& x) {
  at::Tensor y = apply(block.first, x).relu_();
  y = apply(block.second, y);
  y.add_(block.shortcut ? apply(*block.shortcut, x) : x);
  return y.relu_();
}

at::Tensor classify(const Network& network, const at::Tensor& images) {
  at::Tensor x = network.stem.weight.is_mkldnn() ? images.to_mkldnn() : images;
  x = apply(network.stem, x).relu_();
  if (network.stem_pool) x = at::max_pool2d(x, {3, 3}, {2, 2}, {1, 1});
  for (const Block& block : network.blocks) x = apply(block, x);
  x = apply(network.classifier, at::adaptive_avg_pool2d(x, {1, 1}));
  return (x.is_mkldnn() ? x.to_dense() : x).flatten(1);
}

class ResNet final : public TorchModel {
 public:
  explicit ResNet(Network network) : TorchModel(network.normalization), network_(std::move(network)) {}
  at::Tensor logits(const at::Tensor& images) override { return classify(network_, images); }

 private:
  Network network_;
};

}  // namespace

std::unique_ptr<TorchModel> make_resnet(const std::string& model, const std::filesystem::path& weights,
                                        at::Device device) {
  const c10::InferenceMode no_gradients;
  try {
    Network network = load(weights, model);
    place(network, device);
    return std::make_unique<ResNet>(std::move(network));
  } catch (const c10::Error& problem) {
    throw Error("{} on {}: {}", model, device.str(), problem.what_without_backtrace());
  }
}

}  // namespace dp
