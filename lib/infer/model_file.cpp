// SPDX-License-Identifier: MIT
#include "infer/backend.hpp"

namespace dp {

bool is_model_file(const std::string& model) {
  if (model == "resnet18" || model == "resnet18-cifar") return false;
  const std::string ending = std::filesystem::path(model).extension().string();
  return ending == ".pt" || ending == ".pth" || ending == ".ts" || model.find('/') != std::string::npos ||
         std::filesystem::exists(model);
}

}  // namespace dp
