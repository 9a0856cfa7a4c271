// The table of all pictures.
// SPDX-License-Identifier: MIT
#include "plot/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "plot/templates.hpp"

namespace dp {
namespace {

constexpr const char* at_max = "runs as fast as possible (dp-stream --rate max)";
constexpr const char* at_max_on_several = "runs as fast as possible on several numbers of nodes";
constexpr const char* at_rate = "runs at a rate (dp-stream --rate)";
constexpr const char* events = "--events FILE, what dp-collect --events wrote of one of the runs";

const PictureKind* find_kind(const std::string& name) {
  const auto& kinds = picture_kinds();
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const PictureKind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

std::string names() {
  std::vector<std::string> all;
  for (const PictureKind& kind : picture_kinds()) all.emplace_back(kind.name);
  return fmt::format("{}", fmt::join(all, ", "));
}

void check_names(const std::vector<std::string>& only) {
  for (const std::string& name : only) {
    if (!find_kind(name))
      throw UsageError("--only {}: no picture of that name (there are: {})", name, names());
  }
}

}  // namespace

const std::vector<PictureKind>& picture_kinds() {
  static const std::vector<PictureKind> kinds{
      {"streaming_throughput_comparison", "capacity by strategy and nodes, bars and lines", at_max,
       throughput_comparison_picture},
      {"streaming_latency", "p50 and p95 by strategy and nodes", at_rate, latency_picture},
      {"latency_percentiles", "latency by percentile and strategy, a panel for each number of nodes",
       "run files (RUN.json) of runs at a rate, of 64 batches or more", latency_percentiles_picture},
      {"throughput_latency", "p50 and p95 against completed rate, a panel for each number of nodes",
       "run files (RUN.json) of runs at several rates", throughput_latency_picture},
      {"latency_over_time", "one run: rates, samples under way and latency over its time",
       "run files (RUN.json) of five seconds or more, or --events for more detail",
       latency_over_time_picture},
      {"worker_timeline", "what each worker did with each batch in a short part of one run", events,
       worker_timeline_picture},
      {"streaming_resource_utilization", "CPU and memory by strategy and nodes", at_rate,
       resource_utilization_picture},
      {"streaming_scaling_efficiency", "share of ideal scaling by nodes, and against capacity",
       at_max_on_several, scaling_efficiency_picture},
      {"streaming_performance_heatmaps", "capacity, CPU and memory, strategies by nodes", at_max,
       performance_heatmaps_picture},
      {"streaming_comprehensive_dashboard",
       "capacity, best strategy, resources, efficiency and statistics on one sheet", at_max,
       dashboard_picture},
      {"aggregate", "capacity, latency, CPU and memory by strategy, a picture for each number of workers",
       at_max, aggregate_pictures},
      {"capacity_against_ideal", "speed-up by nodes beside ideal scaling", at_max_on_several,
       capacity_against_ideal_picture},
  };
  return kinds;
}

std::vector<Picture> make_pictures(const PlotData& data, const std::filesystem::path& folder,
                                   const std::vector<std::string>& only) {
  check_names(only);
  const Templates templates(folder);
  std::vector<Picture> pictures;
  for (const PictureKind& kind : picture_kinds()) {
    if (!only.empty() && std::find(only.begin(), only.end(), kind.name) == only.end()) continue;
    for (Picture& picture : kind.make(data, templates)) pictures.push_back(std::move(picture));
  }
  return pictures;
}

std::vector<PictureKind> left_out(const std::vector<Picture>& pictures,
                                  const std::vector<std::string>& only) {
  std::vector<PictureKind> missing;
  for (const std::string& name : only) {
    const bool drawn = std::any_of(pictures.begin(), pictures.end(), [&](const Picture& p) {
      return p.name == name || p.name.starts_with(name + "_");
    });
    if (!drawn) missing.push_back(*find_kind(name));
  }
  return missing;
}

}  // namespace dp
