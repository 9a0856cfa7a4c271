// Reading the command line: what is taken, what is refused and in which words.
// SPDX-License-Identifier: MIT
#include "base/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>

namespace dp {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// The message of the UsageError that `act` throws; "" if it throws none.
std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

// ---- values ----------------------------------------------------------------------------------------------

TEST(ParseCount, TakesWholeNumbersWithinItsBounds) {
  EXPECT_EQ(parse_count("--n", "1", 1, 9), 1U);
  EXPECT_EQ(parse_count("--n", "9", 1, 9), 9U);
  EXPECT_EQ(parse_count("--n", "007", 1, 9), 7U);
  EXPECT_EQ(parse_count("--n", "18446744073709551615", 0, UINT64_MAX), UINT64_MAX);
}

TEST(ParseCount, RefusesAnythingElseNamingFlagValueAndBounds) {
  for (const std::string text :
       {"", "0", "10", "-1", "+5", " 5", "5 ", "5.0", "1e1", "0x5", "five", "5k", "18446744073709551616"}) {
    EXPECT_EQ(refusal([&] { parse_count("--samples", text, 1, 9); }),
              "--samples '" + text + "': give a whole number from 1 to 9");
  }
}

TEST(ParseNumber, TakesDecimalsWithinItsBounds) {
  EXPECT_EQ(parse_number("--rate", "0.25", 0, 10), 0.25);
  EXPECT_EQ(parse_number("--rate", "1e1", 0, 10), 10.0);
  EXPECT_EQ(parse_number("--rate", "-2", -3, 0), -2.0);
}

TEST(ParseNumber, RefusesAnythingElseNamingFlagValueAndBounds) {
  for (const std::string text : {"", "-0.1", "10.5", "nan", "inf", "1e999", "1,5", "1.5x", " 1", "one"}) {
    EXPECT_EQ(refusal([&] { parse_number("--rate", text, 0, 10); }),
              "--rate '" + text + "': give a number from 0 to 10");
  }
}

TEST(ParseDuration, TakesEveryUnit) {
  const std::pair<const char*, Duration> cases[] = {
      {"7ns", 7ns},     {"250us", 250us},  {"5ms", 5ms},
      {"1.5s", 1500ms}, {"2min", 120s},    {"0s", 0s},
      {"0.5ms", 500us}, {"0.25us", 250ns}, {"1000000000s", 1'000'000'000s}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_duration("--t", text), expected) << text;
}

TEST(ParseDuration, IsExactForWholeUnitsAndDecimals) {
  for (int n = 0; n < 5000; ++n) {
    EXPECT_EQ(parse_duration("--t", fmt::format("{}us", n)), std::chrono::microseconds(n));
    EXPECT_EQ(parse_duration("--t", fmt::format("{}ms", n)), std::chrono::milliseconds(n));
    EXPECT_EQ(parse_duration("--t", fmt::format("{}.{:03}s", n / 1000, n % 1000)),
              std::chrono::milliseconds(n));
  }
}

TEST(ParseDuration, RefusesAnythingElseShowingHowItIsWritten) {
  for (const std::string text :
       {"", "5", "ms", "-5ms", "5 ms", "5m", "5h", "5MS", "nans", "infs", "1e10s", "5ms5"}) {
    EXPECT_EQ(refusal([&] { parse_duration("--lease", text); }),
              "--lease '" + text + "': give a time such as 250us, 5ms, 1.5s or 2min");
  }
}

TEST(ParseRange, TakesARangeOrASingleNumber) {
  EXPECT_EQ(parse_range("--b", "8..64", 1, 64), (IntRange{8, 64}));
  EXPECT_EQ(parse_range("--b", "32", 1, 64), (IntRange{32, 32}));
  EXPECT_EQ(parse_range("--b", "1..1", 1, 64), (IntRange{1, 1}));
}

TEST(ParseRange, RefusesAnythingElse) {
  for (const std::string text :
       {"", "..", "8..", "..8", "0..8", "8..65", "8.9", "8...9", "8-9", "8..9..10"}) {
    EXPECT_THAT(refusal([&] { parse_range("--b", text, 1, 64); }),
                AllOf(HasSubstr("--b '"), HasSubstr("from 1 to 64")))
        << text;
  }
  EXPECT_EQ(refusal([] { parse_range("--b", "64..8", 1, 64); }), "--b '64..8': the range runs backwards");
}

TEST(ParseChoice, GivesThePositionOrListsWhatIsAllowed) {
  EXPECT_EQ(parse_choice("--s", "uniform", {"dynamic", "uniform"}), 1U);
  for (const std::string text : {"", "Uniform", "uni", "uniform "}) {
    EXPECT_EQ(refusal([&] {
                parse_choice("--s", text, {"dynamic", "uniform"});
              }),
              "--s '" + text + "': give one of dynamic, uniform");
  }
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_THAT(split("a,b", ','), ElementsAre("a", "b"));
  EXPECT_THAT(split(",a,", ','), ElementsAre("", "a", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

// ---- a command line --------------------------------------------------------------------------------------

/// A tool with one flag of each kind; each has a name of its own, as loggers are named after tools.
Options some_tool() {
  static int made = 0;
  Options options(fmt::format("dp-test-{}", ++made), "tries options", "  dp-test --rate 5 | wc");
  options.section("Work")
      .value("rate", "R", "samples/s", "100")
      .value("out", "FILE", "where to")
      .flag("fast", "go");
  return options;
}

std::optional<Exit> parse(Options& options, std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "dp-test");
  return options.parse(static_cast<int>(arguments.size()), arguments.data());
}

/// What `parse` prints on stdout, having ended with `done`.
std::string printed(Options& options, const char* argument) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(parse(options, {argument}), Exit::done);
  return testing::internal::GetCapturedStdout();
}

TEST(Options, GivesDefaultsWhereNothingIsSaid) {
  Options options = some_tool();
  EXPECT_EQ(parse(options, {}), std::nullopt);
  EXPECT_EQ(options.count("rate", 1, 1000), 100U);
  EXPECT_FALSE(options.has("rate"));
  EXPECT_FALSE(options.has("fast"));
  EXPECT_EQ(options.text("out"), "");
}

TEST(Options, GivesWhatIsSaidInEitherSpelling) {
  Options options = some_tool();
  EXPECT_EQ(parse(options, {"--rate", "5", "--out=file", "--fast"}), std::nullopt);
  EXPECT_EQ(options.number("rate", 0, 10), 5.0);
  EXPECT_TRUE(options.has("rate"));
  EXPECT_TRUE(options.has("fast"));
  EXPECT_EQ(options.text("out"), "file");
  EXPECT_EQ(options.command_line(), "dp-test --rate 5 --out=file --fast");
}

TEST(Options, NamesTheFlagWhoseValueIsBad) {
  Options options = some_tool();
  parse(options, {"--rate", "x"});
  EXPECT_THAT(refusal([&] { options.count("rate", 1, 9); }), HasSubstr("--rate 'x'"));
  EXPECT_THAT(refusal([&] { options.number("rate", 1, 9); }), HasSubstr("--rate 'x'"));
  EXPECT_THAT(refusal([&] { options.duration("rate"); }), HasSubstr("--rate 'x'"));
  EXPECT_THAT(refusal([&] { options.choice("rate", {"max"}); }), HasSubstr("--rate 'x'"));
}

TEST(Options, HelpNamesEveryFlagItsDefaultTheStatusesAndAnExample) {
  Options options = some_tool();
  EXPECT_THAT(printed(options, "--help"),
              AllOf(HasSubstr("tries options"), HasSubstr("--rate R"), HasSubstr("(default: 100)"),
                    HasSubstr("--fast"), HasSubstr("--version"), HasSubstr("--log-level"),
                    HasSubstr("Exit status: 0 done"), HasSubstr("Example:\n  dp-test --rate 5 | wc")));
}

TEST(Options, VersionNamesToolAndVersion) {
  Options options = some_tool();
  EXPECT_THAT(printed(options, "--version"), testing::MatchesRegex("dp-test-[0-9]+ [0-9.]+ .*\n"));
}

TEST(Options, AnUnknownFlagIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"--rat", "rat"}, {"--nosuch", "nosuch"}, {"--nosuch=3", "nosuch"}, {"-x", "x"}};
  for (const auto& [flag, name] : cases) {
    Options options = some_tool();
    EXPECT_THAT(refusal([&, flag = flag] { parse(options, {flag}); }),
                AllOf(HasSubstr(name), HasSubstr("does not exist"), HasSubstr("--help")));
  }
}

TEST(Options, AFlagWithoutItsValueIsNamed) {
  Options options = some_tool();
  EXPECT_THAT(refusal([&] { parse(options, {"--rate"}); }), HasSubstr("rate"));
}

TEST(Options, AnArgumentIsRefusedUnlessTheToolTakesThem) {
  Options without = some_tool();
  EXPECT_THAT(refusal([&] { parse(without, {"file"}); }), HasSubstr("unexpected argument 'file'"));
  Options with = some_tool();
  with.positional("FILE...", "what to read");
  EXPECT_EQ(parse(with, {"a", "--fast", "b"}), std::nullopt);
  EXPECT_THAT(with.arguments(), ElementsAre("a", "b"));
}

TEST(Options, AnUnknownLogLevelIsRefused) {
  Options options = some_tool();
  EXPECT_THAT(refusal([&] { parse(options, {"--log-level", "loud"}); }), HasSubstr("--log-level 'loud'"));
}

// ---- the configuration file ------------------------------------------------------------------------------

/// A file for a tool named dp-stream: sections have the names of real tools.
struct ConfigTest : testing::Test {
  std::string path =
      (std::filesystem::path(testing::TempDir()) / fmt::format("config-{}.toml", ::getpid())).string();
  void write(const char* text) { std::ofstream(path) << text; }
  ~ConfigTest() override { std::filesystem::remove(path); }
};

Options stream_tool() {
  Options options("dp-stream", "tries options", "");
  options.section("Work")
      .value("rate", "R", "samples/s", "100")
      .value("out", "FILE", "where to")
      .flag("fast", "go");
  return options;
}

TEST_F(ConfigTest, GivesWhatTheCommandLineDoesNot) {
  write("[stream]\nrate = 7\nout = \"file\"\nfast = true\n");
  Options options = stream_tool();
  testing::internal::CaptureStdout();
  EXPECT_EQ(parse(options, {"--config", path.c_str(), "--rate", "5", "--fast=false", "--print-config"}),
            Exit::done);
  const std::string printed = testing::internal::GetCapturedStdout();
  EXPECT_EQ(options.text("rate"), "5");
  EXPECT_EQ(options.text("out"), "file");
  EXPECT_TRUE(options.has("out"));
  EXPECT_FALSE(options.has("fast"));
  EXPECT_THAT(printed,
              AllOf(HasSubstr("rate = 5  # command line\n"), HasSubstr("out = \"file\"  # " + path + ":3\n"),
                    HasSubstr("fast = false  # command line\n"), HasSubstr("quiet = false  # default\n")));
}

TEST_F(ConfigTest, AValueFromItIsRefusedInTheWordsOfTheCommandLine) {
  write("[stream]\nlog-level = \"warn\"\nrate = 0\n");
  const std::string config = "--config=" + path;
  const std::array<const char*, 2> line = {"dp-stream", config.c_str()};
  const auto body = [](Options& options) {
    options.number("rate", 1, 9);
    return Exit::done;
  };
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_main(stream_tool(), 2, line.data(), body), 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "dp-stream: " + path + ":3: rate '0': give a number from 1 to 9\n");
}

// ---- how a tool ends -------------------------------------------------------------------------------------

TEST(RunMain, TurnsExceptionsIntoStatusesAndOneLineOnStderr) {
  const std::tuple<std::function<Exit()>, int, const char*> cases[] = {
      {[] { return Exit::done; }, 0, ""},
      {[] { return Exit::invalid; }, 3, ""},
      {[]() -> Exit { throw Error("no such {}", "thing"); }, 1, "tool: no such thing\n"},
      {[]() -> Exit { throw std::runtime_error("odd"); }, 1, "tool: odd\n"},
      {[]() -> Exit { throw UsageError("bad flag"); }, 2, "tool: bad flag\n"},
  };
  for (const auto& [body, status, message] : cases) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_main("tool", body), status);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), message);
  }
}

}  // namespace
}  // namespace dp
