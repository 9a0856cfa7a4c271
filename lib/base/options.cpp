// SPDX-License-Identifier: MIT
#include "base/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cxxopts.hpp>

#include "base/log.hpp"
#include "base/settings.hpp"
#include "base/standard_streams.hpp"
#include "base/version.hpp"

namespace dp {

std::uint64_t parse_count(std::string_view what, std::string_view text, std::uint64_t low,
                          std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    throw UsageError("{} '{}': give a whole number from {} to {}", what, text, low, high);
  }
  return value;
}

double parse_number(std::string_view what, std::string_view text, double low, double high) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= low && value <= high)) {
    throw UsageError("{} '{}': give a number from {} to {}", what, text, low, high);
  }
  return value;
}

Duration parse_duration(std::string_view what, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const double scale = unit == "ns"    ? 1
                       : unit == "us"  ? 1e3
                       : unit == "ms"  ? 1e6
                       : unit == "s"   ? 1e9
                       : unit == "min" ? 6e10
                                       : 0;
  if (error != std::errc{} || scale == 0 || !(value >= 0) || value * scale > 1e18) {
    throw UsageError("{} '{}': give a time such as 250us, 5ms, 1.5s or 2min", what, text);
  }
  return Duration(std::llround(value * scale));
}

IntRange parse_range(std::string_view what, std::string_view text, std::uint32_t low, std::uint32_t high) {
  const auto dots = text.find("..");
  const auto bound = [&](std::string_view part) {
    return static_cast<std::uint32_t>(parse_count(what, part, low, high));
  };
  if (dots == std::string_view::npos) return {bound(text), bound(text)};
  const IntRange range{bound(text.substr(0, dots)), bound(text.substr(dots + 2))};
  if (range.low > range.high) throw UsageError("{} '{}': the range runs backwards", what, text);
  return range;
}

