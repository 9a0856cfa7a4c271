// A folder of PNG and JPEG images, decoded once when it is opened, so that no run waits for a decoder. With a sub-folder
// for each class, classes are numbered by the order of their names (as torchvision's ImageFolder does); images that lie
// in the folder itself are unlabelled. All must be of one size, or a size is given and every image is scaled to it.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/options.hpp"
#include "data/dataset.hpp"
#include "data/image_file.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_bytes = std::size_t{4} << 30;

struct ImageEntry {
  fs::path path;
  Label label = no_label;
  Shape shape;
};

bool has_image_name(const fs::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

/// What lies in a folder and is not hidden, by name.
std::vector<fs::path> listing(const fs::path& folder) {
  std::error_code problem;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem)) {
    if (!at->path().filename().string().starts_with('.')) paths.push_back(at->path());
  }
  if (problem) throw Error("{}: {}", folder.string(), problem.message());
  std::ranges::sort(paths);
  return paths;
}

/// Appends the folder's images and returns how many there are.
std::size_t take_images(const fs::path& folder, Label label, std::vector<ImageEntry>& images) {
  const std::size_t before = images.size();
  for (const fs::path& path : listing(folder)) {
    if (has_image_name(path) && fs::is_regular_file(path)) images.push_back({path, label, {}});
  }
  return images.size() - before;
}

std::vector<ImageEntry> find_images(const fs::path& folder) {
  std::vector<fs::path> classes = listing(folder);
  std::erase_if(classes, [](const fs::path& path) { return !fs::is_directory(path); });
  if (classes.size() >= no_label)
    throw Error("{}: {} sub-folders: at most {} classes", folder.string(), classes.size(), no_label - 1);
  std::vector<ImageEntry> images;
  const std::size_t flat = take_images(folder, no_label, images);
  if (flat > 0 && !classes.empty()) {
    throw Error("{}: {} images beside {} sub-folders: give one sub-folder for each class, or images alone",
                folder.string(), flat, classes.size());
  }
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (take_images(classes[i], static_cast<Label>(i), images) == 0)
      throw Error("{}: no .png, .jpg or .jpeg in it, and sub-folders are classes: fill it or take it out",
                  classes[i].string());
  }
  if (images.empty()) throw Error("{}: no .png, .jpg or .jpeg in it", folder.string());
  return images;
}

/// Runs `work`, its complaints with the image's path.
template <class Work>
auto about(const ImageEntry& image, Work work) {
  try {
    return work();
  } catch (const Error& problem) {
    throw Error("{}: {}", image.path.string(), problem.what());
  }
}

/// The shape that all samples will have; reads the header of each image.
Shape common_shape(const std::string& folder, std::vector<ImageEntry>& images,
                   const std::optional<ImageSize>& size) {
  std::uint32_t channels = 1;
  for (ImageEntry& image : images) {
    const MappedFile file(image.path);
    image.shape = about(image, [&] { return image_shape(file.bytes()); });
    channels = std::max(channels, image.shape.channels);
  }
  const Shape& first = images[0].shape;
  if (size) return {channels, size->height, size->width};
  for (const ImageEntry& image : images) {
    if (image.shape.height == first.height && image.shape.width == first.width) continue;
    throw Error("{}: {}x{} pixels, {} has {}x{}: to scale all to one size give --data folder:{},{}x{}",
                image.path.string(), image.shape.height, image.shape.width,
                images[0].path.filename().string(), first.height, first.width, folder, first.height,
                first.width);
  }
  return {channels, first.height, first.width};
}

void load(const ImageEntry& image, std::span<const std::byte> file, Shape shape, std::span<std::byte> out) {
  const Shape own{shape.channels, image.shape.height, image.shape.width};
  if (own == shape) return decode_image(file, shape.channels, out);
  std::vector<std::byte> pixels(own.bytes());
  decode_image(file, shape.channels, pixels);
  resize_image(pixels, own, out, shape);
}

class Folder final : public Dataset {
 public:
  Folder(std::string name, std::string digest, Shape shape, std::vector<Label> labels,
         std::vector<std::byte> pixels)
      : Dataset(std::move(name), std::move(digest), static_cast<SampleId>(labels.size()), shape),
        labels_(std::move(labels)),
        pixels_(std::move(pixels)) {}

  Label label(SampleId id) const override { return labels_[id]; }
  void copy(SampleId id, std::span<std::byte> out) const override {
    std::memcpy(out.data(), pixels_.data() + id * shape().bytes(), shape().bytes());
  }

 private:
  std::vector<Label> labels_;
  std::vector<std::byte> pixels_;  ///< of all samples
};

/// `DIR` or `DIR,HxW`: a name may hold commas, so only what looks like a size is one.
std::pair<std::string, std::optional<ImageSize>> parse_spec(std::string_view text) {
  const auto comma = text.rfind(',');
  if (comma == std::string_view::npos ||
      text.substr(comma + 1).find_first_not_of("0123456789x") != std::string_view::npos)
    return {std::string(text), std::nullopt};
  return {std::string(text.substr(0, comma)),
          parse_size(fmt::format("data 'folder:{}': size", text), text.substr(comma + 1))};
}

}  // namespace

std::unique_ptr<Dataset> open_folder(std::string_view spec) {
  const auto [folder, size] = parse_spec(spec);
  if (folder.empty()) throw UsageError("data 'folder:{}': give folder:DIR or folder:DIR,HxW", spec);
  if (!fs::is_directory(folder)) throw Error("{}: no such folder (give --data folder:DIR[,HxW])", folder);
  std::vector<ImageEntry> images = find_images(folder);
  const Shape shape = common_shape(folder, images, size);
  if (shape.bytes() > most_sample_bytes)
    throw UsageError("data 'folder:{}': {} bytes a sample: at most {}", spec, shape.bytes(),
                     most_sample_bytes);
  if (images.size() > most_bytes / shape.bytes()) {
    throw Error(
        "{}: {} images of {}x{}x{} take {} MB of memory, the limit is {}: give a size, as in "
        "folder:{},64x64, "
        "or save them as an .npy file, which is read from the disk (npy:FILE)",
        folder, images.size(), shape.channels, shape.height, shape.width, images.size() * shape.bytes() >> 20,
        most_bytes >> 20, folder);
  }
  std::vector<std::byte> pixels(images.size() * shape.bytes());
  std::vector<Label> labels;
  std::string digests = fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const MappedFile file(images[i].path);
    const auto out = std::span(pixels).subspan(i * shape.bytes(), shape.bytes());
    about(images[i], [&] { load(images[i], file.bytes(), shape, out); });
    labels.push_back(images[i].label);
    digests +=
        fmt::format("\n{} {} {}", images[i].label, digest(file.bytes()), images[i].path.filename().string());
  }
  return std::make_unique<Folder>(fs::path(folder).lexically_normal().filename().string(),
                                  digest(std::as_bytes(std::span(digests))), shape, std::move(labels),
                                  std::move(pixels));
}

}  // namespace dp
