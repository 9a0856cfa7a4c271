// SPDX-License-Identifier: MIT
#include "plot/templates.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

PlotJson read_json(const fs::path& path) {
  PlotJson json = PlotJson::parse(read_text(path), nullptr, false);
  if (json.is_discarded())
    throw Error("{}: not JSON (mend the template, or give another --templates DIR)", path.string());
  return json;
}

/// Puts values and parts in place of the strings that name them, at every depth.
class Filler {
 public:
  Filler(const fs::path& path, const PlotValues& values, const PlotJson& parts)
      : path_(path), values_(values), parts_(parts) {}

  void fill(PlotJson& json) const {
    if (json.is_string()) fill_string(json);
    else if (json.is_array()) fill_array(json);
    else if (json.is_object()) {
      for (auto& inner : json) fill(inner);
    }
  }

 private:
  void fill_string(PlotJson& json) const {
    const auto name = json.get<std::string>();
    if (!name.starts_with('$')) return;
    if (const auto value = values_.find(name); value != values_.end()) {
      json = value->second;
    } else if (const auto part = parts_.find(name); part != parts_.end()) {
      json = *part;
      fill(json);
    } else {
      throw Error("{}: nothing is known of \"{}\" (mend the template, or give another --templates DIR)",
                  path_.string(), name);
    }
  }
  void fill_array(PlotJson& array) const {
    PlotJson kept = PlotJson::array();
    for (PlotJson& inner : array) {
      fill(inner);
      if (wanted(inner)) kept.push_back(std::move(inner));
    }
    array = std::move(kept);
  }
  static bool wanted(PlotJson& json) {
    if (!json.is_object() || !json.contains("$when")) return true;
    const bool condition = json.at("$when") == true;
    json.erase("$when");
    return condition;
  }

  const fs::path& path_;
  const PlotValues& values_;
  const PlotJson& parts_;
};

}  // namespace

Templates::Templates(fs::path folder)
    : folder_(std::move(folder)),
      palette_(read_json(folder_ / "palette.json")),
      parts_(read_json(folder_ / "parts.json")) {}

Picture Templates::fill(const std::string& name, const std::string& source, const PlotValues& values) const {
  const fs::path path = folder_ / (source + ".vl.json");
  PlotJson spec = read_json(path);
  Filler(path, values, parts_).fill(spec);
  return {name, spec.dump(1) + "\n"};
}

std::vector<StrategyLook> Templates::looks(const std::vector<std::string>& strategies) const {
  std::vector<StrategyLook> looks;
  std::size_t next = 0;
  try {
    const PlotJson &known = palette_.at("strategies"), &others = palette_.at("others");
    for (const std::string& s : strategies) {
      const PlotJson& look = known.contains(s) ? known.at(s) : others.at(next++ % others.size());
      looks.push_back({look.at("fill"), look.at("ink"), look.at("shape"), look.at("dash")});
    }
  } catch (const PlotJson::exception& e) {
    throw Error("{}: {}", (folder_ / "palette.json").string(), e.what());
  }
  return looks;
}

std::vector<std::string> Templates::stage_fills(const std::vector<std::string>& stages) const {
  std::vector<std::string> fills;
  try {
    for (const std::string& stage : stages) fills.push_back(palette_.at("stages").at(stage));
  } catch (const PlotJson::exception& e) {
    throw Error("{}: {}", (folder_ / "palette.json").string(), e.what());
  }
  return fills;
}

}  // namespace dp
