// Schema, writer, reader and the kept files cannot drift apart: what is written is described, and required is exactly
// what every kept file has, old ones too.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "kept_runs.hpp"
#include "report/run_report.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using Json = nlohmann::json;
using Keys = std::set<std::string>;

/// A report in which nothing is absent and every list has an entry.
RunReport complete_report() {
  RunReport r;
  r.verdicts.resize(1);
  r.config = {{"stream", {{"seed", std::int64_t{1}}}}};
  r.workers.resize(1);
  r.workers[0].cpu_percent = MeanMax{};
  r.workers[0].rss_mb = MeanPeak{};
  r.slo.resize(1);
  r.workers[0].data_mb_peak = 1;
  r.stages = {{"route", MeanMax{}, MeanPeak{}, FirstLastPeak{}}};
  r.events.resize(1);
  r.series.resize(1);
  r.service_ms.resize(1);
  r.host.cpu_busy_percent = MeanMax{};
  r.host.memory_used_mb = MeanPeak{};
  return r;
}

Json written() { return Json::parse(write_run_report(complete_report())); }

Keys keys_of(const Json& object) {
  Keys keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

/// Calls visit(path, object) for each object but config and its options; `[]` stands for any entry of a list.
template <class Json_, class Visit>
void each_object(Json_&& json, const std::string& path, const Visit& visit) {
  if (path == "run.config") return;
  if (json.is_object()) {
    visit(path, json);
    for (auto& [key, value] : json.items()) each_object(value, path + "." + key, visit);
  } else if (json.is_array()) {
    for (auto& value : json) each_object(value, path + "[]", visit);
  }
}

/// By path of object: the keys of every kept file that has such an object, and those of any.
struct KeptKeys {
  std::map<std::string, Keys> always, ever;

  KeptKeys() {
    for (const KeptRun& run : kept_runs()) {
      each_object(Json::parse(run.text), "run", [this](const std::string& path, const Json& object) {
        const Keys keys = keys_of(object);
        const auto known = always.try_emplace(path, keys).first;
        std::erase_if(known->second, [&](const std::string& key) { return !keys.contains(key); });
        ever[path].insert(keys.begin(), keys.end());
      });
    }
  }
};

struct Schema {
  Json root = Json::parse(read_text(DP_SOURCE_DIR "/lib/report/run.schema.json"));

  const Json& resolved(const Json& node) const {
    if (!node.contains("$ref")) return node;
    return root.at(Json::json_pointer(node.at("$ref").get<std::string>().substr(1)));
  }
  /// What it says of the objects at `path`.
  const Json& at(const std::string& path) const {
    const Json* node = &root;
    for (std::size_t from = path.find_first_of(".["); from != std::string::npos;) {
      const std::size_t to = path.find_first_of(".[", from + 1);
      const std::string step = path.substr(from + 1, to == std::string::npos ? to : to - from - 1);
      node = &resolved(step == "]" ? node->at("items") : node->at("properties").at(step));
      from = to;
    }
    return *node;
  }
};

TEST(RunSchema, DescribesExactlyTheKeysThatAreWritten) {
  const Schema schema;
  each_object(written(), "run", [&](const std::string& path, const Json& object) {
    EXPECT_EQ(keys_of(object), keys_of(schema.at(path).at("properties"))) << path;
    EXPECT_EQ(schema.at(path).at("additionalProperties"), false) << path;
  });
}

TEST(RunSchema, RequiresExactlyTheKeysThatEveryKeptFileHas) {
  const Schema schema;
  for (const auto& [path, keys] : KeptKeys().always)
    EXPECT_EQ(schema.at(path).at("required").get<Keys>(), keys) << path;
}

TEST(RunReader, RequiresExactlyTheKeysThatTheSchemaRequires) {
  const Schema schema;
  const Json whole = written();
  each_object(whole, "run", [&](const std::string& path, const Json& object) {
    const Keys required = schema.at(path).at("required").get<Keys>();
    for (const auto& [key, value] : object.items()) {
      Json without = whole;
      each_object(without, "run", [&, &left_out = key](const std::string& there, Json& same) {
        if (there == path) same.erase(left_out);
      });
      bool read = true;
      try {
        parse_run_report(without.dump(), "x");
      } catch (const Error&) {
        read = false;
      }
      EXPECT_EQ(read, !required.contains(key)) << path << "." << key;
    }
  });
}

TEST(RunWriter, WritesNoKeyThatNoKeptFileHas) {
  const KeptKeys kept;
  each_object(written(), "run", [&](const std::string& path, const Json& object) {
    EXPECT_EQ(keys_of(object), kept.ever.at(path))
        << path << ": keep a file with the new keys in tests/cli/data/runs/";
  });
}

TEST(RunSchema, IsOfTheVersionThatIsWritten) {
  EXPECT_EQ(Schema().root.at("properties").at("schema").at("const"), std::string(RunReport::schema));
}

}  // namespace
}  // namespace dp
