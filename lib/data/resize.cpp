// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <vector>

#include "data/image_file.hpp"

namespace dp {
namespace {

/// Which inputs make up one output along a line, and how much of each.
struct Taps {
  std::size_t first = 0;
  std::vector<float> weights;  ///< sum to 1
};

std::vector<Taps> taps_of(std::uint32_t from, std::uint32_t to) {
  const double scale = static_cast<double>(from) / to, support = std::max(1.0, scale);
  std::vector<Taps> all(to);
  for (std::uint32_t i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const auto first = static_cast<std::size_t>(std::max(0.0, centre - support + 0.5));
    const auto end = std::min<std::size_t>(from, static_cast<std::size_t>(centre + support + 0.5));
    all[i].first = first;
    double sum = 0;
    for (std::size_t x = first; x < end; ++x) {
      const double distance = std::abs(static_cast<double>(x) + 0.5 - centre) / support;
      all[i].weights.push_back(static_cast<float>(std::max(0.0, 1 - distance)));
      sum += all[i].weights.back();
    }
    for (float& weight : all[i].weights) weight = static_cast<float>(weight / sum);
  }
  return all;
}

/// Sum of weighted inputs that stand `stride` apart.
template <class T>
float blend(const Taps& taps, const T* line, std::size_t stride) {
  float sum = 0;
  for (std::size_t k = 0; k < taps.weights.size(); ++k)
    sum += taps.weights[k] * static_cast<float>(line[(taps.first + k) * stride]);
  return sum;
}

}  // namespace

void resize_image(std::span<const std::byte> pixels, Shape from, std::span<std::byte> out, Shape to) {
  const std::vector<Taps> across = taps_of(from.width, to.width), down = taps_of(from.height, to.height);
  std::vector<float> narrow(std::size_t{from.height} * to.width);
  for (std::uint32_t c = 0; c < from.channels; ++c) {
    const std::size_t plane = std::size_t{from.height} * from.width * c;
    const auto* in = reinterpret_cast<const std::uint8_t*>(pixels.data()) + plane;
    for (std::size_t y = 0; y < from.height; ++y) {
      for (std::size_t x = 0; x < to.width; ++x)
        narrow[y * to.width + x] = blend(across[x], in + y * from.width, 1);
    }
    std::byte* result = out.data() + std::size_t{to.height} * to.width * c;
    for (std::size_t y = 0; y < to.height; ++y) {
      for (std::size_t x = 0; x < to.width; ++x) {
        const float value = blend(down[y], narrow.data() + x, to.width);
        result[y * to.width + x] = static_cast<std::byte>(std::lround(std::clamp(value, 0.0F, 255.0F)));
      }
    }
  }
}

}  // namespace dp
