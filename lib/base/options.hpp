// The command line of every tool and its section of the configuration file: one way to declare flags, one way to read
// values, one catch site. Parsing starts nothing, so bad flags are tested without sockets.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"

namespace dp {

/// Inclusive range of integers, written `8..64` or `32`.
struct IntRange {
  std::uint32_t low = 0, high = 0;
  bool operator==(const IntRange&) const = default;
};

// Each throws UsageError that names `what` (a flag), the value and what is allowed.
std::uint64_t parse_count(std::string_view what, std::string_view text, std::uint64_t low,
                          std::uint64_t high);
double parse_number(std::string_view what, std::string_view text, double low, double high);
Duration parse_duration(std::string_view what, std::string_view text);  ///< 250us, 5ms, 1.5s, 2min
IntRange parse_range(std::string_view what, std::string_view text, std::uint32_t low, std::uint32_t high);
std::size_t parse_choice(std::string_view what, std::string_view text,
                         const std::vector<std::string>& allowed);
std::vector<std::string> split(std::string_view text, char separator);

/// Declares the flags of one tool and holds their values: from the command line, else from the tool's section of
/// the file of --config, else from its [common], else the default. Adds --config, --print-config, --help, --version,
/// --log-level and --quiet.
class Options {
 public:
  /// `purpose` is one line; `example` is a pipeline that runs as pasted, shown at the end of --help.
  Options(std::string tool, std::string purpose, std::string example);
  Options(Options&&) noexcept;
  ~Options();

  /// A section title for the flags that follow.
  Options& section(std::string title);
  /// `--name VALUE`; the default is shown in --help ("" : none).
  Options& value(std::string name, std::string placeholder, std::string help, std::string fallback = "");
  /// `--name VALUE[,VALUE…]`, given any number of times.
  Options& list(std::string name, std::string placeholder, std::string help);
  /// `--name` without a value.
  Options& flag(std::string name, std::string help);
  /// Accept positional arguments, `placeholder` naming them.
  Options& positional(std::string placeholder, std::string help);

  /// Reads the command line and the configuration file. Returns the status to exit with at once (after --help,
  /// --version or --print-config), or nothing. Throws UsageError, and Error for a file that cannot be read.
  std::optional<Exit> parse(int argc, const char* const* argv);

  std::string text(std::string_view name) const;                ///< the value, or its default
  std::vector<std::string> texts(std::string_view name) const;  ///< of a list; empty: not given
  bool has(std::string_view name) const;  ///< given on the command line or in the file; of a flag: and true
  const std::vector<std::string>& arguments() const;
  std::uint64_t count(std::string_view name, std::uint64_t low, std::uint64_t high) const;
  double number(std::string_view name, double low, double high) const;
  Duration duration(std::string_view name) const;
  std::string choice(std::string_view name, const std::vector<std::string>& allowed) const;
  std::string command_line() const;  ///< as typed, for run.json
  /// The values in force as this tool's section of a configuration file, without those of `left_out`.
  std::string toml(const std::vector<std::string>& left_out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  friend int run_main(Options, int, const char* const*, const std::function<Exit(Options&)>&);
};

/// The one catch site: sees to the standard streams (standard_streams.hpp), runs `body`, prints `tool: message` on
/// stderr, returns the exit status for main. Ends quietly, by SIGPIPE, once stdout's reader has left.
int run_main(std::string_view tool, const std::function<Exit()>& body);
/// The same for a tool with options: they are read first, and a message that begins with a flag, as in
/// "--rate '0': give …", names the line of the configuration file instead if the value is from there.
int run_main(Options options, int argc, const char* const* argv, const std::function<Exit(Options&)>& body);

}  // namespace dp
