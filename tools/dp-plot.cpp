// dp-plot: run.json files or averaged_results.csv in, pictures (SVG and PNG) out.
// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "base/options.hpp"
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
      .value("vega", "DIR", "where vl2svg and vl2png are (default: $DP_VEGA, the build folder's vega, PATH)")
      .positional("RUN.json...|TABLE.csv", "run files, @FILE, folders, or one averaged_results.csv");
}

fs::path executable() { return fs::read_symlink("/proc/self/exe"); }

/// Beside the installed tool, or in the source tree the tool was built in.
fs::path find_templates() {
  const fs::path installed = executable().parent_path() / "../share/dataparallel/plot";
  if (fs::exists(installed / "palette.json")) return installed;
  for (fs::path folder = executable().parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    if (fs::exists(folder / "lib/plot/templates/palette.json")) return folder / "lib/plot/templates";
  }
  throw Error(
      "the templates are neither in {} nor in a source tree around the tool (say where with --templates DIR)",
      installed.lexically_normal().string());
}

std::vector<PlotCell> read_cells(const std::vector<std::string>& arguments) {
  const std::string& first = arguments.front();
  if (arguments.size() == 1 && first.ends_with(".csv"))
    return plot_cells(parse_csv(read_text(first), first), first);
  const Sweep sweep = group_runs(load_runs(arguments));
  return plot_cells(averaged_results(summarize_cells(sweep)), "the runs");
}

std::vector<fs::path> renderer_folders(const Options& options) {
  if (options.has("vega")) return {options.text("vega")};
  std::vector<fs::path> folders;
  if (const char* given = std::getenv("DP_VEGA")) folders.emplace_back(given);
  folders.push_back(executable().parent_path() / "../vega");
  return folders;
}

Exit run(const Options& options) {
  if (options.arguments().empty()) throw UsageError("nothing to draw: give RUN.json files or one TABLE.csv");
  if (!options.has("out")) throw UsageError("--out DIR is missing: where the pictures go");
  const fs::path templates =
      options.has("templates") ? fs::path(options.text("templates")) : find_templates();
  const auto pictures = make_pictures(read_cells(options.arguments()), templates);
  const auto folders = renderer_folders(options);
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
  return run_main("dp-plot", [&] {
    Options options("dp-plot", "Draws throughput and latency by strategy and number of nodes.",
                    "dp-plot --out results/plots results/streaming/averaged_results.csv");
    declare(options);
    if (const auto exit = options.parse(argc, argv)) return *exit;
    return run(options);
  });
}
