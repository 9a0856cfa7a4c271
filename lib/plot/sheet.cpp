// SPDX-License-Identifier: MIT
#include "plot/sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "plot/words.hpp"
#include "report/sweep.hpp"

namespace dp {
namespace {

constexpr double title_character = 8.6;     ///< px, a little more than the mean of the theme's font
constexpr double subtitle_character = 6.2;  ///< px
constexpr std::size_t widest_bar = 90;      ///< px
constexpr std::size_t legend_columns = 6;

std::vector<PlotCell> those(const std::vector<PlotCell>& cells, std::uint64_t PlotCell::*runs) {
  std::vector<PlotCell> kept;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(kept),
               [&](const PlotCell& c) { return c.*runs > 0; });
  return kept;
}

std::size_t characters(std::size_t width, double each) {
  return static_cast<std::size_t>(static_cast<double>(width) / each);
}

/// Room that the longest name takes on an axis, px.
std::size_t name_width(const std::vector<std::string>& strategies) {
  std::size_t longest = 0;
  for (const std::string& s : strategies) longest = std::max(longest, s.size());
  return std::min<std::size_t>(250, 14 + 13 * longest / 2);
}

PlotJson or_null(const std::optional<double>& x) { return x ? PlotJson(*x) : PlotJson(nullptr); }

bool any_row(const PlotJson& rows, const char* field, const PlotJson& value) {
  return std::any_of(rows.begin(), rows.end(), [&](const PlotJson& row) { return row.at(field) == value; });
}

}  // namespace

std::vector<std::string> strategies_of(const std::vector<PlotCell>& cells) {
  std::set<std::pair<std::size_t, std::string>> ordered;
  for (const PlotCell& c : cells) ordered.emplace(strategy_order(c.strategy), c.strategy);
  std::vector<std::string> strategies;
  for (const auto& [order, name] : ordered) strategies.push_back(name);
  return strategies;
}

std::vector<std::uint32_t> nodes_of(const std::vector<PlotCell>& cells) {
  std::set<std::uint32_t> nodes;
  for (const PlotCell& c : cells) nodes.insert(c.nodes);
  return {nodes.begin(), nodes.end()};
}

std::vector<PlotCell> cells_at_max(const std::vector<PlotCell>& cells) {
  return those(cells, &PlotCell::runs_at_max);
}

std::vector<PlotCell> cells_at_rate(const std::vector<PlotCell>& cells) {
  return those(cells, &PlotCell::runs_at_rate);
}

std::vector<PlotCell> scaled_cells(const std::vector<PlotCell>& cells) {
  std::map<std::string, std::uint32_t> bases;
  std::uint32_t base = UINT32_MAX;
  for (const PlotCell& c : cells) {
    if (!has_capacity(c)) continue;
    const auto found = bases.try_emplace(c.strategy, c.nodes).first;
    found->second = std::min(found->second, c.nodes);
    base = std::min(base, c.nodes);
  }
  std::vector<PlotCell> scaled = cells_at_max(cells);
  std::erase_if(scaled, [&](const PlotCell& c) {
    const auto found = bases.find(c.strategy);
    return found == bases.end() || found->second != base || c.nodes < base;
  });
  return scaled;
}

std::string unscaled_text(const std::vector<PlotCell>& cells) {
  const auto scaled = scaled_cells(cells);
  const auto kept = strategies_of(scaled);
  auto left_out = strategies_of(cells_at_max(cells));
  std::erase_if(left_out,
                [&](const auto& s) { return std::find(kept.begin(), kept.end(), s) != kept.end(); });
  if (scaled.empty() || left_out.empty()) return "";
  return fmt::format(" Left out, without a valid run on {}: {}.", nodes_text(nodes_of(scaled).front()),
                     fmt::join(left_out, ", "));
}

State state_at_max(const PlotCell& c) {
  if (c.valid_at_max == 0) return State::invalid;
  return c.oversubscribed ? State::oversubscribed : State::sound;
}

State state_at_rate(const PlotCell& c) {
  if (c.valid_at_rate == 0) return State::invalid;
  if (c.overloaded) return State::overloaded;
  return c.oversubscribed ? State::oversubscribed : State::sound;
}

const char* text(State state) {
  switch (state) {
    case State::invalid:
      return "INVALID";
    case State::overloaded:
      return "overloaded";
    case State::oversubscribed:
      return "oversubscribed";
    case State::sound:
      break;
  }
  return "";
}

PlotFigure efficiency_percent(const PlotCell& c) {
  if (!c.efficiency || !c.speedup) return {};
  PlotFigure percent{100 * *c.efficiency, {}};
  if (c.speedup_ci95) percent.half_width = *percent.value / *c.speedup * *c.speedup_ci95;
  return percent;
}

PlotJson figure_row(const PlotCell& c, const PlotFigure& figure, State state, const char* unit) {
  PlotJson row{{"strategy", c.strategy}, {"nodes", c.nodes}, {"nodes_label", fmt::format("{}", c.nodes)}};
  row["state"] = text(state);
  row["value"] = or_null(figure.value);
  const bool interval = figure.value && figure.half_width;
  row["low"] = interval ? PlotJson(std::max(0.0, *figure.value - *figure.half_width)) : PlotJson(nullptr);
  row["high"] = interval ? PlotJson(*figure.value + *figure.half_width) : PlotJson(nullptr);
  row["label"] = figure.value ? number_text(*figure.value) : "";
  row["says"] = figure.value ? with_interval(*figure.value, figure.half_width, unit) : "not stated";
  return row;
}

