// The configuration file: TOML with a section for each tool and [common] for all, read into texts as a command line
// would give them, and written so that it reads back the same. Which keys a section takes is told by the tool's flags
// (options.hpp).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace dp {

/// What a value is; numbers are texts.
enum class ConfigKind { text, boolean, list };

/// One `key = value` of a section.
struct ConfigEntry {
  std::string section, key;
  std::vector<std::string> texts;  ///< one, or those of a list
  ConfigKind kind = ConfigKind::text;
  std::size_t line = 0;

  std::string toml() const;  ///< the value, as in the file
};

/// A configuration file whose sections are those of known tools; the keys in them are not looked at yet.
class ConfigFile {
 public:
  /// Reads a file. Throws Error when it cannot be read, and what `parse` throws.
  static ConfigFile read(const std::string& path);
  /// Throws UsageError that begins with `name` and the line.
  static ConfigFile parse(std::string_view text, std::string name);

  const std::string& name() const { return name_; }
  /// In the order of the file.
  const std::vector<ConfigEntry>& entries() const { return entries_; }
  /// "FILE:LINE".
  std::string place(const ConfigEntry& entry) const { return fmt::format("{}:{}", name_, entry.line); }

 private:
  std::string name_;
  std::vector<ConfigEntry> entries_;
};

/// The keys of [common]: flags that mean the same in several tools. A tool without such a flag passes it over.
std::span<const std::string_view> common_keys();

/// The section of a tool: its name without "dp-".
std::string section_of_tool(std::string_view tool);

/// The one of `known` with the least edit distance to `word`, the first of equals; "" if there are none.
std::string nearest(std::string_view word, std::span<const std::string> known);

/// A text as a TOML value: bare where it is a number that reads back the same, else quoted.
std::string toml_value(std::string_view text);
/// Texts as a TOML array.
std::string toml_array(std::span<const std::string> texts);

}  // namespace dp