std::size_t parse_choice(std::string_view what, std::string_view text,
                         const std::vector<std::string>& allowed) {
  const auto found = std::find(allowed.begin(), allowed.end(), text);
  if (found == allowed.end())
    throw UsageError("{} '{}': give one of {}", what, text, fmt::join(allowed, ", "));
  return static_cast<std::size_t>(found - allowed.begin());
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

struct Options::Impl {
  std::string tool, purpose, example, group, command_line, argument_name, argument_help;
  std::vector<std::string> groups;
  cxxopts::Options options;
  Settings settings;
  std::vector<std::string> arguments;

  Impl(std::string t, std::string p, std::string e)
      : tool(std::move(t)),
        purpose(std::move(p)),
        example(std::move(e)),
        options(tool, purpose),
        settings(tool) {
    options.set_width(100);
  }

  void take(const cxxopts::ParseResult& result) {
    for (Setting& s : settings.all()) {
      if (!result.count(s.name)) continue;
      s.source = "command line";
      const cxxopts::OptionValue& value = result[s.name];
      if (s.kind == ConfigKind::boolean) s.given = {{value.as<bool>() ? "true" : "false"}};
      if (s.kind == ConfigKind::list) s.given = value.as<std::vector<std::string>>();
      if (s.kind == ConfigKind::text) s.given = {{value.as<std::string>()}};
    }
  }

  std::string help() const {
    std::string text = fmt::format("{} - {}\n\nUsage: {} [options]{}\n", tool, purpose, tool,
                                   argument_name.empty() ? "" : " " + argument_name);
    if (!argument_help.empty()) text += fmt::format("\n  {}  {}\n", argument_name, argument_help);
    std::string body = options.help(groups, false);
    body.erase(0, body.find("\n\n") == std::string::npos ? 0 : body.find("\n\n") + 1);
    for (const std::string& title : groups) {
      const std::string heading = " " + title + " options:";
      body.replace(body.find(heading), heading.size(), title);
    }
    text += body;
    text +=
        "\nExit status: 0 done, 1 failed, 2 usage, 3 measured but invalid or --slo missed, 130 "
        "interrupted.\n";
    return text + (example.empty() ? "" : fmt::format("\nExample:\n{}\n", example));
  }
};

Options::Options(std::string tool, std::string purpose, std::string example)
    : impl_(std::make_unique<Impl>(std::move(tool), std::move(purpose), std::move(example))) {}
Options::Options(Options&&) noexcept = default;
Options::~Options() = default;

Options& Options::section(std::string title) {
  impl_->group = title;
  impl_->groups.push_back(std::move(title));
  return *this;
}

Options& Options::value(std::string name, std::string placeholder, std::string help, std::string fallback) {
  auto kind = cxxopts::value<std::string>();
  if (!fallback.empty()) kind->default_value(fallback);
  impl_->options.add_options(impl_->group)(name, help, kind, placeholder);
  impl_->settings.all().push_back({.name = std::move(name), .fallback = std::move(fallback)});
  return *this;
}

Options& Options::list(std::string name, std::string placeholder, std::string help) {
  impl_->options.add_options(impl_->group)(name, help, cxxopts::value<std::vector<std::string>>(),
                                           placeholder);
  impl_->settings.all().push_back({.name = std::move(name), .kind = ConfigKind::list});
  return *this;
}

Options& Options::flag(std::string name, std::string help) {
  impl_->options.add_options(impl_->group)(name, help);
  impl_->settings.all().push_back({.name = std::move(name), .kind = ConfigKind::boolean});
  return *this;
}

Options& Options::positional(std::string placeholder, std::string help) {
  impl_->argument_name = std::move(placeholder);
  impl_->argument_help = std::move(help);
  return *this;
}

std::optional<Exit> Options::parse(int argc, const char* const* argv) {
  section("Common");
  value("log-level", "debug|info|warn|error", "least important messages shown on stderr", "info");
  flag("quiet", "show warnings and errors only");
  value(
      "config", "FILE",
      fmt::format("read flags that are not given here from sections [{}] and [common] of a TOML file, which "
                  "may serve all tools (pipelines/example.toml)",
                  section_of_tool(impl_->tool)));
  flag("print-config", "print what is in force as TOML, and where each value comes from, and exit");
  flag("version", "print the version and exit");
  flag("help", "print this help and exit");
  for (const char* name : {"config", "print-config", "version", "help"})
    impl_->settings.at(name).in_file = false;
  for (int i = 0; i < argc; ++i) impl_->command_line += (i ? " " : "") + std::string(argv[i]);
  try {
    const cxxopts::ParseResult result = impl_->options.parse(argc, argv);
    impl_->arguments = result.unmatched();
    impl_->take(result);
  } catch (const cxxopts::exceptions::exception& problem) {
    throw UsageError("{} (see: {} --help)", problem.what(), impl_->tool);
  }
  if (has("help")) {
    write_stdout(impl_->help());
    return Exit::done;
  }
  if (has("version")) {
    print("{} {} ({}, {})\n", impl_->tool, version, compiler, build_type);
    return Exit::done;
  }
  if (has("config")) impl_->settings.take(ConfigFile::read(text("config")));
  if (!impl_->arguments.empty() && impl_->argument_name.empty()) {
    throw UsageError("unexpected argument '{}' (see: {} --help)", impl_->arguments.front(), impl_->tool);
  }
  const std::string level = choice("log-level", {"debug", "info", "warn", "error"});
  if (has("print-config")) {
    write_stdout(impl_->settings.in_force());
    return Exit::done;
  }
  set_up_log(impl_->tool, level, has("quiet"));
  return std::nullopt;
}

bool Options::has(std::string_view name) const { return impl_->settings.at(name).has(); }

std::string Options::text(std::string_view name) const {
  const Setting& s = impl_->settings.at(name);
  return s.given ? (s.given->empty() ? "" : s.given->front()) : s.fallback;
}

std::vector<std::string> Options::texts(std::string_view name) const {
  return impl_->settings.at(name).given.value_or(std::vector<std::string>());
}

const std::vector<std::string>& Options::arguments() const { return impl_->arguments; }

std::uint64_t Options::count(std::string_view name, std::uint64_t low, std::uint64_t high) const {
  return parse_count(fmt::format("--{}", name), text(name), low, high);
}
double Options::number(std::string_view name, double low, double high) const {
  return parse_number(fmt::format("--{}", name), text(name), low, high);
}
Duration Options::duration(std::string_view name) const {
  return parse_duration(fmt::format("--{}", name), text(name));
}
std::string Options::choice(std::string_view name, const std::vector<std::string>& allowed) const {
  return allowed[parse_choice(fmt::format("--{}", name), text(name), allowed)];
}
std::string Options::command_line() const { return impl_->command_line; }

std::string Options::toml(const std::vector<std::string>& left_out) const {
  return impl_->settings.toml(left_out);
}

namespace {

/// As a process ends that does not ignore the signal.
void end_by(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

int run_main(std::string_view tool, const std::function<Exit()>& body) {
  const auto report = [&](const char* what, Exit status) {
    std::fputs(fmt::format("{}: {}\n", tool, what).c_str(), stderr);
    return static_cast<int>(status);
  };
  const bool ended_by_pipes = ignore_signals_of_writes();
  try {
    fill_standard_descriptors();
    const Exit status = body();
    check_stdout();
    return static_cast<int>(status);
  } catch (const ReaderLeft& error) {
    if (ended_by_pipes) end_by(SIGPIPE);
    return report(error.what(), Exit::failed);
  } catch (const UsageError& error) {
    return report(error.what(), Exit::usage);
  } catch (const std::exception& error) {
    return report(error.what(), Exit::failed);
  }
}

int run_main(Options options, int argc, const char* const* argv, const std::function<Exit(Options&)>& body) {
  return run_main(options.impl_->tool, [&] {
    try {
      if (const auto status = options.parse(argc, argv)) return *status;
      return body(options);
    } catch (const ReaderLeft&) {
      throw;
    } catch (const UsageError& error) {
      throw UsageError("{}", options.impl_->settings.traced(error.what()));
    } catch (const Error& error) {
      throw Error("{}", options.impl_->settings.traced(error.what()));
    }
  });
}

}  // namespace dp
