// From cells to vega-lite specifications.
// SPDX-License-Identifier: MIT
#include "plot/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/options.hpp"
#include "report/sweep.hpp"

namespace dp {
namespace {

using Json = nlohmann::ordered_json;
using Values = std::map<std::string, Json>;

constexpr std::size_t chart_width = 560;       ///< px, at least
constexpr std::size_t bar_step = 38;           ///< px a bar, at least: room for five digits
constexpr std::size_t widest_bar = 90;         ///< px
constexpr std::size_t title_character = 10;    ///< px, a little more than the mean of the template's font
constexpr std::size_t subtitle_character = 7;  ///< px

Json read_json(const std::filesystem::path& path) {
  Json json = Json::parse(read_text(path), nullptr, false);
  if (json.is_discarded())
    throw Error("{}: not JSON (mend the template, or give another --templates DIR)", path.string());
  return json;
}

/// Puts the value of each string that names one in its place, at every depth.
void substitute(Json& json, const Values& values) {
  if (json.is_string()) {
    const auto found = values.find(json.get<std::string>());
    if (found != values.end()) json = found->second;
  } else if (json.is_structured()) {
    for (Json& inner : json) substitute(inner, values);
  }
}

/// Breaks a sentence at spaces into lines of at most `line_length` characters.
Json lines_of(const std::string& sentence, std::size_t line_length) {
  Json lines = Json::array();
  std::string line;
  for (const std::string& word : split(sentence, ' ')) {
    if (!line.empty() && line.size() + 1 + word.size() > line_length) {
      lines.push_back(line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  lines.push_back(line);
  return lines;
}

template <class T>
Json or_null(const std::optional<T>& x) {
  return x ? Json(*x) : Json(nullptr);
}

/// Fill and ink of each strategy, from palette.json.
class Palette {
 public:
  Palette(const std::filesystem::path& templates, const std::vector<std::string>& strategies) {
    const std::filesystem::path path = templates / "palette.json";
    const Json json = read_json(path);
    std::size_t next = 0;
    try {
      for (const std::string& s : strategies) {
        const Json& known = json.at("strategies");
        const Json& others = json.at("others");
        colours_[s] = known.contains(s) ? known.at(s) : others.at(next++ % others.size());
        fills.push_back(colours_[s].at("fill"));
      }
    } catch (const Json::exception& e) {
      throw Error("{}: {}", path.string(), e.what());
    }
  }
  Json ink(const std::string& strategy) const { return colours_.at(strategy).at("ink"); }

  Json fills = Json::array();

 private:
  std::map<std::string, Json> colours_;
};

std::vector<std::string> strategies_of(const std::vector<PlotCell>& cells) {
  std::set<std::pair<std::size_t, std::string>> ordered;
  for (const PlotCell& c : cells) ordered.emplace(strategy_order(c.strategy), c.strategy);
  std::vector<std::string> strategies;
  for (const auto& [order, name] : ordered) strategies.push_back(name);
  return strategies;
}

std::string label_of_nodes(const PlotCell& c) { return fmt::format("{}", c.nodes); }

/// What both pictures need: title, order of the axes, colours, widths.
Values common_values(const std::vector<PlotCell>& cells, const std::vector<std::string>& strategies,
                     const Palette& palette, const std::string& title, const std::string& subtitle) {
  std::set<std::uint32_t> nodes;
  for (const PlotCell& c : cells) nodes.insert(c.nodes);
  Json labels = Json::array();
  for (std::uint32_t n : nodes) labels.push_back(fmt::format("{}", n));
  const std::size_t step = std::max(bar_step * strategies.size() * 4 / 3, chart_width / nodes.size());
  const bool one_host = cells.front().nodes_are == "processes of one host";
  return {{"$title", lines_of(title, step * nodes.size() / title_character)},
          {"$subtitle", lines_of(subtitle, step * nodes.size() / subtitle_character)},
          {"$strategies", strategies},
          {"$fills", palette.fills},
          {"$nodes", labels},
          {"$nodes_title", one_host ? "nodes (processes of one host)" : "nodes"},
          {"$step", step},
          {"$bar", std::min(step * 7 / 10 / strategies.size(), widest_bar)}};
}

bool any_oversubscribed(const std::vector<PlotCell>& cells) {
  return std::any_of(cells.begin(), cells.end(), [](const PlotCell& c) { return c.oversubscribed; });
}

std::string iterations_text(const std::vector<PlotCell>& cells, std::uint64_t PlotCell::*runs) {
  std::uint64_t most = 0;
  for (const PlotCell& c : cells) most = std::max(most, c.*runs);
  return most == 1 ? "one iteration" : fmt::format("{} iterations", most);
}

/// Capacity that the strategy's smallest node count promises; not drawn where the host has no cores for it.
std::optional<double> ideal_of(const PlotCell& cell, const std::vector<PlotCell>& cells) {
  const PlotCell* base = &cell;
  for (const PlotCell& c : cells) {
    if (c.strategy == cell.strategy && c.capacity && c.nodes < base->nodes) base = &c;
  }
  if (base == &cell || cell.oversubscribed) return std::nullopt;
  return *base->capacity * cell.nodes / base->nodes;
}

Json throughput_row(const PlotCell& c, const std::vector<PlotCell>& cells, const Palette& palette) {
  const double half = c.capacity_ci95.value_or(0);
  Json row{{"strategy", c.strategy}, {"nodes_label", label_of_nodes(c)}, {"capacity", *c.capacity}};
  row["low"] = c.capacity_ci95 ? Json(std::max(0.0, *c.capacity - half)) : Json(nullptr);
  row["high"] = c.capacity_ci95 ? Json(*c.capacity + half) : Json(nullptr);
  row["ideal"] = or_null(ideal_of(c, cells));
  row["oversubscribed"] = c.oversubscribed;
  row["label"] = c.valid_at_max == 0 ? "invalid" : fmt::format("{:.0f}", *c.capacity);
  row["ink"] = c.oversubscribed ? Json("#000000") : palette.ink(c.strategy);
  return row;
}

std::string throughput_subtitle(const std::vector<PlotCell>& cells, const Json& rows) {
  const bool has =
      std::any_of(rows.begin(), rows.end(), [](const Json& row) { return !row["low"].is_null(); });
  const bool ideal =
      std::any_of(rows.begin(), rows.end(), [](const Json& row) { return !row["ideal"].is_null(); });
  std::string text = "As fast as possible; mean of " + iterations_text(cells, &PlotCell::runs_at_max);
  if (has) text += ", whiskers: 95 % confidence interval";
  if (ideal) text += ". Black ticks: ideal scaling";
  if (any_oversubscribed(cells)) text += ". Pale, dashed bars: oversubscribed, more threads than cores";
  return text + ".";
}

std::string latency_note(const PlotCell& c) {
  if (c.overloaded) return "overloaded";
  if (c.valid_at_rate == 0) return "invalid";
  if (!c.p50_ms) return "too few batches";
  return c.p95_ms ? "" : "p95: too few batches";
}

Json latency_row(const PlotCell& c) {
  return {{"strategy", c.strategy},   {"nodes_label", label_of_nodes(c)},   {"p50", or_null(c.p50_ms)},
          {"p95", or_null(c.p95_ms)}, {"oversubscribed", c.oversubscribed}, {"note", latency_note(c)}};
}

std::string latency_subtitle(const std::vector<PlotCell>& cells) {
  std::string text = "From a sample's scheduled arrival to its recorded result, mean of " +
                     iterations_text(cells, &PlotCell::runs_at_rate);
  if (std::any_of(cells.begin(), cells.end(), [](const PlotCell& c) { return c.overloaded; })) {
    text += ". Overloaded: rate above capacity, no latency to state";
  }
  if (any_oversubscribed(cells)) text += ". Pale: oversubscribed, more threads than cores";
  return text + ".";
}

Picture fill(const std::string& name, const std::filesystem::path& templates, const Values& values) {
  Json spec = read_json(templates / (name + ".vl.json"));
  substitute(spec, values);
  return {name, spec.dump(1) + "\n"};
}

std::vector<PlotCell> those(const std::vector<PlotCell>& cells, std::uint64_t PlotCell::*runs) {
  std::vector<PlotCell> kept;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(kept),
               [&](const PlotCell& c) { return c.*runs > 0; });
  return kept;
}

Picture throughput_picture(const std::vector<PlotCell>& cells, const std::filesystem::path& templates) {
  const auto strategies = strategies_of(cells);
  const Palette palette(templates, strategies);
  Json rows = Json::array();
  for (const PlotCell& c : cells) rows.push_back(throughput_row(c, cells, palette));
  Values values =
      common_values(cells, strategies, palette, throughput_finding(cells), throughput_subtitle(cells, rows));
  values["$rows"] = std::move(rows);
  return fill("streaming_throughput_comparison", templates, values);
}

Picture latency_picture(const std::vector<PlotCell>& cells, const std::filesystem::path& templates) {
  const auto strategies = strategies_of(cells);
  Values values = common_values(cells, strategies, Palette(templates, strategies), latency_finding(cells),
                                latency_subtitle(cells));
  Json rows = Json::array();
  double most = 0;
  for (const PlotCell& c : cells) {
    rows.push_back(latency_row(c));
    most = std::max({most, c.p50_ms.value_or(0), c.p95_ms.value_or(0)});
  }
  values["$latencies"] = {0, most > 0 ? most * 1.15 : 1};
  values["$rows"] = std::move(rows);
  return fill("streaming_latency", templates, values);
}

}  // namespace

std::vector<Picture> make_pictures(const std::vector<PlotCell>& cells,
                                   const std::filesystem::path& templates) {
  std::vector<Picture> pictures;
  const auto at_max = those(cells, &PlotCell::runs_at_max), at_rate = those(cells, &PlotCell::runs_at_rate);
  if (!at_max.empty()) pictures.push_back(throughput_picture(at_max, templates));
  if (!at_rate.empty()) pictures.push_back(latency_picture(at_rate, templates));
  return pictures;
}

}  // namespace dp
