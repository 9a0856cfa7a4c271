// What the LibTorch backend executes: a network behind one function, from the built-in topologies or a TorchScript file.
// SPDX-License-Identifier: MIT
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "infer/normalize.hpp"

namespace dp {

class TorchModel {
 public:
  virtual ~TorchModel() = default;
  /// N × C × H × W normalised fp32 on the model's device → N × classes. Throws Error for an output of another kind.
  virtual at::Tensor logits(const at::Tensor& images) = 0;
  /// How its input is normalised; one value a channel, or one for any number of them.
  const Normalization& normalization() const { return normalization_; }

 protected:
  explicit TorchModel(Normalization normalization) : normalization_(std::move(normalization)) {}

 private:
  Normalization normalization_;
};

/// "3 of its 64 values are NaN or infinite", of floating point; "" if none is. An infinite one may be let pass.
std::string odd_values(const at::Tensor& tensor, bool infinite_is_odd);

/// ResNet-18 as torchvision has it, or with the CIFAR stem, normalised as the weights' metadata say. Throws Error for
/// weights that do not fit.
std::unique_ptr<TorchModel> make_resnet(const std::string& model, const std::filesystem::path& weights,
                                        at::Device device);

/// A TorchScript file. Throws Error that says how to export one.
std::unique_ptr<TorchModel> load_torchscript(const std::filesystem::path& file, Normalization normalization,
                                             at::Device device);

}  // namespace dp
