// SPDX-License-Identifier: MIT
#include "data/image_tree.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

enum class Kind { image, folder, other_image, link_to_nothing, no_file, no_image };

constexpr std::array<std::string_view, 3> read_here = {".png", ".jpg", ".jpeg"};
// ImageFolder's other endings, and one that people expect.
constexpr std::array<std::string_view, 7> not_read_here = {".ppm", ".bmp",  ".pgm", ".tif",
                                                           ".tiff", ".webp", ".gif"};

Kind kind_of(const fs::path& path) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (fs::is_directory(status)) return Kind::folder;
  if (!fs::exists(status)) {
    if (fs::is_symlink(fs::symlink_status(path, problem))) return Kind::link_to_nothing;
    throw Error("{}: {}", path.string(), problem ? problem.message() : "gone meanwhile");
  }
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  if (std::ranges::find(not_read_here, ending) != not_read_here.end()) return Kind::other_image;
  if (std::ranges::find(read_here, ending) == read_here.end()) return Kind::no_image;
  return fs::is_regular_file(status) ? Kind::image : Kind::no_file;
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

/// How many of a kind were left out, and the first of them.
struct LeftOut {
  const char* what;
  std::size_t count = 0;
  std::string first = {};
};

class Finder {
 public:
  explicit Finder(fs::path folder) : folder_(std::move(folder)) {}

  std::vector<ImageEntry> find() {
    std::vector<fs::path> classes, flat;
    for (const fs::path& path : listing(folder_)) {
      if (const Kind kind = seen(path); kind == Kind::folder) classes.push_back(path);
      else if (kind == Kind::image) flat.push_back(path);
    }
    if (classes.size() >= no_label)
      throw Error("{}: {} sub-folders: at most {} classes", folder_.string(), classes.size(), no_label - 1);
    if (!flat.empty() && !classes.empty())
      throw Error("{}: {} images beside {} sub-folders: give one sub-folder for each class, or images alone",
                  folder_.string(), flat.size(), classes.size());
    for (const fs::path& path : flat) images_.push_back({path, path.filename().string(), no_label});
    for (std::size_t i = 0; i < classes.size(); ++i) take_class(classes[i], static_cast<Label>(i));
    if (images_.empty()) throw Error("{}: no .png, .jpg or .jpeg in it{}", folder_.string(), in_brackets());
    return std::move(images_);
  }

  /// "links to nothing (2, such as x/a.png); …"; "" if nothing was left out.
  std::string passed_over() const {
    std::string text;
    for (const LeftOut& kind : {links_, formats_, no_files_, rounds_}) {
      if (kind.count == 0) continue;
      text +=
          fmt::format("{}{} ({}, such as {})", text.empty() ? "" : "; ", kind.what, kind.count, kind.first);
    }
    return text;
  }

 private:
  using Place = std::pair<dev_t, ino_t>;

  /// Its kind; counted if it is left out and no matter of course.
  Kind seen(const fs::path& path) {
    const Kind kind = kind_of(path);
    if (kind == Kind::link_to_nothing) leave_out(links_, path);
    if (kind == Kind::other_image) leave_out(formats_, path);
    if (kind == Kind::no_file) leave_out(no_files_, path);
    return kind;
  }

  void leave_out(LeftOut& kind, const fs::path& path) const {
    if (kind.count++ == 0) kind.first = path.lexically_relative(folder_).string();
  }

  /// By folder, then by name: the order of sorted(os.walk(…)).
  void take_class(const fs::path& folder, Label label) {
    std::map<std::string, std::vector<fs::path>> images;
    std::vector<Place> above;
    walk(folder, above, images);
    const std::size_t before = images_.size();
    for (const auto& [place, paths] : images) {
      for (const fs::path& path : paths)
        images_.push_back({path, path.lexically_relative(folder).string(), label});
    }
    if (images_.size() == before)
      throw Error("{}: no .png, .jpg or .jpeg in it{}, and sub-folders are classes: fill it or take it out",
                  folder.string(), in_brackets());
  }

  /// Follows links, but not back to a folder that it is in.
  void walk(const fs::path& folder, std::vector<Place>& above,
            std::map<std::string, std::vector<fs::path>>& images) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) throw Error("{}: gone meanwhile", folder.string());
    const Place place{status.st_dev, status.st_ino};
    if (std::ranges::find(above, place) != above.end()) return leave_out(rounds_, folder);
    above.push_back(place);
    for (const fs::path& path : listing(folder)) {
      if (const Kind kind = seen(path); kind == Kind::folder) walk(path, above, images);
      else if (kind == Kind::image) images[folder.string()].push_back(path);
    }
    above.pop_back();
  }

  std::string in_brackets() const {
    const std::string text = passed_over();
    return text.empty() ? text : fmt::format(" (passed over: {})", text);
  }

  fs::path folder_;
  std::vector<ImageEntry> images_;
  LeftOut links_{"links to nothing"}, formats_{"images that are neither PNG nor JPEG"},
      no_files_{"what has an image's name but is no file"}, rounds_{"links back to a folder they are in"};
};

}  // namespace

ImageTree find_images(const fs::path& folder) {
  Finder finder(folder);
  std::vector<ImageEntry> images = finder.find();
  return {std::move(images), finder.passed_over()};
}

}  // namespace dp
