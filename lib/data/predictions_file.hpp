// Files of predictions, as dp-collect writes and compares them and as they are shipped with the weights: the class of each
// sample id, as a NumPy array of uint16 (65535: none for this id), or in the old format as bytes (255: none).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace dp {

/// Reads either format, and arrays of any integers in one dimension; no_label: none. Throws Error that says what to do.
std::vector<Label> parse_predictions(std::span<const std::byte> file);

/// The whole file, as NumPy's own save would write it.
std::string predictions_file(std::span<const Label> predictions);

}  // namespace dp
