// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "base/options.hpp"
#include "doctor/checks.hpp"
#include "plot/vega.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;

/// The first line that `command` prints. Throws Error.
std::string first_line_of(const std::vector<std::string>& command) {
  return split(run_filter(command, ""), '\n').front();
}

/// Programs of the folder that are tools: neither scripts, which are links, nor others.
std::vector<std::string> tools_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("dp-") && entry.is_regular_file() && !entry.is_symlink()) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

constexpr const char* small_picture =
    R"({"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "width": 20, "height": 20,
        "data": {"values": [{"x": 1, "y": 2}]}, "mark": "point",
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}}})";

}  // namespace

std::string line_of(const Finding& finding) {
  const char* word = finding.health == Health::ok ? "ok" : finding.health == Health::warn ? "warn" : "FAIL";
  const std::string line = fmt::format("{:<5} {:<10} {}", word, finding.subject, finding.found);
  return finding.remedy.empty() ? line : fmt::format("{} ({})", line, finding.remedy);
}

Finding check_tools(const fs::path& folder, const std::string& version) {
  const std::string again = "build or install all tools again";
  const auto names = tools_in(folder);
  for (const char* needed : {"dp-stream", "dp-route", "dp-infer", "dp-collect"}) {
    if (std::find(names.begin(), names.end(), needed) == names.end())
      return {Health::fail, "tools", fmt::format("{} is not in {}", needed, folder.string()), again};
  }
  for (const std::string& name : names) {
    try {
      const auto words = split(first_line_of({(folder / name).string(), "--version"}), ' ');
      if (words.size() < 2 || words[1] != version)
        return {Health::fail, "tools",
                fmt::format("{} is not of version {} but says '{}'", name, version, fmt::join(words, " ")),
                again};
    } catch (const Error& problem) {
      return {Health::fail, "tools", fmt::format("{} does not start: {}", name, problem.what()), again};
    }
  }
  return {Health::ok, "tools", fmt::format("{} start, all of version {}", names.size(), version)};
}

Finding check_zmq(const std::string& version, bool curve) {
  if (curve) return {Health::ok, "zeromq", fmt::format("{}, with CURVE", version)};
  return {Health::warn, "zeromq", fmt::format("{}, without CURVE: no keys, so one host only", version),
          "install a libzmq built with libsodium, as Debian's is"};
}

Finding check_torch(const std::vector<std::string>& versions, const std::string& capability,
                    const HostDescription& host) {
  std::map<std::string, std::string> of;
  for (std::size_t i = 0; i + 1 < versions.size(); i += 2) of[versions[i]] = versions[i + 1];
  const std::string found =
      fmt::format("{}, oneDNN {}, BLAS {}, {} kernels, {} core{}", of["libtorch"],
                  of["onednn"].empty() ? "none" : of["onednn"], of["blas"].empty() ? "built in" : of["blas"],
                  capability, host.cores, host.cores == 1 ? "" : "s");
  const bool plain =
      !capability.starts_with("AVX") && (host.isa.starts_with("avx2") || host.isa.starts_with("avx512"));
  if (plain) return {Health::warn, "libtorch", found, "this CPU can do more: is ATEN_CPU_CAPABILITY set?"};
  if (of["onednn"].empty())
    return {Health::warn, "libtorch", found, "convolutions are slow without oneDNN: use another build"};
  if (of["blas"].starts_with("libblas"))
    return {Health::warn, "libtorch", found, "a slow BLAS: apt-get install libopenblas0-pthread"};
  return {Health::ok, "libtorch", found};
}

Finding check_program(const std::string& program, const std::string& what_for) {
  try {
    return {Health::ok, program, first_line_of({"/usr/bin/env", program, "--version"})};
  } catch (const Error&) {
    return {Health::warn, program, "not found; " + what_for,
            "apt-get install " + (program == "node" ? "nodejs" : program)};
  }
}

Finding check_vega(const std::vector<fs::path>& folders) {
  try {
    const fs::path to_svg = find_renderer("vl2svg", folders), to_png = find_renderer("vl2png", folders);
    if (run_filter({to_svg}, small_picture).find("<svg") == std::string::npos)
      return {Health::warn, "vega", to_svg.string() + " drew no SVG", "install it again"};
    if (!run_filter({to_png}, small_picture).starts_with("\x89PNG"))
      return {Health::warn, "vega", to_png.string() + " drew no PNG", "install it again"};
    return {Health::ok, "vega", fmt::format("draws SVG and PNG, from {}", to_svg.parent_path().string())};
  } catch (const Error& problem) {
    return {Health::warn, "vega", fmt::format("no pictures: {}", split(problem.what(), '\n').front())};
  }
}

}  // namespace dp
