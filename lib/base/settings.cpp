// SPDX-License-Identifier: MIT
#include "base/settings.hpp"

#include <algorithm>

#include "base/options.hpp"
#include "base/version.hpp"

namespace dp {
namespace {

void check_type(const ConfigFile& file, const ConfigEntry& entry, ConfigKind wanted) {
  const char* give = nullptr;
  if (wanted == ConfigKind::boolean && entry.kind != wanted) give = "true or false, without quotes";
  if (wanted == ConfigKind::text && entry.kind != wanted) give = "one text or number";
  if (wanted == ConfigKind::list && entry.kind == ConfigKind::boolean) give = "a list of texts";
  if (give) throw UsageError("{}: {} = {}: give {}", file.place(entry), entry.key, entry.toml(), give);
}

}  // namespace

bool Setting::has() const {
  if (!given || given->empty()) return false;
  return kind != ConfigKind::boolean || given->front() == "true";
}

std::optional<std::string> Setting::toml() const {
  if (kind == ConfigKind::boolean) return has() ? "true" : "false";
  if (kind == ConfigKind::list) return given ? std::optional(toml_array(*given)) : std::nullopt;
  if (given) return toml_value(given->front());
  return fallback.empty() ? std::nullopt : std::optional(toml_value(fallback));
}

Setting* Settings::find(std::string_view name) {
  const auto found = std::ranges::find(all_, name, &Setting::name);
  return found == all_.end() ? nullptr : &*found;
}

Setting& Settings::at(std::string_view name) {
  if (Setting* found = find(name)) return *found;
  throw Error("no flag --{} was declared", name);
}

void Settings::take(const ConfigFile& file) {
  const std::string own = section_of_tool(tool_);
  for (const ConfigEntry& entry : file.entries()) {
    if (entry.section == own) take(file, entry);
    if (entry.section == "common") check_common(file, entry);
  }
  for (const ConfigEntry& entry : file.entries()) {
    if (entry.section == "common" && find(entry.key)) take(file, entry);
  }
}

void Settings::check_common(const ConfigFile& file, const ConfigEntry& entry) const {
  const std::vector<std::string> known(common_keys().begin(), common_keys().end());
  if (std::ranges::find(known, entry.key) != known.end()) return;
  throw UsageError(
      "{}: '{}' ({}) is no key of [common]: the nearest is '{}' (it takes what several tools share: {})",
      file.place(entry), entry.key, entry.toml(), nearest(entry.key, known), fmt::join(known, ", "));
}

void Settings::take(const ConfigFile& file, const ConfigEntry& entry) {
  Setting* setting = find(entry.key);
  if (!setting || !setting->in_file) {
    std::vector<std::string> known;
    for (const Setting& s : all_) {
      if (s.in_file) known.push_back(s.name);
    }
    throw UsageError("{}: '{}' ({}) is no key of [{}]: the nearest is '{}' (see: {} --help)",
                     file.place(entry), entry.key, entry.toml(), entry.section, nearest(entry.key, known),
                     tool_);
  }
  check_type(file, entry, setting->kind);
  if (setting->given) return;
  const bool split_up = setting->kind == ConfigKind::list && entry.kind == ConfigKind::text;
  setting->given = split_up ? split(entry.texts.front(), ',') : entry.texts;
  setting->place = file.place(entry);
  setting->source = setting->place + (entry.section == "common" ? " [common]" : "");
}

std::string Settings::traced(const std::string& message) const {
  const std::string text = message.substr(message.starts_with("--") ? 2 : 0);
  const std::string name = text.substr(0, text.find(' '));
  const auto found = std::ranges::find(all_, name, &Setting::name);
  return found == all_.end() || found->place.empty() ? message : fmt::format("{}: {}", found->place, text);
}

std::string Settings::toml(const std::vector<std::string>& left_out) const {
  std::string text = fmt::format("[{}]\n", section_of_tool(tool_));
  for (const Setting& s : all_) {
    if (!s.in_file || std::ranges::find(left_out, s.name) != left_out.end()) continue;
    if (const auto value = s.toml()) text += fmt::format("{} = {}\n", s.name, *value);
  }
  return text;
}

std::string Settings::in_force() const {
  std::string text = fmt::format("# What is in force for {} {}, and where each value comes from.\n[{}]\n",
                                 tool_, version, section_of_tool(tool_));
  for (const Setting& s : all_) {
    if (!s.in_file) continue;
    const auto value = s.toml();
    text += value ? fmt::format("{} = {}  # {}\n", s.name, *value, s.source)
                  : fmt::format("# {} is not given\n", s.name);
  }
  return text;
}

}  // namespace dp
