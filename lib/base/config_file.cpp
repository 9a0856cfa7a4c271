// SPDX-License-Identifier: MIT
#include "base/config_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <sstream>
#include <utility>

#include "base/file.hpp"
#include "base/version.hpp"

namespace dp {
namespace {

constexpr std::array<std::string_view, 10> shared_flags = {
    "allow", "collect", "data", "heartbeat", "insecure", "log-level", "quiet", "seed", "server-key", "wait"};

std::vector<std::string> sections() {
  std::vector<std::string> names = {"common"};
  for (std::string_view left = tools; !left.empty();) {
    const auto end = std::min(left.find(';'), left.size());
    names.push_back(section_of_tool(left.substr(0, end)));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return names;
}

std::string shown(const toml::node& node) {
  std::ostringstream text;
  text << toml::toml_formatter(node, toml::format_flags::none);
  return text.str();
}

/// As it would be written on a command line; nothing where it could not be.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  return std::nullopt;
}

struct Reader {
  const std::string& name;
  std::vector<ConfigEntry>& entries;

  template <class... Args>
  [[noreturn]] void refuse(const toml::node& node, fmt::format_string<Args...> format, Args&&... args) const {
    throw UsageError("{}:{}: {}", name, node.source().begin.line,
                     fmt::format(format, std::forward<Args>(args)...));
  }

  void section(const std::string& title, const toml::node& node) const {
    static const std::vector<std::string> known = sections();
    const toml::table* table = node.as_table();
    if (!table && std::ranges::find(known, title) == known.end())
      refuse(node, "'{}' is in no section: put it below one, such as [stream]", title);
    if (std::ranges::find(known, title) == known.end())
      refuse(node, "there is no section '{}': the nearest is '{}'", title, nearest(title, known));
    if (!table) refuse(node, "'{}' is a section: write [{}] above its keys", title, title);
    for (const auto& [key, value] : *table) entry(title, std::string(key.str()), value);
  }

  void entry(const std::string& title, std::string key, const toml::node& node) const {
    ConfigEntry entry{title, std::move(key), {}, ConfigKind::text, node.source().begin.line};
    if (const auto* flag = node.as_boolean()) {
      entry.kind = ConfigKind::boolean;
      entry.texts = {flag->get() ? "true" : "false"};
    } else if (const toml::array* list = node.as_array()) {
      entry.kind = ConfigKind::list;
      for (const toml::node& item : *list) entry.texts.push_back(plain(entry.key, item));
    } else {
      entry.texts = {plain(entry.key, node)};
    }
    entries.push_back(std::move(entry));
  }

  std::string plain(const std::string& key, const toml::node& node) const {
    if (auto text = text_of(node)) return *std::move(text);
    refuse(node, "{} = {}: give text in quotes, a number, true or false, or a list of texts", key,
           shown(node));
  }
};

bool is_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.-") != std::string_view::npos) return false;
  try {
    const toml::table parsed = toml::parse(fmt::format("x = {}", text));
    return text_of(*parsed.get("x")) == text;
  } catch (const toml::parse_error&) {
    return false;
  }
}

}  // namespace

std::string ConfigEntry::toml() const {
  if (kind == ConfigKind::list) return toml_array(texts);
  return kind == ConfigKind::boolean ? texts.front() : toml_value(texts.front());
}

ConfigFile ConfigFile::read(const std::string& path) { return parse(read_text(path), path); }

ConfigFile ConfigFile::parse(std::string_view text, std::string name) {
  ConfigFile file;
  file.name_ = std::move(name);
  try {
    const toml::table table = toml::parse(text);
    const Reader reader{file.name_, file.entries_};
    for (const auto& [title, node] : table) reader.section(std::string(title.str()), node);
  } catch (const toml::parse_error& problem) {
    throw UsageError("{}:{}: {}", file.name_, problem.source().begin.line, problem.description());
  }
  std::ranges::stable_sort(file.entries_, {}, &ConfigEntry::line);
  return file;
}

std::span<const std::string_view> common_keys() { return shared_flags; }

std::string section_of_tool(std::string_view tool) {
  return std::string(tool.starts_with("dp-") ? tool.substr(3) : tool);
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
  std::string best;
  std::size_t least = SIZE_MAX;
  for (const std::string& candidate : known) {
    std::vector<std::size_t> row(candidate.size() + 1);  // Levenshtein, a row at a time
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i + 1);
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t replaced = diagonal + (word[i] != candidate[j]);
        diagonal = row[j + 1];
        row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
      }
    }
    if (row.back() < least) {
      least = row.back();
      best = candidate;
    }
  }
  return best;
}

std::string toml_value(std::string_view text) {
  return is_number(text) ? std::string(text) : shown(toml::value<std::string>(text));
}

std::string toml_array(std::span<const std::string> texts) {
  std::vector<std::string> values;
  for (const std::string& text : texts) values.push_back(toml_value(text));
  return fmt::format("[{}]", fmt::join(values, ", "));
}

}  // namespace dp
