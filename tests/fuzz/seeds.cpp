// Writes what the corpora of the coded formats begin with: one message and one journal record of each type, and small
// tensors of real weights files.
// Usage: fuzz_seeds FOLDER WEIGHTS.safetensors…   (fills FOLDER/wire, FOLDER/journal and FOLDER/safetensors)
// SPDX-License-Identifier: MIT
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/options.hpp"
#include "collect/journal.hpp"
#include "infer/safetensors.hpp"
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
    for (int i = 2; i < argc; ++i) {
      const fs::path weights = argv[i];
      dp::write_atomically(folder / "safetensors" / weights.stem(), small_copy(dp::Safetensors(weights)));
    }
    return dp::Exit::done;
  });
}
