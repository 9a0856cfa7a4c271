// Images that cost no more than a memcpy, for measuring the toolkit itself.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/options.hpp"
#include "base/random.hpp"
#include "data/dataset.hpp"

namespace dp {
namespace {

constexpr std::string_view prefix = "synthetic:";
constexpr std::size_t page_bytes = 4096;
constexpr std::uint64_t default_samples = 10'000, most_samples = 10'000'000;
constexpr std::uint64_t longest_synthetic_side = 4096;

/// Byte k of sample id is byte (id + k) mod 4096 of a page of random bytes; the first four bytes hold the id.
class Synthetic final : public Dataset {
 public:
  Synthetic(const std::string& spec, SampleId size, Shape shape)
      : Dataset(spec, dp::digest(std::as_bytes(std::span(spec))), size, shape) {
    Rng rng(page_bytes);
    for (std::size_t i = 0; i < page_bytes; ++i)
      twice_[i] = twice_[i + page_bytes] = std::byte(rng.bits() & 0xFF);
  }

  Label label(SampleId id) const override { return static_cast<Label>(id % 10); }
  void copy(SampleId id, std::span<std::byte> out) const override {
    const std::size_t size = shape().bytes();
    for (std::size_t at = 0; at < size; at += page_bytes) {
      std::memcpy(out.data() + at, twice_.data() + id % page_bytes, std::min(page_bytes, size - at));
    }
    for (std::size_t i = 0; i < std::min(size, sizeof id); ++i) out[i] = std::byte(id >> (8 * i) & 0xFF);
  }

 private:
  std::array<std::byte, 2 * page_bytes>
      twice_;  ///< the page, twice, so that every offset can be copied at once
};

}  // namespace

std::unique_ptr<Dataset> make_synthetic(std::string_view spec) {
  const auto parts = split(spec.substr(prefix.size()), ':');
  const auto sides = split(parts[0], 'x');
  if (parts.size() > 2 || sides.size() != 3) {
    throw UsageError("data '{}': give synthetic:CxHxW or synthetic:CxHxW:N, such as synthetic:3x32x32:10000",
                     spec);
  }
  const auto side = [&](std::size_t i, const char* what) {
    return static_cast<std::uint32_t>(
        parse_count(fmt::format("data '{}': {}", spec, what), sides[i], 1, longest_synthetic_side));
  };
  const Shape shape{side(0, "channels"), side(1, "height"), side(2, "width")};
  if (shape.bytes() > most_sample_bytes) {
    throw UsageError("data '{}': {} bytes a sample: at most {}", spec, shape.bytes(), most_sample_bytes);
  }
  const auto size = parts.size() == 2
                        ? parse_count(fmt::format("data '{}': samples", spec), parts[1], 1, most_samples)
                        : default_samples;
  const std::string canonical =
      fmt::format("{}{}x{}x{}:{}", prefix, shape.channels, shape.height, shape.width, size);
  return std::make_unique<Synthetic>(canonical, static_cast<SampleId>(size), shape);
}

}  // namespace dp
