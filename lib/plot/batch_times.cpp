// SPDX-License-Identifier: MIT
#include "plot/batch_times.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* schema = "dp.events/1";

void add_line(const Json& line, BatchTimes& times) {
  const auto type = line.at("type").get<std::string>();
  if (type == "run") times.run_id = line.at("run_id");
  if (type != "batch" || line.at("status") != "ok") return;
  times.batches.push_back({line.at("id"), line.at("samples"), line.at("worker"), line.at("scheduled_ms"),
                           line.at("routed_ms"), line.at("started_ms"), line.at("done_ms"),
                           line.at("collected_ms"), line.at("latency_ms")});
}

/// The run an events file is of; "" where it is none.
std::string run_of(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const Json header = Json::parse(line, nullptr, false);
  if (!header.is_object() || header.value("schema", Json()) != schema || !header.contains("run_id"))
    return "";
  return header.at("run_id").is_string() ? header.at("run_id").get<std::string>() : "";
}

}  // namespace

BatchTimes read_batch_times(const fs::path& path) {
  const std::string text = read_text(path);
  BatchTimes times;
  std::size_t number = 1;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1, ++number) {
    try {
      add_line(Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                           text.begin() + static_cast<std::ptrdiff_t>(end)),
               times);
    } catch (const Json::exception&) {
      throw Error("{}: line {} is none of {} (is it what dp-collect --events wrote?)", path.string(), number,
                  schema);
    }
  }
  if (times.run_id.empty())
    throw Error("{}: does not say which run it is of (is it what dp-collect --events wrote?)", path.string());
  std::stable_sort(times.batches.begin(), times.batches.end(),
                   [](const BatchTime& a, const BatchTime& b) { return a.routed_ms < b.routed_ms; });
  return times;
}

std::vector<fs::path> events_beside(const std::vector<MeasuredRun>& runs) {
  std::set<std::string> ids;
  std::set<fs::path> folders, found;
  for (const MeasuredRun& run : runs) {
    ids.insert(run.report.run_id);
    folders.insert(fs::absolute(run.file).parent_path());
  }
  for (const fs::path& folder : folders) {
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
      if (entry.path().extension() == ".ndjson" && entry.is_regular_file() &&
          ids.contains(run_of(entry.path())))
        found.insert(entry.path());
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace dp
