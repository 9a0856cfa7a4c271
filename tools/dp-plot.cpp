// dp-plot: run.json files or averaged_results.csv in, pictures (SVG and PNG) or a page (HTML) out.
// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <thread>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "base/shared_files.hpp"
#include "base/standard_streams.hpp"
#include "plot/html_report.hpp"
#include "plot/pictures.hpp"
#include "plot/vega.hpp"

namespace {

using namespace dp;
namespace fs = std::filesystem;

void declare(Options& options) {
  options.section("Pictures")
      .value("out", "DIR", "write the pictures there: NAME.svg and NAME.png")
      .list("only", "NAME", "draw these only (see --list); without it all that the data supports")
      .flag("list", "list the pictures, what each shows and what it needs, and exit")
      .value("events", "FILE",
             "what dp-collect --events wrote of one of the runs: draws that run over time and its workers "
             "(default: a "
             "*.ndjson file beside the runs)")
      .value("templates", "DIR",
             "vega-lite templates, parts.json, palette.json and the page's templates (default: those that "
             "come with "
             "the tool)")
      .value("vega", "DIR",
             "where vl2svg and vl2png are (default: $DP_VEGA, the build's, dp-install-vega's, PATH)")
      .section("Page")
      .value("html", "FILE",
             "write one self-contained page: summary, pictures with tooltips, tables (needs RUN.json files)")
      .value("made-by", "COMMAND", "the command that repeats the sweep, shown on the page")
      .value("price-per-node-hour", "P", "what a node costs an hour, in any unit: adds costs to the page")
      .positional("RUN.json...|TABLE.csv", "run files, @FILE, folders, or one averaged_results.csv");
}

std::vector<fs::path> folders_of(const Options& options) {
  return options.has("vega") ? std::vector<fs::path>{options.text("vega")} : renderer_folders();
}

std::optional<double> price_of(const Options& options) {
  if (!options.has("price-per-node-hour")) return std::nullopt;
  return options.number("price-per-node-hour", 0, 1e9);
}

Exit list_pictures() {
  for (const PictureKind& kind : picture_kinds())
    print("{}\n    {}\n    from {}\n", kind.name, kind.shows, kind.needs);
  return Exit::done;
}

/// Before minutes are spent on drawing.
void require_outputs_writable(const Options& options, const std::vector<Picture>& pictures) {
  if (options.has("html")) require_writable(options.text("html"));
  if (!options.has("out")) return;
  for (const Picture& picture : pictures) {
    for (const char* kind : {".svg", ".png"})
      require_writable(fs::path(options.text("out")) / (picture.name + kind));
  }
}

/// Runs the jobs, as many at once as there are cores.
void in_parallel(const std::vector<std::function<void()>>& jobs) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::future<void>> workers;
  const auto work = [&] {
    for (std::size_t i; (i = next++) < jobs.size();) jobs[i]();
  };
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < std::min(jobs.size(), cores); ++i)
    workers.push_back(std::async(std::launch::async, work));
  for (auto& worker : workers) worker.wait();
  for (auto& worker : workers) worker.get();
}

/// Then stdout is the page, and not for names of files.
bool is_stdout(const std::string& file) {
  struct stat page {}, out {};
  return ::stat(file.c_str(), &page) == 0 && ::fstat(STDOUT_FILENO, &out) == 0 && page.st_dev == out.st_dev &&
         page.st_ino == out.st_ino;
}

void draw(const std::vector<Picture>& pictures, const fs::path& out, const std::vector<fs::path>& folders) {
  const std::string to_svg = find_renderer("vl2svg", folders), to_png = find_renderer("vl2png", folders);
  std::vector<std::function<void()>> jobs;
  for (const Picture& picture : pictures) {
    const std::string base = out / picture.name;
    jobs.push_back(
        [&picture, base, to_svg] { write_atomically(base + ".svg", run_filter({to_svg}, picture.spec)); });
    jobs.push_back([&picture, base, to_png] {
      write_atomically(base + ".png", run_filter({to_png, "-s", "2"}, picture.spec));
    });
  }
  in_parallel(jobs);
}

void write_page(const Options& options, const PlotData& data, const std::vector<Picture>& pictures,
                const fs::path& templates) {
  const Sweep& sweep = *data.sweep;
  const auto cells = summarize_cells(sweep, price_of(options));
  const auto comparisons = compare_strategies(sweep, cells);
  write_atomically(
      options.text("html"),
      html_report({sweep, cells, comparisons, pictures, options.text("made-by"), data.other_rates}, templates,
                  find_runtime(folders_of(options))));
}

void print_names(const Options& options, const std::vector<Picture>& pictures) {
  for (const Picture& picture : pictures) {
    if (options.has("out")) print("{0}.svg\n{0}.png\n", (fs::path(options.text("out")) / picture.name).string());
  }
  if (options.has("html")) print("{}\n", options.text("html"));
}

Exit run(const Options& options) {
  if (options.has("list")) return list_pictures();
  if (options.arguments().empty()) throw UsageError("nothing to draw: give RUN.json files or one TABLE.csv");
  if (!options.has("out") && !options.has("html"))
    throw UsageError("--out DIR or --html FILE is missing: where the pictures or the page go");
  if (options.has("html") && is_table(options.arguments()))
    throw UsageError("--html {}: a page needs the RUN.json files, not their table", options.text("html"));
  if (options.has("events") && is_table(options.arguments()))
    throw UsageError("--events {}: needs the run.json of its run, not a table", options.text("events"));
  const fs::path templates =
      options.has("templates") ? fs::path(options.text("templates")) : shared_folder() / "lib/plot/templates";
  const auto only = options.texts("only");
  const PlotData data = read_plot_data(options.arguments(), options.text("events"));
  const auto pictures = make_pictures(data, templates, only);
  for (const PictureKind& kind : left_out(pictures, only))
    log_warn("{} is left out: it needs {}", kind.name, kind.needs);
  if (!data.other_rates.empty() && only != std::vector<std::string>{"throughput_latency"})
    log_warn("runs at {} are in throughput_latency, and in no picture at one rate", data.other_rates);
  if (pictures.empty()) throw Error("no picture can be drawn of that (see --list for what each needs)");
  require_outputs_writable(options, pictures);
  if (options.has("out")) draw(pictures, options.text("out"), folders_of(options));
  if (options.has("html")) write_page(options, data, pictures, templates);
  if (!options.has("html") || !is_stdout(options.text("html"))) print_names(options, pictures);
  return Exit::done;
}

}  // namespace

int main(int argc, char** argv) {
  Options options(
      "dp-plot", "Draws runs: throughput, latency and resources by strategy and number of nodes.",
      "  mkdir runs\n"
      "  for strategy in uniform dynamic; do\n"
      "    dp-collect --out runs/$strategy.json & dp-route --strategy $strategy & dp-infer --backend null &\n"
      "    dp-stream --data data/fixture/test_512.bin --rate max && wait\n"
      "  done\n"
      "  dp-plot --out pictures --html report.html runs");
  declare(options);
  return run_main(std::move(options), argc, argv, run);
}
