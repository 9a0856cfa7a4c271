// The configuration file: what is read, what is refused in which words, and what wins over what.
// SPDX-License-Identifier: MIT
#include "base/config_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/settings.hpp"

namespace dp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

/// Entries as "section.key=text|text@line".
std::vector<std::string> read(std::string_view text) {
  std::vector<std::string> all;
  const ConfigFile file = ConfigFile::parse(text, "c.toml");
  for (const ConfigEntry& e : file.entries())
    all.push_back(fmt::format("{}.{}={}@{}", e.section, e.key, fmt::join(e.texts, "|"), e.line));
  return all;
}

TEST(ConfigFile, ReadsEveryTypeAsTheTextOfACommandLineInTheOrderOfTheFile) {
  EXPECT_THAT(read("[stream]\nrate = 1000\nbatch-size = \"8..64\"\n\n[common] # for all\nseed = 0x10\n"
                   "heartbeat = '200ms'\n[route]\nquiet = true\nlease=0.5\n[collect]\n"
                   "slo = [\"p99=50ms\", 7]\nout = 1e3"),
              ElementsAre("stream.rate=1000@2", "stream.batch-size=8..64@3", "common.seed=16@6",
                          "common.heartbeat=200ms@7", "route.quiet=true@9", "route.lease=0.5@10",
                          "collect.slo=p99=50ms|7@12", "collect.out=1000@13"));
}

TEST(ConfigFile, DottedKeysAndInlineTablesAreSectionsToo) {
  EXPECT_THAT(read("stream.rate = 5\nroute = {workers = 2}"),
              ElementsAre("stream.rate=5@1", "route.workers=2@2"));
}

TEST(ConfigFile, RefusesWhatIsNoSectionNamingLineAndNearest) {
  EXPECT_EQ(refusal([] { read("\n[strem]\nrate = 1"); }),
            "c.toml:2: there is no section 'strem': the nearest is 'stream'");
  EXPECT_EQ(refusal([] { read("rate = 1"); }),
            "c.toml:1: 'rate' is in no section: put it below one, such as [stream]");
  EXPECT_EQ(refusal([] { read("stream = 1"); }),
            "c.toml:1: 'stream' is a section: write [stream] above its keys");
}

TEST(ConfigFile, RefusesValuesThatNoFlagTakesAndBrokenToml) {
  EXPECT_THAT(refusal([] { read("[stream]\nrate = 1979-05-27"); }),
              StartsWith("c.toml:2: rate = 1979-05-27: give text in quotes, a number"));
  EXPECT_THAT(refusal([] { read("[stream.rate]\nx = 1"); }), StartsWith("c.toml:1: rate = "));
  EXPECT_THAT(refusal([] { read("[stream]\n\nrate = \n"); }), StartsWith("c.toml:3: "));
  EXPECT_THAT(refusal([] { read("[stream]\nrate = 1\nrate = 2"); }), StartsWith("c.toml:3: "));
  EXPECT_THAT(refusal([] { read("[stream]\nseed = 99999999999999999999"); }), StartsWith("c.toml:2: "));
}

TEST(ConfigFile, AFileThatIsNotThereIsNamed) {
  try {
    ConfigFile::read("no/such.toml");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no/such.toml"));
  }
}

