// Puts the page together from its template, its sections and the runtime that draws the pictures.
// SPDX-License-Identifier: MIT
#include "plot/html_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"
#include "plot/html.hpp"
#include "plot/html_sections.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* runtime_files[] = {"vega/build/vega.min.js", "vega-lite/build/vega-lite.min.js",
                                         "vega-embed/build/vega-embed.min.js"};

std::optional<fs::path> module_file(const std::string& file, const fs::path& folder) {
  for (fs::path place = fs::absolute(folder).lexically_normal();; place = place.parent_path()) {
    for (const fs::path& modules : {place, place / "node_modules"}) {
      if (fs::is_regular_file(modules / file)) return modules / file;
    }
    if (place == place.root_path()) return std::nullopt;
  }
}

/// Without the line that points a browser's developer tools to another file.
std::string without_source_map(const std::string& code) {
  return code.substr(0, code.rfind("//# sourceMappingURL"));
}

std::string pictures_json(const std::vector<Picture>& pictures) {
  Json json = Json::array();
  for (const Picture& picture : pictures)
    json.push_back({{"name", picture.name}, {"spec", Json::parse(picture.spec)}});
  return json.dump();
}

std::string figures_html(const std::vector<Picture>& pictures) {
  std::string html;
  for (const Picture& picture : pictures) {
    html += fmt::format("<figure id=\"{0}\"><div class=\"chart\" tabindex=\"0\"></div></figure>\n",
                        html_escaped(picture.name));
  }
  return html;
}

/// `script` is put in as it is; the nonce is what lets it run.
std::string script_html(const std::string& nonce, const std::string& script) {
  return fmt::format("<script nonce=\"{}\">{}</script>\n", nonce, script);
}

std::string data_html(const std::string& json) {
  return fmt::format("<script type=\"application/json\" id=\"pictures\">{}</script>\n", script_json(json));
}

}  // namespace

std::vector<fs::path> find_runtime(const std::vector<fs::path>& folders) {
  std::vector<fs::path> found;
  for (const char* file : runtime_files) {
    for (const fs::path& folder : folders) {
      const auto path = module_file(file, folder);
      if (!path) continue;
      found.push_back(*path);
      break;
    }
    if (found.empty() || !found.back().string().ends_with(file)) {
      throw Error("{} not found (run: make -f Makefile.bench deps; or say where it is with --vega DIR)",
                  file);
    }
  }
  return found;
}

std::string html_report(const ReportInputs& inputs, const fs::path& templates,
                        const std::vector<fs::path>& runtime) {
  const std::string pictures = pictures_json(inputs.pictures);
  const std::string nonce = digest(std::as_bytes(std::span(pictures)));
  std::string scripts;
  for (const fs::path& path : runtime)
    scripts += script_html(nonce, script_text(without_source_map(read_text(path))));
  scripts += data_html(pictures) + script_html(nonce, script_text(read_text(templates / "report.js")));
  const fs::path page = templates / "report.html";
  return fill_page(read_text(page),
                   {{"nonce", nonce},
                    {"css", read_text(templates / "report.css")},
                    {"headline", headline_html(inputs)},
                    {"measured", measured_html(inputs)},
                    {"tiles", tiles_html(inputs)},
                    {"advice", advice_html(inputs)},
                    {"confidence", confidence_html(inputs)},
                    {"worth", worth_html(inputs)},
                    {"figures", figures_html(inputs.pictures)},
                    {"cells", cells_html(inputs)},
                    {"comparisons", comparisons_html(inputs)},
                    {"runs", runs_html(inputs)},
                    {"machine", machine_html(inputs)},
                    {"configuration", configuration_html(inputs)},
                    {"commands", commands_html(inputs)},
                    {"scripts", scripts}},
                   page.string());
}

}  // namespace dp
