// The values of a tool's flags, each with where it comes from. Not here: how flags are declared and a command line is read
// (options.hpp), and how the file is (config_file.hpp).
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_file.hpp"

namespace dp {

/// One flag, and its value once the command line has been read.
struct Setting {
  std::string name;
  ConfigKind kind = ConfigKind::text;               ///< boolean: a flag without value
  std::string fallback{};                           ///< "": none
  bool in_file = true;                              ///< may stand in a configuration file
  std::optional<std::vector<std::string>> given{};  ///< by the command line or the file
  std::string source = "default", place{};          ///< `place`: FILE:LINE, "" elsewhere

  /// Given, and a flag without value not switched off.
  bool has() const;
  /// The value in force; nothing where none is.
  std::optional<std::string> toml() const;
};

/// The flags of one tool.
class Settings {
 public:
  explicit Settings(std::string tool) : tool_(std::move(tool)) {}

  std::vector<Setting>& all() { return all_; }
  /// Throws Error for a flag that was not declared.
  Setting& at(std::string_view name);
  /// Gives what is not given yet what the file says: the tool's own section wins over [common]. Throws UsageError
  /// naming file and line.
  void take(const ConfigFile& file);
  /// A message that begins with the name of a value from the file, or with its flag: with file and line put before it.
  std::string traced(const std::string& message) const;
  /// The tool's section of a configuration file, without the values of `left_out`.
  std::string toml(const std::vector<std::string>& left_out) const;
  /// The same, whole, with a comment on each line: where the value comes from.
  std::string in_force() const;

 private:
  Setting* find(std::string_view name);
  void check_common(const ConfigFile& file, const ConfigEntry& entry) const;
  void take(const ConfigFile& file, const ConfigEntry& entry);

  std::string tool_;
  std::vector<Setting> all_;
};

}  // namespace dp
