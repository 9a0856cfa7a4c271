// dp-plot: run.json files or averaged_results.csv in, pictures (SVG and PNG) out.
// SPDX-License-Identifier: MIT
#include <filesystem>

#include "base/file.hpp"
#include "base/options.hpp"
#include "base/shared_files.hpp"
#include "plot/pictures.hpp"
#include "plot/vega.hpp"
#include "report/tables.hpp"

namespace {

using namespace dp;
namespace fs = std::filesystem;

void declare(Options& options) {
  options.section("Pictures")
      .value("out", "DIR", "write streaming_throughput_comparison and streaming_latency (.svg, .png) there")
      .value("templates", "DIR",
             "vega-lite templates and palette.json (default: those installed with the tool)")
      .value("vega", "DIR",
             "where vl2svg and vl2png are (default: $DP_VEGA, the build's, dp-install-vega's, PATH)")
      .positional("RUN.json...|TABLE.csv", "run files, @FILE, folders, or one averaged_results.csv");
}

std::vector<PlotCell> read_cells(const std::vector<std::string>& arguments) {
  const std::string& first = arguments.front();
  if (arguments.size() == 1 && first.ends_with(".csv"))
    return plot_cells(parse_csv(read_text(first), first), first);
  const Sweep sweep = group_runs(load_runs(arguments));
  return plot_cells(averaged_results(summarize_cells(sweep)), "the runs");
}

Exit run(const Options& options) {
  if (options.arguments().empty()) throw UsageError("nothing to draw: give RUN.json files or one TABLE.csv");
  if (!options.has("out")) throw UsageError("--out DIR is missing: where the pictures go");
  const fs::path templates =
      options.has("templates") ? fs::path(options.text("templates")) : shared_folder() / "lib/plot/templates";
  const auto pictures = make_pictures(read_cells(options.arguments()), templates);
  const auto folders = options.has("vega") ? std::vector<fs::path>{options.text("vega")} : renderer_folders();
  const std::string to_svg = find_renderer("vl2svg", folders), to_png = find_renderer("vl2png", folders);
  for (const Picture& picture : pictures) {
    const fs::path base = fs::path(options.text("out")) / picture.name;
    write_atomically(base.string() + ".svg", run_filter({to_svg}, picture.spec));
    write_atomically(base.string() + ".png", run_filter({to_png, "-s", "2"}, picture.spec));
    fmt::print("{}.svg\n{}.png\n", base.string(), base.string());
  }
  return Exit::done;
}

}  // namespace

int main(int argc, char** argv) {
  Options options("dp-plot", "Draws throughput and latency by strategy and number of nodes.",
                  "dp-plot --out results/plots results/streaming/averaged_results.csv");
  declare(options);
  return run_main(std::move(options), argc, argv, run);
}
