// Images of one's own as a NumPy array, memory-mapped: N×C×H×W, N×H×W×C or N×H×W (one channel) of uint8, or of float32
// from 0 to 1, which become round(255 × value) as samples travel as uint8; labels, if any, as integers in a second file.
// SPDX-License-Identifier: MIT
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/options.hpp"
#include "data/dataset.hpp"
#include "data/npy.hpp"

namespace dp {
namespace {

constexpr std::uint64_t most_samples = 4'000'000'000, most_channels_last = 4;

/// A mapped array, its file's name in every complaint.
struct NpyFile {
  explicit NpyFile(const std::string& path) : path(path), file(open(path)), array(parse(path, file)) {}

  static MappedFile open(const std::string& path) {
    if (!std::filesystem::exists(path))
      throw Error("{}: no such file (give --data npy:IMAGES.npy[,LABELS.npy])", path);
    return MappedFile(path);
  }
  static NpyArray parse(const std::string& path, const MappedFile& file) {
    try {
      return parse_npy(file.bytes());
    } catch (const Error& problem) {
      throw Error("{}: {}", path, problem.what());
    }
  }
  std::string dimensions() const { return fmt::format("{}", fmt::join(array.shape, "x")); }

  std::string path;
  MappedFile file;
  NpyArray array;
};

template <class T>
T element(std::span<const std::byte> bytes, std::uint64_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at * sizeof(T), sizeof value);
  return value;
}

struct ImageLayout {
  Shape shape;
  bool channels_last = false;
};

ImageLayout layout_of(const NpyFile& images) {
  const auto& n = images.array.shape;
  if (n.size() != 3 && n.size() != 4) {
    throw Error("{}: {} dimensions ({}): give images as NxCxHxW, NxHxWxC or NxHxW", images.path, n.size(),
                images.dimensions());
  }
  const bool last = n.size() == 4 && n[3] <= most_channels_last && n[1] > most_channels_last;
  const std::uint64_t c = n.size() == 3 ? 1 : last ? n[3] : n[1];
  const std::uint64_t h = n.size() == 3 || last ? n[1] : n[2], w = n.size() == 3 || last ? n[2] : n[3];
  if (n[0] == 0 || n[0] > most_samples)
    throw Error("{}: {} samples: give 1 to {}", images.path, n[0], most_samples);
  if (c == 0 || h == 0 || w == 0 || c > longest_side || h > longest_side || w > longest_side ||
      c * h * w > most_sample_bytes) {
    throw Error("{}: samples of {}x{}x{}: sides from 1 to {}, {} pixels in all at most", images.path, c, h, w,
                longest_side, most_sample_bytes);
  }
  const auto side = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  return {{side(c), side(h), side(w)}, last};
}

void check_values(const NpyFile& images, std::size_t sample_values) {
  if (images.array.type != NpyType::u8 && images.array.type != NpyType::f32) {
    throw Error("{}: pixels of {}: save them as uint8, or as float32 from 0 to 1", images.path,
                name_of(images.array.type));
  }
  if (images.array.type == NpyType::u8) return;
  const std::uint64_t values = images.array.bytes.size() / sizeof(float);
  for (std::uint64_t i = 0; i < values; ++i) {
    const auto value = element<float>(images.array.bytes, i);
    if (value >= 0 && value <= 1) continue;
    throw Error(
        "{}: {} in sample {}: float32 pixels must lie from 0 to 1 (divide by 255, or save as uint8; dp-infer "
        "--normalize subtracts mean and deviation)",
        images.path, value, i / sample_values);
  }
}

std::vector<Label> labels_of(const NpyFile& file, std::uint64_t samples) {
  const NpyArray& array = file.array;
  if (array.type == NpyType::f32)
    throw Error("{}: labels of float32: save class numbers as integers (labels.astype('int64'))", file.path);
  if (array.shape.size() != 1 || array.shape[0] != samples) {
    throw Error("{}: shape {}: give one label for each of the {} images, in one dimension", file.path,
                file.dimensions(), samples);
  }
  std::vector<Label> labels(samples);
  for (std::uint64_t i = 0; i < samples; ++i) {
    const std::int64_t label = npy_integer(array, i);
    if (label < 0 || label >= no_label)
      throw Error("{}: label {} of sample {}: class numbers are 0 to {}", file.path, label, i, no_label - 1);
    labels[i] = static_cast<Label>(label);
  }
  return labels;
}

std::string file_name(const NpyFile& file) { return std::filesystem::path(file.path).filename().string(); }

class NpyDataset final : public Dataset {
 public:
  NpyDataset(std::string name, std::string digest, NpyFile images, ImageLayout layout,
             std::vector<Label> labels)
      : Dataset(std::move(name), std::move(digest), static_cast<SampleId>(images.array.shape[0]),
                layout.shape),
        images_(std::move(images)),
        channels_last_(layout.channels_last),
        labels_(std::move(labels)) {}

  Label label(SampleId id) const override { return labels_.empty() ? no_label : labels_[id]; }

  void copy(SampleId id, std::span<std::byte> out) const override {
    const std::size_t size = shape().bytes();
    const auto sample = images_.array.bytes.subspan(id * size * element_size(images_.array.type));
    if (images_.array.type == NpyType::f32) {
      place(out, [&](std::size_t i) {
        return static_cast<std::byte>(static_cast<std::uint8_t>(element<float>(sample, i) * 255 + 0.5F));
      });
    } else if (channels_last_) {
      place(out, [&](std::size_t i) { return sample[i]; });
    } else {
      std::memcpy(out.data(), sample.data(), size);
    }
  }

 private:
  /// Fills the planes, pixel i of the file given by `pixel`.
  template <class Pixel>
  void place(std::span<std::byte> out, Pixel pixel) const {
    const std::size_t channels = channels_last_ ? shape().channels : 1;
    const std::size_t plane = shape().bytes() / channels;
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = 0; i < plane; ++i) out[c * plane + i] = pixel(i * channels + c);
    }
  }

  NpyFile images_;
  bool channels_last_;
  std::vector<Label> labels_;  ///< empty: none
};

}  // namespace

std::unique_ptr<Dataset> open_npy(std::string_view files) {
  const auto paths = split(files, ',');
  if (paths.size() > 2 || paths[0].empty() || paths.back().empty())
    throw UsageError("data 'npy:{}': give npy:IMAGES.npy or npy:IMAGES.npy,LABELS.npy", files);
  NpyFile images(paths[0]);
  const ImageLayout layout = layout_of(images);
  check_values(images, layout.shape.bytes());
  std::string name = file_name(images), digests = digest(images.file.bytes());
  std::vector<Label> labels;
  if (paths.size() == 2) {
    const NpyFile file(paths[1]);
    labels = labels_of(file, images.array.shape[0]);
    name += ',';
    name += file_name(file);
    digests += digest(file.file.bytes());
    digests = digest(std::as_bytes(std::span(digests)));
  }
  return std::make_unique<NpyDataset>(std::move(name), std::move(digests), std::move(images), layout,
                                      std::move(labels));
}

}  // namespace dp
