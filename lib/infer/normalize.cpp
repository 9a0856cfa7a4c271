// SPDX-License-Identifier: MIT
#include "infer/normalize.hpp"

#include "base/options.hpp"

namespace dp {
namespace {

std::vector<float> numbers(std::string_view whole, std::string_view list, double low) {
  std::vector<float> values;
  for (const std::string& part : split(list, ','))
    values.push_back(
        static_cast<float>(parse_number(fmt::format("--normalize '{}'", whole), part, low, 1e6)));
  return values;
}

}  // namespace

Normalization parse_normalization(std::string_view text) {
  if (text == "none") return {};
  if (text == "cifar10") return {{0.4914F, 0.4822F, 0.4465F}, {0.2470F, 0.2435F, 0.2616F}};
  if (text == "imagenet") return {{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
  const auto parts = split(text, '/');
  if (parts.size() != 2) {
    throw UsageError(
        "--normalize '{}': give none, cifar10, imagenet, or means and deviations such as "
        "0.49,0.48,0.45/0.25,0.24,0.26",
        text);
  }
  Normalization result{numbers(text, parts[0], -1e6), numbers(text, parts[1], 1e-6)};
  if (result.mean.size() != result.deviation.size()) {
    throw UsageError("--normalize '{}': {} means and {} deviations: give as many of each, one a channel",
                     text, result.mean.size(), result.deviation.size());
  }
  return result;
}

}  // namespace dp
