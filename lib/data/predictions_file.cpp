// SPDX-License-Identifier: MIT
#include "data/predictions_file.hpp"

#include <string_view>

#include "base/error.hpp"
#include "data/npy.hpp"

namespace dp {
namespace {

constexpr std::string_view begin_of_array = "\x93NUMPY";
constexpr std::byte no_class{0xFF};  ///< of a byte

std::vector<Label> from_array(const NpyArray& array) {
  if (array.type == NpyType::f32)
    throw Error("classes of float32: save them as integers (array.astype('uint16'))");
  if (array.shape.size() != 1)
    throw Error("{} dimensions: give one class for each sample id, in one dimension", array.shape.size());
  std::vector<Label> classes(array.shape[0]);
  for (std::uint64_t id = 0; id < classes.size(); ++id) {
    const std::int64_t value = npy_integer(array, id);
    if (value < 0 || value > no_label)
      throw Error("class {} of sample {}: give 0 to {}, or {} for none", value, id, no_label - 1, no_label);
    classes[id] = static_cast<Label>(value);
  }
  return classes;
}

}  // namespace

std::vector<Label> parse_predictions(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.starts_with(begin_of_array)) return from_array(parse_npy(file));
  std::vector<Label> classes;
  classes.reserve(file.size());
  for (const std::byte one : file)
    classes.push_back(one == no_class ? no_label : static_cast<Label>(std::to_integer<unsigned>(one)));
  return classes;
}

std::string predictions_file(std::span<const Label> predictions) {
  return npy_header(NpyType::u16, {predictions.size()}) +
         std::string(reinterpret_cast<const char*>(predictions.data()), predictions.size_bytes());
}

}  // namespace dp
