// How pixels become a model's input: (pixel / 255 - mean) / deviation, by channel.
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

namespace dp {

/// One value for each channel, or one for all; in units of pixel / 255.
struct Normalization {
  std::vector<float> mean{0}, deviation{1};
};

/// Reads `MEAN,…/DEVIATION,…`, or a name: none (0/1), cifar10 or imagenet. Throws UsageError.
Normalization parse_normalization(std::string_view text);

}  // namespace dp
