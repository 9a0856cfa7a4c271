// The folder of vega-lite templates: reading one, and putting values in place of the strings that begin with `$`.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plot/picture.hpp"

namespace dp {

using PlotJson = nlohmann::ordered_json;
using PlotValues = std::map<std::string, PlotJson>;

/// How one strategy looks in every picture.
struct StrategyLook {
  std::string fill;          ///< colour
  std::string ink;           ///< colour of text on the fill
  std::string shape;         ///< of points, a name of Vega's or an SVG path
  std::vector<double> dash;  ///< of lines, px on and off
};

class Templates {
 public:
  /// Reads palette.json and parts.json. Throws Error naming the file.
  explicit Templates(std::filesystem::path folder);

  /// The picture `name`, from `source`.vl.json (as a rule `name`.vl.json). A string found in `values` becomes that
  /// value, one found in parts.json that part, itself filled in; an object of an array that has "$when" stays only
  /// where the value named there is true. Throws Error naming the file, or the string that nothing is known of.
  Picture fill(const std::string& name, const std::string& source, const PlotValues& values) const;

  /// The looks of these strategies, in their order: one strategy looks the same in any company that palette.json
  /// knows; others are given theirs in turn.
  std::vector<StrategyLook> looks(const std::vector<std::string>& strategies) const;

  /// The colours of stages of a batch, in their order. Throws Error naming palette.json.
  std::vector<std::string> stage_fills(const std::vector<std::string>& stages) const;

 private:
  std::filesystem::path folder_;
  PlotJson palette_, parts_;
};

}  // namespace dp