PlotJson figure_rows(const std::vector<PlotCell>& cells, const FigureOf& figure,
                     State (*state)(const PlotCell&), const char* unit) {
  PlotJson rows = PlotJson::array();
  for (const PlotCell& c : cells) {
    if (const PlotFigure f = figure(c); f.value) rows.push_back(figure_row(c, f, state(c), unit));
  }
  return rows;
}

PlotJson figure_rows(const std::vector<PlotCell>& cells, CellFigure figure, CellFigure ci95,
                     State (*state)(const PlotCell&), const char* unit) {
  return figure_rows(
      cells,
      [&](const PlotCell& c) {
        return PlotFigure{c.*figure, c.*ci95};
      },
      state, unit);
}

PlotValues title_values(const std::string& finding, const std::string& explanation, std::size_t width) {
  return {{"$title", lines_of(finding, characters(width, title_character))},
          {"$subtitle", lines_of(explanation, characters(width, subtitle_character))}};
}

Sheet::Sheet(const std::vector<PlotCell>& cells, const Templates& templates)
    : strategies_(strategies_of(cells)), looks_(templates.looks(strategies_)), nodes_(nodes_of(cells)) {
  PlotJson labels = PlotJson::array(), fills = labels, shapes = labels, dashes = labels;
  for (std::uint32_t n : nodes_) labels.push_back(fmt::format("{}", n));
  for (const StrategyLook& look : looks_) {
    fills.push_back(look.fill);
    shapes.push_back(look.shape);
    dashes.push_back(look.dash);
  }
  const bool one_host = cells.front().nodes_are == "processes of one host";
  values_ = {{"$strategies", strategies_},
             {"$fills", fills},
             {"$shapes", shapes},
             {"$dashes", dashes},
             {"$legend_columns", std::min(strategies_.size(), legend_columns)},
             {"$nodes", labels},
             {"$nodes_title", one_host ? "nodes (processes of one host)" : "nodes"},
             {"$name_width", name_width(strategies_)},
             {"$label_padding", strategies_.size() > 4 ? 52 : 34},
             {"$node_values", nodes_},
             {"$last_node", 1.06 * nodes_.back()},
             {"$several_nodes", nodes_.size() > 1},
             {"$many", strategies_.size() > 4},
             {"$few", strategies_.size() <= 4}};
}

void Sheet::groups(std::size_t bar, std::size_t least_width) {
  const std::size_t step = std::max(bar * strategies_.size() * 4 / 3, least_width / nodes_.size());
  width_ = step * nodes_.size();
  set("$step", step);
  set("$total_width", width_);
  set("$bar", std::min(step * 7 / 10 / strategies_.size(), widest_bar));
}

double Sheet::from_middle(const std::string& strategy) const {
  const auto place = std::find(strategies_.begin(), strategies_.end(), strategy) - strategies_.begin();
  return static_cast<double>(place) - static_cast<double>(strategies_.size() - 1) / 2;
}

void Sheet::set_apart(PlotJson& rows) const {
  const double gap = 0.06 * nodes_.back() / static_cast<double>(std::max<std::size_t>(strategies_.size(), 4));
  for (PlotJson& row : rows)
    row["nodes_at"] = row.at("nodes").get<double>() + gap * from_middle(row.at("strategy"));
}

void Sheet::title(const std::string& finding, const std::string& explanation, std::size_t width) {
  for (auto& [name, lines] : title_values(finding, explanation, width)) set(name, std::move(lines));
}

std::string iterations_text(const std::vector<PlotCell>& cells, std::uint64_t PlotCell::*runs) {
  const auto valid = runs == &PlotCell::runs_at_max ? &PlotCell::valid_at_max : &PlotCell::valid_at_rate;
  std::uint64_t least = UINT64_MAX, most = 0;
  for (const PlotCell& c : cells) {
    if (c.*runs == 0) continue;
    const std::uint64_t counted = c.*valid > 0 ? c.*valid : c.*runs;
    least = std::min(least, counted);
    most = std::max(most, counted);
  }
  if (most <= 1) return "one iteration";
  return least == most ? fmt::format("mean of {} iterations", most)
                       : fmt::format("mean of {} to {} iterations", least, most);
}

std::string at_rate_text(const std::vector<PlotCell>& cells) {
  for (const PlotCell& c : cells) {
    if (c.rate) return fmt::format("At {:.6g} samples/s, ", *c.rate);
  }
  return "";
}

std::string notes_on(const PlotJson& rows, const std::string& marks) {
  std::string notes;
  const bool whiskers =
      std::any_of(rows.begin(), rows.end(), [](const auto& row) { return !row["low"].is_null(); });
  if (whiskers) notes += " Whiskers: 95 % confidence intervals.";
  const auto note = [&](State state, const char* look, const char* why) {
    if (any_row(rows, "state", text(state))) notes += fmt::format(" {} {}: {}.", look, marks, why);
  };
  note(State::oversubscribed, "Pale", "oversubscribed, more threads than cores");
  note(State::overloaded, "Empty", "overloaded, the rate is above capacity");
  note(State::invalid, "Crossed", "INVALID, no run met its conditions");
  return notes;
}

}  // namespace dp
