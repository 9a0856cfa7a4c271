// dp-plot: run.json files or averaged_results.csv in, pictures (SVG and PNG) or a page (HTML) out.
// SPDX-License-Identifier: MIT
#include <filesystem>

#include "base/file.hpp"
#include "base/options.hpp"
#include "base/shared_files.hpp"
#include "plot/html_report.hpp"
#include "plot/pictures.hpp"
#include "plot/vega.hpp"
#include "report/tables.hpp"

namespace {

using namespace dp;
namespace fs = std::filesystem;

void declare(Options& options) {
  options.section("Pictures")
      .value("out", "DIR", "write streaming_throughput_comparison and streaming_latency (.svg, .png) there")
      .value(
          "templates", "DIR",
          "templates of the pictures and the page, and palette.json (default: those installed with the tool)")
      .value("vega", "DIR", "where vl2svg and vl2png are (default: $DP_VEGA, the build folder's vega, PATH)")
      .section("Page")
      .value("html", "FILE",
             "write one self-contained page: summary, pictures with tooltips, tables (needs RUN.json files)")
      .value("made-by", "COMMAND", "the command that repeats the sweep, shown on the page")
      .value("price-per-node-hour", "P", "what a node costs an hour, in any unit: adds costs to the page")
      .positional("RUN.json...|TABLE.csv", "run files, @FILE, folders, or one averaged_results.csv");
}

bool is_table(const Options& options) {
  return options.arguments().size() == 1 && options.arguments().front().ends_with(".csv");
}

std::vector<fs::path> folders_of(const Options& options) {
  return options.has("vega") ? std::vector<fs::path>{options.text("vega")} : renderer_folders();
}

std::optional<double> price_of(const Options& options) {
  if (!options.has("price-per-node-hour")) return std::nullopt;
  return options.number("price-per-node-hour", 0, 1e9);
}

void draw(const Options& options, const std::vector<Picture>& pictures) {
  const auto folders = folders_of(options);
  const std::string to_svg = find_renderer("vl2svg", folders), to_png = find_renderer("vl2png", folders);
  for (const Picture& picture : pictures) {
    const fs::path base = fs::path(options.text("out")) / picture.name;
    write_atomically(base.string() + ".svg", run_filter({to_svg}, picture.spec));
    write_atomically(base.string() + ".png", run_filter({to_png, "-s", "2"}, picture.spec));
    fmt::print("{}.svg\n{}.png\n", base.string(), base.string());
  }
}

void draw_table(const Options& options, const fs::path& templates) {
  const std::string& file = options.arguments().front();
  draw(options, make_pictures(plot_cells(parse_csv(read_text(file), file), file), templates));
}

void draw_runs(const Options& options, const fs::path& templates) {
  const Sweep sweep = group_runs(load_runs(options.arguments()));
  const auto cells = summarize_cells(sweep, price_of(options));
  const auto pictures = make_pictures(plot_cells(averaged_results(cells), "the runs"), templates);
  if (options.has("out")) draw(options, pictures);
  if (!options.has("html")) return;
  const auto comparisons = compare_strategies(sweep, cells);
  const auto runtime = find_runtime(folders_of(options));
  write_atomically(
      options.text("html"),
      html_report({sweep, cells, comparisons, pictures, options.text("made-by")}, templates, runtime));
  fmt::print("{}\n", options.text("html"));
}

Exit run(const Options& options) {
  if (options.arguments().empty()) throw UsageError("nothing to draw: give RUN.json files or one TABLE.csv");
  if (!options.has("out") && !options.has("html"))
    throw UsageError("--out DIR or --html FILE is missing: where the pictures or the page go");
  if (is_table(options) && options.has("html"))
    throw UsageError("--html {}: a page needs the RUN.json files, not their table", options.text("html"));
  const fs::path templates =
      options.has("templates") ? fs::path(options.text("templates")) : shared_folder() / "lib/plot/templates";
  if (is_table(options)) {
    draw_table(options, templates);
  } else {
    draw_runs(options, templates);
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
