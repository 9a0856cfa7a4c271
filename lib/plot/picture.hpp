// A picture, the kinds of picture there are, and what each kind needs. Adding one: lib/plot/picture_<name>.cpp, a
// template in lib/plot/templates, and a line in the table of pictures.cpp.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace dp {

struct PlotData;
class Templates;

struct Picture {
  std::string name;  ///< of the file, without extension
  std::string spec;  ///< vega-lite JSON
};

/// One kind of picture; `make` returns none where the data does not hold what it shows.
struct PictureKind {
  const char* name;   ///< of the picture, or what its names begin with, as in `aggregate`
  const char* shows;  ///< in a few words
  const char* needs;  ///< what would supply its data
  std::vector<Picture> (*make)(const PlotData& data, const Templates& templates);
};

std::vector<Picture> aggregate_pictures(const PlotData&, const Templates&);
std::vector<Picture> capacity_against_ideal_picture(const PlotData&, const Templates&);
std::vector<Picture> dashboard_picture(const PlotData&, const Templates&);
std::vector<Picture> latency_over_time_picture(const PlotData&, const Templates&);
std::vector<Picture> latency_percentiles_picture(const PlotData&, const Templates&);
std::vector<Picture> latency_picture(const PlotData&, const Templates&);
std::vector<Picture> performance_heatmaps_picture(const PlotData&, const Templates&);
std::vector<Picture> resource_utilization_picture(const PlotData&, const Templates&);
std::vector<Picture> scaling_efficiency_picture(const PlotData&, const Templates&);
std::vector<Picture> throughput_comparison_picture(const PlotData&, const Templates&);
std::vector<Picture> throughput_latency_picture(const PlotData&, const Templates&);
std::vector<Picture> worker_timeline_picture(const PlotData&, const Templates&);

}  // namespace dp
