// dp-summarize: many run.json files in, the tables over them and a readable summary out.
// SPDX-License-Identifier: MIT
#include <filesystem>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "base/options.hpp"
#include "base/standard_streams.hpp"
#include "report/summary_text.hpp"
#include "report/tables.hpp"

namespace {

using namespace dp;
namespace fs = std::filesystem;

void declare(Options& options) {
  options.section("Tables")
      .value("streaming", "DIR",
             "write averaged_results.csv, detailed_results.json and performance_summary.json")
      .value("matrix", "DIR", "write combined_results.csv and speedup_efficiency.csv (runs at --rate max)")
      .value("price-per-node-hour", "P",
             "what a node costs an hour, in any unit: adds the cost per million samples at capacity")
      .positional("RUN.json...",
                  "run files, @FILE holding their paths, or folders that are searched for them");
}

using Tables = std::vector<std::pair<fs::path, std::string>>;

/// Paths and texts of all that was asked for.
Tables tables_of(const Options& options, const Sweep& sweep, const std::vector<CellSummary>& cells,
                 const std::vector<NodeComparison>& comparisons) {
  Tables tables;
  if (options.has("streaming")) {
    const fs::path folder = options.text("streaming");
    tables.emplace_back(folder / "averaged_results.csv", write_csv(averaged_results(cells)));
    tables.emplace_back(folder / "detailed_results.json", detailed_results(sweep, cells));
    tables.emplace_back(folder / "performance_summary.json", performance_summary(comparisons));
  }
  if (options.has("matrix")) {
    const fs::path folder = options.text("matrix");
    tables.emplace_back(folder / "combined_results.csv", write_csv(combined_results(sweep, cells)));
    tables.emplace_back(folder / "speedup_efficiency.csv", write_csv(speedup_efficiency(cells)));
  }
  return tables;
}

std::optional<double> price_of(const Options& options) {
  if (!options.has("price-per-node-hour")) return std::nullopt;
  return options.number("price-per-node-hour", 0, 1e9);
}

Exit run(const Options& options) {
  if (options.arguments().empty()) throw UsageError("no RUN.json given (write one with dp-collect --out)");
  if (!options.has("streaming") && !options.has("matrix")) {
    throw UsageError("nothing to write: give --streaming DIR or --matrix DIR");
  }
  const Sweep sweep = group_runs(load_runs(options.arguments()));
  const auto cells = summarize_cells(sweep, price_of(options));
  const auto comparisons = compare_strategies(sweep, cells);
  const Tables tables = tables_of(options, sweep, cells, comparisons);
  for (const auto& [path, text] : tables) require_writable(path);
  std::string written;
  for (const auto& [path, text] : tables) {
    write_atomically(path, text);
    written += "wrote " + path.string() + "\n";
  }
  print("{}\n{}", summary_text(sweep, cells, comparisons), written);
  return Exit::done;
}

}  // namespace

int main(int argc, char** argv) {
  Options options(
      "dp-summarize", "Makes tables and a summary of many runs.",
      "  mkdir runs\n"
      "  for strategy in uniform dynamic; do\n"
      "    dp-collect --out runs/$strategy.json & dp-route --strategy $strategy & dp-infer --backend null &\n"
      "    dp-stream --data data/fixture/test_512.bin --rate max && wait\n"
      "  done\n"
      "  dp-summarize --streaming tables runs");
  declare(options);
  return run_main(std::move(options), argc, argv, run);
}
