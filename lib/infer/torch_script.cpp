// A model of one's own: a TorchScript file, frozen when it is loaded. Its operators may call BLAS, whose threads are held
// to those of LibTorch.
// SPDX-License-Identifier: MIT
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <utility>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "infer/torch_model.hpp"

namespace dp {
namespace {

constexpr const char* how_to_export =
    "export it in Python with torch.jit.trace(model.eval(), example).save('model.pt')";

/// OpenBLAS has threads of its own, which LibTorch does not know of.
void bound_blas_threads() {
  using SetThreads = void (*)(int);
  if (const auto set = reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads")))
    set(at::get_num_threads());
}

/// LibTorch explains in many lines; the last that says something says what.
std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

std::string size_of(const at::Tensor& tensor) {
  return fmt::format("{} of {}", fmt::join(tensor.sizes(), "x"), at::toString(tensor.scalar_type()));
}

/// "a tuple of 2": what a model returned, for people.
std::string kind_of(const c10::IValue& value) {
  if (value.isTensor()) return fmt::format("a tensor {}", size_of(value.toTensor()));
  if (value.isTuple()) return fmt::format("a tuple of {}", value.toTupleRef().elements().size());
  if (value.isList()) return fmt::format("a list of {}", value.toListRef().size());
  if (value.isGenericDict()) return fmt::format("a dict of {}", value.toGenericDict().size());
  return fmt::format("a {}", value.type()->str());
}

class Script final : public TorchModel {
 public:
  Script(std::string name, Normalization normalization, torch::jit::Module module)
      : TorchModel(std::move(normalization)), name_(std::move(name)), module_(std::move(module)) {}

  at::Tensor logits(const at::Tensor& images) override {
    bound_blas_threads();
    return checked(forward(images), images.size(0));
  }

 private:
  c10::IValue forward(const at::Tensor& images) {
    try {
      return module_.forward({images});
    } catch (const c10::Error&) {
      throw;  // told apart by its type
    } catch (const std::exception& problem) {
      throw Error("{} cannot serve images of {}: {} (give the size it was made for: --input-size HxW)", name_,
                  fmt::join(images.sizes(), "x"), last_line(problem.what()));
    }
  }

  at::Tensor checked(const c10::IValue& output, std::int64_t samples) const {
    if (output.isTensor()) {
      const at::Tensor& tensor = output.toTensor();
      const bool classes = tensor.dim() == 2 && tensor.size(0) == samples && tensor.size(1) >= 1 &&
                           tensor.size(1) < no_label && at::isFloatingType(tensor.scalar_type());
      if (classes) return tensor;
    }
    throw Error(
        "{} returned {}: one tensor is needed, {} samples x classes of floating point, at most {} classes "
        "(wrap the "
        "model in a module whose forward returns just that, and export the wrapper)",
        name_, kind_of(output), samples, no_label - 1);
  }

  std::string name_;
  torch::jit::Module module_;
};

torch::jit::Module load(const std::string& path, at::Device device) {
  try {
    return torch::jit::load(path, device);
  } catch (const std::exception& problem) {
    std::string what = problem.what();
    what.resize(std::min(what.find('\n'), what.size()));
    if (what.find("constants.pkl") != std::string::npos) {
      throw Error("{}: it holds weights without the model's code (torch.save): {}", path, how_to_export);
    }
    throw Error("{}: LibTorch {} cannot load it as TorchScript: {} ({}, by a PyTorch that is not much newer)",
                path, TORCH_VERSION, what, how_to_export);
  }
}

/// Calls `look` with each tensor that the code holds itself: a frozen module has its weights there.
template <class Look>
void each_constant(torch::jit::Block& block, const Look& look) {
  for (torch::jit::Node* node : block.nodes()) {
    const auto value = c10::attr::value;
    if (node->kind() == c10::prim::Constant && node->hasAttribute(value) &&
        node->kindOf(value) == torch::jit::AttributeKind::t)
      look(node->t(value));
    for (torch::jit::Block* inner : node->blocks()) each_constant(*inner, look);
  }
}

/// Refuses weights from which no class can be told. What is no parameter may be infinite: masks are.
void check_weights(const std::string& path, const torch::jit::Module& module) {
  const auto check = [&](const std::string& what, const at::Tensor& tensor, bool infinite_is_odd) {
    if (const std::string odd = odd_values(tensor, infinite_is_odd); !odd.empty())
      throw Error("{}: {}: {} (damaged, or the training went astray: export it again)", path, what, odd);
  };
  for (const auto& parameter : module.named_parameters())
    check(fmt::format("parameter '{}'", parameter.name), parameter.value, true);
  for (const auto& buffer : module.named_buffers())
    check(fmt::format("buffer '{}'", buffer.name), buffer.value, false);
  each_constant(*module.get_method("forward").graph()->block(),
                [&](const at::Tensor& constant) { check("a constant of its code", constant, false); });
}

}  // namespace

std::unique_ptr<TorchModel> load_torchscript(const std::filesystem::path& file, Normalization normalization,
                                             at::Device device) {
  const std::string path = file.string();
  if (!std::filesystem::exists(file)) {
    throw Error("{}: no such file (give --model resnet18, resnet18-cifar or a TorchScript file: {})", path,
                how_to_export);
  }
  if (!std::filesystem::is_regular_file(file)) throw Error("{}: not a regular file", path);
  torch::jit::Module module = load(path, device);
  module.eval();
  if (!module.find_method("forward")) throw Error("{}: it has no forward method: {}", path, how_to_export);
  check_weights(path, module);
  module = torch::jit::optimize_for_inference(module);
  return std::make_unique<Script>(file.filename().string(), std::move(normalization), std::move(module));
}

}  // namespace dp
