// The published schema of run.json and what is written cannot drift apart: each key of one is a key of the other.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/file.hpp"
#include "report/run_report.hpp"
#include "support/source_dir.hpp"

namespace dp {
namespace {

using Json = nlohmann::json;

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

struct Schema {
  Json root;

  const Json& resolved(const Json& node) const {
    if (!node.contains("$ref")) return node;
    return root.at(Json::json_pointer(node.at("$ref").get<std::string>().substr(1)));
  }

  /// Compares the keys of `value` and all below it with what the schema describes and requires.
  void compare(const Json& value, const Json& described, const std::string& where) const {
    const Json& node = resolved(described);
    if (value.is_array() && !value.empty()) return compare(value[0], node.at("items"), where + "[]");
    if (!value.is_object() || !node.contains("properties")) return;
    std::set<std::string> written, allowed, required = node.at("required").get<std::set<std::string>>();
    for (const auto& [key, inner] : value.items()) written.insert(key);
    for (const auto& [key, inner] : node.at("properties").items()) allowed.insert(key);
    EXPECT_EQ(written, allowed) << where;
    EXPECT_EQ(written, required) << where;
    EXPECT_EQ(node.at("additionalProperties"), false) << where;
    for (const auto& [key, inner] : value.items()) {
      if (allowed.contains(key)) compare(inner, node.at("properties").at(key), where + "." + key);
    }
  }
};

TEST(RunSchema, DescribesAndRequiresExactlyTheKeysThatAreWritten) {
  const Schema schema{Json::parse(read_text(DP_SOURCE_DIR "/lib/report/run.schema.json"))};
  schema.compare(Json::parse(write_run_report(complete_report())), schema.root, "run");
}

TEST(RunSchema, IsOfTheVersionThatIsWritten) {
  const Json schema = Json::parse(read_text(DP_SOURCE_DIR "/lib/report/run.schema.json"));
  EXPECT_EQ(schema.at("properties").at("schema").at("const"), std::string(RunReport::schema));
}

}  // namespace
}  // namespace dp
