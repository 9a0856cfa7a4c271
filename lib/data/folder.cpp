// A folder of PNG and JPEG images (image_tree.hpp says which), decoded once when it is opened, so that no run waits for a
// decoder. All must be of one size, or a size is given and every image is scaled to it.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/options.hpp"
#include "data/dataset.hpp"
#include "data/image_file.hpp"
#include "data/image_tree.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_bytes = std::size_t{4} << 30;

/// An image and what its header says.
struct SizedImage : ImageEntry {
  Shape shape;
};

/// Runs `work`, its complaints with the image's path.
template <class Work>
auto about(const SizedImage& image, Work work) {
  try {
    return work();
  } catch (const Error& problem) {
    throw Error("{}: {}", image.path.string(), problem.what());
  }
}

/// The shape that all samples will have; reads the header of each image.
Shape common_shape(const std::string& folder, std::vector<SizedImage>& images,
                   const std::optional<ImageSize>& size) {
  std::uint32_t channels = 1;
  for (SizedImage& image : images) {
    const MappedFile file(image.path);
    image.shape = about(image, [&] { return image_shape(file.bytes()); });
    channels = std::max(channels, image.shape.channels);
  }
  const Shape& first = images[0].shape;
  if (size) return {channels, size->height, size->width};
  for (const SizedImage& image : images) {
    if (image.shape.height == first.height && image.shape.width == first.width) continue;
    throw Error("{}: {}x{} pixels, {} has {}x{}: to scale all to one size give --data folder:{},{}x{}",
                image.path.string(), image.shape.height, image.shape.width,
                images[0].path.filename().string(), first.height, first.width, folder, first.height,
                first.width);
  }
  return {channels, first.height, first.width};
}

ImageRemark load(const SizedImage& image, std::span<const std::byte> file, Shape shape,
                 std::span<std::byte> out) {
  const Shape own{shape.channels, image.shape.height, image.shape.width};
  if (own == shape) return decode_image(file, shape.channels, out);
  std::vector<std::byte> pixels(own.bytes());
  ImageRemark remark = decode_image(file, shape.channels, pixels);
  resize_image(pixels, own, out, shape);
  return remark;
}

/// What is to be said of the images, however many they are.
class Remarks {
 public:
  void add(const SizedImage& image, const ImageRemark& remark) {
    if (!remark.complaint.empty() && complaints_++ == 0)
      first_complaint_ = fmt::format("{} ({})", image.path.string(), remark.complaint);
    if (remark.cut_off && cut_off_++ == 0) first_cut_off_ = image.path.string();
  }
  std::vector<std::string> lines(const std::string& folder, const std::string& passed_over) const {
    std::vector<std::string> lines;
    if (!passed_over.empty()) lines.push_back(fmt::format("{}: passed over: {}", folder, passed_over));
    if (complaints_ > 0)
      lines.push_back(
          fmt::format("{}: damaged, but read: {} images, such as {}", folder, complaints_, first_complaint_));
    if (cut_off_ > 0)
      lines.push_back(
          fmt::format("{}: 16-bit grey above 255 became 255, as in Pillow: {} images, such as {}: save them with "
                      "8 bits",
                      folder, cut_off_, first_cut_off_));
    return lines;
  }

 private:
  std::size_t complaints_ = 0, cut_off_ = 0;
  std::string first_complaint_, first_cut_off_;
};

class Folder final : public Dataset {
 public:
  Folder(std::string name, std::string digest, Shape shape, std::vector<std::string> remarks,
         std::vector<Label> labels, std::vector<std::byte> pixels)
      : Dataset(std::move(name), std::move(digest), static_cast<SampleId>(labels.size()), shape,
                std::move(remarks)),
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

/// The folder's own name, however it was given: "imgs", "imgs/", "." within it.
std::string name_of(const std::string& folder) {
  fs::path path = fs::absolute(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.has_filename() ? path.filename().string() : path.string();
}

}  // namespace

std::unique_ptr<Dataset> open_folder(std::string_view spec) {
  const auto [folder, size] = parse_spec(spec);
  if (folder.empty()) throw UsageError("data 'folder:{}': give folder:DIR or folder:DIR,HxW", spec);
  if (!fs::is_directory(folder)) throw Error("{}: no such folder (give --data folder:DIR[,HxW])", folder);
  ImageTree tree = find_images(folder);
  std::vector<SizedImage> images;
  for (ImageEntry& entry : tree.images) images.push_back({std::move(entry), {}});
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
  Remarks remarks;
  std::string digests = fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const MappedFile file(images[i].path);
    const auto out = std::span(pixels).subspan(i * shape.bytes(), shape.bytes());
    remarks.add(images[i], about(images[i], [&] { return load(images[i], file.bytes(), shape, out); }));
    labels.push_back(images[i].label);
    digests += fmt::format("\n{} {} {}", images[i].label, digest(file.bytes()), images[i].name);
  }
  return std::make_unique<Folder>(name_of(folder), digest(std::as_bytes(std::span(digests))), shape,
                                  remarks.lines(folder, tree.passed_over), std::move(labels),
                                  std::move(pixels));
}

}  // namespace dp
