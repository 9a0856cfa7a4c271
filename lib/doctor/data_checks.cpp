// SPDX-License-Identifier: MIT
#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "doctor/checks.hpp"
#include "plot/vega.hpp"
#include "wire/curve.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t batch = 64;
constexpr std::size_t least_agreement =
    998;  // of a thousand: one near-tie among the fixture's 512 may fall otherwise

std::string sha256(const fs::path& path) {
  return run_filter({"/usr/bin/env", "sha256sum", "--", path.string()}, "").substr(0, 64);
}

/// Predictions of samples [first, first + n).
Outcome predict(Backend& backend, const Dataset& data, std::size_t first, std::size_t n) {
  std::vector<SampleId> ids(n);
  std::vector<std::byte> pixels(n * data.shape().bytes());
  for (std::size_t i = 0; i < n; ++i) {
    ids[i] = static_cast<SampleId>(first + i);
    data.copy(ids[i], std::span(pixels).subspan(i * data.shape().bytes(), data.shape().bytes()));
  }
  return backend.run({data.shape(), ids, pixels});
}

std::optional<Role> role_of_file(const fs::path& path) {
  const std::string name = path.stem().string();
  return role_of_key_name(name.substr(0, name.find('-')));
}

}  // namespace

Finding check_sums(const std::string& subject, const fs::path& list, const fs::path& folder, Health missing,
                   const std::string& remedy) {
  std::istringstream lines(read_text(list));
  std::string absent;
  std::size_t right = 0;
  for (std::string sum, name; lines >> sum >> name;) {
    const fs::path path = folder / name;
    if (!fs::exists(path)) {
      absent = absent.empty() ? path.string() : absent;
    } else if (sha256(path) != sum) {
      return {Health::fail, subject,
              fmt::format("{}: its SHA-256 is not that of {}", path.string(), list.filename().string()),
              remedy};
    } else {
      ++right;
    }
  }
  if (right == 0 || (!absent.empty() && missing == Health::fail))
    return {missing, subject, fmt::format("{}: not there", absent), remedy};
  return {Health::ok, subject,
          fmt::format("{}: {} file{} verified{}", folder.string(), right, right == 1 ? "" : "s",
                      absent.empty() ? "" : ", others not fetched")};
}

Finding check_answers(const std::string& model, Backend& backend, const Dataset& data,
                      std::span<const Label> expected) {
  const std::string remedy = "weights, data and LibTorch do not belong together: install them again";
  const std::size_t total = std::min<std::size_t>(data.size(), expected.size());
  std::size_t same = 0;
  for (std::size_t first = 0; first < total; first += batch) {
    const Outcome outcome = predict(backend, data, first, std::min(batch, total - first));
    if (outcome.error != ErrorClass::none) return {Health::fail, model, outcome.message, remedy};
    for (std::size_t i = 0; i < outcome.predictions.size(); ++i)
      same += outcome.predictions[i] == expected[first + i];
  }
  const std::string found = fmt::format("{} of {} known answers", same, total);
  if (total > 0 && same * 1000 >= total * least_agreement) return {Health::ok, model, found};
  return {Health::fail, model, found, remedy};
}

Finding check_keys(const fs::path& folder) {
  std::size_t keys = 0;
  try {
    if (!fs::exists(folder))
      return {Health::ok, "keys",
              fmt::format("none in {} (needed beyond one host: dp-keygen --out keys)", folder.string())};
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() != ".key") continue;
      const auto role = role_of_file(entry.path());
      if (!role) continue;
      read_key(entry.path(), *role);
      ++keys;
    }
    if (fs::exists(folder / "public")) read_public_keys(folder / "public");
  } catch (const std::exception& problem) {
    return {Health::fail, "keys", problem.what()};
  }
  return {Health::ok, "keys", fmt::format("{}: {}, readable by their owner only", folder.string(), keys)};
}

}  // namespace dp
