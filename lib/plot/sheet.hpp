// What pictures of strategies and numbers of nodes share: axes, looks, sizes, rows of one figure each, and the notes
// that explain how doubtful figures look.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plot/plot_cells.hpp"
#include "plot/templates.hpp"

namespace dp {

/// Strategies in the order of tables and legends.
std::vector<std::string> strategies_of(const std::vector<PlotCell>& cells);

std::vector<std::uint32_t> nodes_of(const std::vector<PlotCell>& cells);  ///< ascending

/// Those measured as fast as possible, or at the rate.
std::vector<PlotCell> cells_at_max(const std::vector<PlotCell>& cells);
std::vector<PlotCell> cells_at_rate(const std::vector<PlotCell>& cells);

/// Those at max of the strategies with a valid capacity on the smallest number of nodes that any has one on: a speed-up
/// from elsewhere is no match for theirs.
std::vector<PlotCell> scaled_cells(const std::vector<PlotCell>& cells);
/// " Left out, without a valid run on 1 node: dynamic."; "" when all are there.
std::string unscaled_text(const std::vector<PlotCell>& cells);

/// How far a figure can be trusted; the worst that applies.
enum class State { sound, oversubscribed, overloaded, invalid };
State state_at_max(const PlotCell& cell);
State state_at_rate(const PlotCell& cell);
const char* text(State state);  ///< "" for sound
/// A sentence or a table may hold such a figure; the picture marks the others.
inline bool stands(State state) { return state == State::sound || state == State::oversubscribed; }
/// Capacity from a valid run.
inline bool has_capacity(const PlotCell& c) { return c.capacity && c.valid_at_max > 0; }

/// One figure of one cell; a half width is that of its 95 % confidence interval.
struct PlotFigure {
  std::optional<double> value, half_width;
};
/// Scaling efficiency in percent; its interval is that of the speed-up.
PlotFigure efficiency_percent(const PlotCell& cell);

using FigureOf = std::function<PlotFigure(const PlotCell&)>;

/// Fields strategy, nodes, nodes_label, state, value, low, high, says (the figure with its unit, for tooltips).
PlotJson figure_row(const PlotCell& cell, const PlotFigure& figure, State state, const char* unit);

/// A row for each cell that has the figure.
PlotJson figure_rows(const std::vector<PlotCell>& cells, const FigureOf& figure,
                     State (*state)(const PlotCell&), const char* unit);

/// The same of a figure and half of its 95 % confidence interval, by their names in a cell.
using CellFigure = std::optional<double> PlotCell::*;
PlotJson figure_rows(const std::vector<PlotCell>& cells, CellFigure figure, CellFigure ci95,
                     State (*state)(const PlotCell&), const char* unit);

/// $title and $subtitle, broken into lines for a picture of `width` px.
PlotValues title_values(const std::string& finding, const std::string& explanation, std::size_t width);

/// Values by name for a template.
class Sheet {
 public:
  /// Looks of the strategies, the axis of nodes.
  Sheet(const std::vector<PlotCell>& cells, const Templates& templates);

  /// Room for a group of bars or points per number of nodes: at least `bar` px each, at least `least_width` px in all.
  void groups(std::size_t bar, std::size_t least_width);
  std::size_t width() const { return width_; }  ///< px of the groups

  /// Adds nodes_at to the rows: nodes, a little to the left or right by strategy, so that points do not hide each
  /// other on a true scale of nodes.
  void set_apart(PlotJson& rows) const;

  /// Where a strategy stands among all, from the middle: -1, 0, 1 for three.
  double from_middle(const std::string& strategy) const;

  /// `width` px: that of the picture, at which the title is broken into lines.
  void title(const std::string& finding, const std::string& explanation, std::size_t width);
  void set(const std::string& name, PlotJson value) { values_[name] = std::move(value); }

  const std::vector<std::string>& strategies() const { return strategies_; }
  const std::vector<StrategyLook>& looks() const { return looks_; }
  const PlotValues& values() const { return values_; }

 private:
  std::vector<std::string> strategies_;
  std::vector<StrategyLook> looks_;
  std::vector<std::uint32_t> nodes_;
  std::size_t width_ = 0;
  PlotValues values_;
};

/// "mean of 3 iterations", "mean of 1 to 3 iterations": the valid ones, where a cell has any. `runs`: runs_at_max or
/// runs_at_rate.
std::string iterations_text(const std::vector<PlotCell>& cells, std::uint64_t PlotCell::*runs);

/// "At 1000 samples/s, " or "" where nothing was measured at a rate.
std::string at_rate_text(const std::vector<PlotCell>& cells);

/// What the looks of `rows` mean, a sentence each, with the words of the marks ("bars", "points").
std::string notes_on(const PlotJson& rows, const std::string& marks);

}  // namespace dp
