// SPDX-License-Identifier: MIT
#include "base/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cxxopts.hpp>

#include "base/log.hpp"
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
  std::optional<cxxopts::ParseResult> result;
  std::vector<std::string> arguments;

  Impl(std::string t, std::string p, std::string e)
      : tool(std::move(t)), purpose(std::move(p)), example(std::move(e)), options(tool, purpose) {
    options.set_width(100);
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
  return *this;
}

Options& Options::list(std::string name, std::string placeholder, std::string help) {
  impl_->options.add_options(impl_->group)(name, help, cxxopts::value<std::vector<std::string>>(),
                                           placeholder);
  return *this;
}

Options& Options::flag(std::string name, std::string help) {
  impl_->options.add_options(impl_->group)(name, help);
  return *this;
}

Options& Options::positional(std::string placeholder, std::string help) {
  impl_->argument_name = std::move(placeholder);
  impl_->argument_help = std::move(help);
  return *this;
}

std::optional<Exit> Options::parse(int argc, const char* const* argv) {
  section("Common");
  value("log-level", "LEVEL", "least important messages shown on stderr: debug, info, warn or error", "info");
  flag("quiet", "show warnings and errors only");
  flag("version", "print the version and exit");
  flag("help", "print this help and exit");
  for (int i = 0; i < argc; ++i) impl_->command_line += (i ? " " : "") + std::string(argv[i]);
  try {
    impl_->result = impl_->options.parse(argc, argv);
  } catch (const cxxopts::exceptions::exception& problem) {
    throw UsageError("{} (see: {} --help)", problem.what(), impl_->tool);
  }
  impl_->arguments = impl_->result->unmatched();
  if (impl_->result->count("help")) {
    std::fputs(impl_->help().c_str(), stdout);
    return Exit::done;
  }
  if (impl_->result->count("version")) {
    std::fputs(fmt::format("{} {} ({}, {})\n", impl_->tool, version, compiler, build_type).c_str(), stdout);
    return Exit::done;
  }
  if (!impl_->arguments.empty() && impl_->argument_name.empty()) {
    throw UsageError("unexpected argument '{}' (see: {} --help)", impl_->arguments.front(), impl_->tool);
  }
  set_up_log(impl_->tool, choice("log-level", {"debug", "info", "warn", "error"}), has("quiet"));
  return std::nullopt;
}

bool Options::has(std::string_view name) const { return impl_->result->count(std::string(name)) > 0; }

std::string Options::text(std::string_view name) const {
  const std::string key(name);
  const cxxopts::OptionValue& value = (*impl_->result)[key];
  return value.count() || value.has_default() ? value.as<std::string>() : std::string();
}

std::vector<std::string> Options::texts(std::string_view name) const {
  const cxxopts::OptionValue& value = (*impl_->result)[std::string(name)];
  return value.count() ? value.as<std::vector<std::string>>() : std::vector<std::string>();
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

int run_main(std::string_view tool, const std::function<Exit()>& body) {
  const auto report = [&](const char* what, Exit status) {
    std::fputs(fmt::format("{}: {}\n", tool, what).c_str(), stderr);
    return static_cast<int>(status);
  };
  try {
    return static_cast<int>(body());
  } catch (const UsageError& error) {
    return report(error.what(), Exit::usage);
  } catch (const std::exception& error) {
    return report(error.what(), Exit::failed);
  }
}

}  // namespace dp
