// Writes what the corpora of the coded formats begin with: one message and one journal record of each type, arrays and
// images of each kind, and small tensors of real weights files.
// Usage: fuzz_seeds FOLDER WEIGHTS.safetensors…   (fills FOLDER/wire, journal, npy, image and safetensors)
// SPDX-License-Identifier: MIT
#include <png.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/options.hpp"
#include "collect/journal.hpp"
#include "data/npy.hpp"
#include "infer/safetensors.hpp"
#include "make_jpeg.hpp"
#include "sample_messages.hpp"
#include "wire_input.hpp"

namespace {

namespace fs = std::filesystem;

void write_messages(const fs::path& folder) {
  dp::sample::for_each_type([&]<class M>() {
    dp::Message filled = dp::sample::filled<M>(), plain = M{};
    const auto name = std::to_string(filled.index());
    dp::write_atomically(folder / (name + "-filled"), dp::fuzz::WireInput::join(dp::sample::encoded(filled)));
    dp::write_atomically(folder / (name + "-plain"), dp::fuzz::WireInput::join(dp::sample::encoded(plain)));
  });
}

/// Each record behind the one that a journal begins with, and all of them.
void write_journals(const fs::path& folder) {
  std::string all, opened;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto write = [&](dp::JournalRecord record) {
      const bool first = std::holds_alternative<dp::Opened>(record);
      if (first) std::get<dp::Opened>(record).format = dp::journal_format;
      dp::append_record(all, record);
      if (first) opened = all;
      std::string two = opened;
      dp::append_record(two, record);
      dp::write_atomically(folder / std::to_string(record.index()), two);
    };
    (write(dp::sample::filled<std::variant_alternative_t<I, dp::JournalRecord>>()), ...);
  }
  (std::make_index_sequence<std::variant_size_v<dp::JournalRecord>>());
  dp::write_atomically(folder / "all", all);
}

std::string array_of(dp::NpyType type, const std::vector<std::uint64_t>& shape) {
  std::size_t bytes = dp::element_size(type);
  for (const std::uint64_t n : shape) bytes *= n;
  return dp::npy_header(type, shape) + std::string(bytes, '\0');
}

/// Pictures of each type and order, alone and with labels behind them (npy_fuzz.cpp says where the files part).
void write_arrays(const fs::path& folder) {
  using enum dp::NpyType;
  dp::write_atomically(folder / "u8", '@' + array_of(u8, {2, 3, 4, 4}));
  dp::write_atomically(folder / "f32-channels-last", '@' + array_of(f32, {2, 4, 4, 1}));
  for (const dp::NpyType labels : {u8, u16, u32, u64, i8, i16, i32, i64}) {
    dp::write_atomically(folder / dp::name_of(labels),
                         '+' + array_of(u8, {2, 3, 4, 4}) + array_of(labels, {2}));
  }
}

void write_images(const fs::path& folder) {
  std::array<unsigned char, std::size_t{8} * 8 * 4> pixels{};
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<unsigned char>(i * 7);
  const auto text = [](const auto* bytes, std::size_t size) {
    return std::string(reinterpret_cast<const char*>(bytes), size);
  };
  for (const auto& [name, format] : {std::pair{"grey.png", PNG_FORMAT_GRAY},
                                     {"colour.png", PNG_FORMAT_RGB},
                                     {"clear.png", PNG_FORMAT_RGBA},
                                     {"deep.png", PNG_FORMAT_LINEAR_Y}}) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = image.height = 8;
    image.format = static_cast<png_uint_32>(format);
    std::array<unsigned char, 4096> file{};
    png_alloc_size_t size = file.size();
    if (!png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr))
      throw dp::Error("{}: {}", name, image.message);
    dp::write_atomically(folder / name, text(file.data(), size));
  }
  const std::vector<unsigned char> levels(pixels.begin(), pixels.begin() + std::ptrdiff_t{3} * 64);
  dp::write_atomically(folder / "grey.jpg", dp::make_jpeg(8, 8, levels, {.colour = false, .quality = 80}));
  dp::write_atomically(folder / "colour.jpg", dp::make_jpeg(8, 8, levels, {.chroma = 2, .quality = 80}));
  dp::write_atomically(folder / "progressive.jpg",
                       dp::make_jpeg(8, 8, levels, {.progressive = true, .quality = 80}));
  dp::write_atomically(folder / "restarts.jpg",
                       dp::make_jpeg(8, 8, levels, {.quality = 80, .restart_every = 1}));
}

/// The file's first few tensors of at most 512 bytes, and its metadata.
std::string small_copy(const dp::Safetensors& weights) {
  constexpr std::size_t most_tensors = 4, most_bytes = 512;
  static constexpr const char* dtypes[] = {"F16", "BF16", "F32", "I64"};
  nlohmann::json header;
  std::string data;
  if (!weights.metadata().empty()) header["__metadata__"] = weights.metadata();
  for (const auto& [name, view] : weights.tensors()) {
    if (view.bytes.size() > most_bytes || header.size() > most_tensors) continue;
    header[name] = {{"dtype", dtypes[static_cast<int>(view.dtype)]},
                    {"shape", view.shape},
                    {"data_offsets", {data.size(), data.size() + view.bytes.size()}}};
    data.append(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data;
}

}  // namespace

int main(int argc, char** argv) {
  return dp::run_main("fuzz_seeds", [&] {
    if (argc < 2) throw dp::UsageError("give a folder");
    const fs::path folder = argv[1];
    write_messages(folder / "wire");
    write_journals(folder / "journal");
    write_arrays(folder / "npy");
    write_images(folder / "image");
    for (int i = 2; i < argc; ++i) {
      const fs::path weights = argv[i];
      dp::write_atomically(folder / "safetensors" / weights.stem(), small_copy(dp::Safetensors(weights)));
    }
    return dp::Exit::done;
  });
}