TEST(Nearest, IsTheOneWithTheFewestEdits) {
  const std::vector<std::string> known = {"batch-size", "batch-timeout", "rate", "seed"};
  EXPECT_EQ(nearest("batchsize", known), "batch-size");
  EXPECT_EQ(nearest("batch_timeout", known), "batch-timeout");
  EXPECT_EQ(nearest("rates", known), "rate");
  EXPECT_EQ(nearest("sed", known), "seed");
  EXPECT_EQ(nearest("", known), "rate");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(TomlValue, IsBareOnlyWhereTheNumberReadsBackAsTheSameText) {
  for (const std::string bare : {"0", "7", "-3", "1000", "0.25", "9223372036854775807"})
    EXPECT_EQ(toml_value(bare), bare);
  for (const std::string quoted : {"", "007", "1.50", "1.0", "1e3", "5ms", "8..64", "1-2", "true", "nan",
                                   "18446744073709551615", "-", ".", "1979-05-27"})
    EXPECT_EQ(toml_value(quoted), "\"" + quoted + "\"");
}

TEST(TomlValue, ReadsBackWhateverIsInIt) {
  for (const std::string text :
       {"a \"b\" c", "back\\slash", "tab\there", "line\nfeed", "# no comment", "'", "ü"}) {
    const ConfigFile file =
        ConfigFile::parse(fmt::format("[stream]\ndata = {}  # there", toml_value(text)), "c.toml");
    EXPECT_THAT(file.entries().at(0).texts, ElementsAre(text));
  }
}

// ---- what a tool takes from it ---------------------------------------------------------------------------

/// dp-stream with a flag of each kind.
Settings some_settings() {
  Settings settings("dp-stream");
  settings.all() = {{.name = "rate", .fallback = "1000"},
                    {.name = "out"},
                    {.name = "seed", .fallback = "1"},
                    {.name = "slo", .kind = ConfigKind::list},
                    {.name = "quiet", .kind = ConfigKind::boolean},
                    {.name = "config", .in_file = false}};
  return settings;
}

Settings with(std::string_view file) {
  Settings settings = some_settings();
  settings.take(ConfigFile::parse(file, "c.toml"));
  return settings;
}

TEST(Settings, TheCommandLineWinsOverTheToolsSectionAndThatOverCommon) {
  Settings settings = some_settings();
  settings.at("rate").given = {{"5"}};
  settings.take(
      ConfigFile::parse("[common]\nseed = 3\nquiet = true\n[stream]\nrate = 7\nseed = 4", "c.toml"));
  EXPECT_THAT(*settings.at("rate").given, ElementsAre("5"));
  EXPECT_THAT(*settings.at("seed").given, ElementsAre("4"));
  EXPECT_TRUE(settings.at("quiet").has());
  EXPECT_FALSE(settings.at("out").has());
}

TEST(Settings, SectionsOfOtherToolsAndCommonFlagsOfOtherToolsArePassedOver) {
  Settings settings = with("[route]\nnonsense = 1\n[common]\nheartbeat = \"1s\"");
  for (const Setting& setting : settings.all()) EXPECT_FALSE(setting.given) << setting.name;
}

TEST(Settings, AnUnknownKeyIsNamedWithItsValueAndTheNearest) {
  EXPECT_EQ(refusal([] { with("[stream]\nrat = 7"); }),
            "c.toml:2: 'rat' (7) is no key of [stream]: the nearest is 'rate' (see: dp-stream --help)");
  EXPECT_THAT(refusal([] { with("[stream]\nconfig = \"d.toml\""); }),
              StartsWith("c.toml:2: 'config' (\"d.toml\") is no key of [stream]"));
  EXPECT_THAT(refusal([] { with("[common]\nrate = 7"); }),
              StartsWith("c.toml:2: 'rate' (7) is no key of [common]"));
  EXPECT_THAT(refusal([] { with("[common]\nheartbeet = \"1s\""); }), HasSubstr("the nearest is 'heartbeat'"));
}

TEST(Settings, AWrongTypeIsNamed) {
  EXPECT_EQ(refusal([] { with("[stream]\nrate = true"); }), "c.toml:2: rate = true: give one text or number");
  EXPECT_EQ(refusal([] { with("[stream]\nrate = [1, \"a\"]"); }),
            "c.toml:2: rate = [1, \"a\"]: give one text or number");
  EXPECT_EQ(refusal([] { with("[stream]\nquiet = \"yes\""); }),
            "c.toml:2: quiet = \"yes\": give true or false, without quotes");
  EXPECT_EQ(refusal([] { with("[stream]\nslo = false"); }), "c.toml:2: slo = false: give a list of texts");
}

TEST(Settings, ALetterListIsSplitAsOnTheCommandLineAndAnArrayIsNot) {
  EXPECT_THAT(*with("[stream]\nslo = \"a,b\"").at("slo").given, ElementsAre("a", "b"));
  EXPECT_THAT(*with("[stream]\nslo = [\"a,b\", \"c\"]").at("slo").given, ElementsAre("a,b", "c"));
}

TEST(Settings, FalseIsAFlagNotGiven) { EXPECT_FALSE(with("[stream]\nquiet = false").at("quiet").has()); }

TEST(Settings, WhatIsInForceNamesEachSourceAndReadsBackTheSame) {
  Settings settings = some_settings();
  settings.at("out").given = {{"a \"b\""}};
  settings.at("out").source = "command line";
  settings.take(ConfigFile::parse("[common]\nseed = 3\n[stream]\nslo = [\"p99=5ms\"]", "c.toml"));
  const std::string text = settings.in_force();
  EXPECT_THAT(text, HasSubstr("[stream]\nrate = 1000  # default\nout = \"a \\\"b\\\"\"  # command line\n"
                              "seed = 3  # c.toml:2 [common]\nslo = [\"p99=5ms\"]  # c.toml:4\n"
                              "quiet = false  # default\n"));
  Settings again = some_settings();
  again.take(ConfigFile::parse(text, "again.toml"));
  EXPECT_EQ(again.toml({}), settings.toml({}));
}

TEST(Settings, TheSectionLeavesOutWhatItIsTold) {
  const Settings settings = with("[stream]\nrate = 7");
  EXPECT_EQ(settings.toml({"seed"}), "[stream]\nrate = 7\nquiet = false\n");
}

TEST(Settings, AMessageAboutAValueFromTheFileNamesItsLine) {
  const Settings settings = with("[stream]\nrate = 0");
  EXPECT_EQ(settings.traced("--rate '0': give more"), "c.toml:2: rate '0': give more");
  EXPECT_EQ(settings.traced("rate '0': give more"), "c.toml:2: rate '0': give more");
  EXPECT_EQ(settings.traced("--seed 'x': give less"), "--seed 'x': give less");
  EXPECT_EQ(settings.traced("no such file"), "no such file");
}

}  // namespace
}  // namespace dp
