// SPDX-License-Identifier: MIT
#include "base/shape.hpp"

#include "base/options.hpp"

namespace dp {

ImageSize parse_size(std::string_view what, std::string_view text) {
  const auto sides = split(text, 'x');
  if (sides.size() != 2) throw UsageError("{} '{}': give HEIGHTxWIDTH, such as 224x224", what, text);
  const auto side = [&](const char* name, const std::string& value) {
    return static_cast<std::uint32_t>(
        parse_count(fmt::format("{} '{}': {}", what, text, name), value, 1, longest_side));
  };
  return {side("height", sides[0]), side("width", sides[1])};
}

}  // namespace dp
