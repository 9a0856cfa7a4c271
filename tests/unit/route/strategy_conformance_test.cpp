// Every registered strategy is held to what all owe, without being told of here; and broken ones are found out.
// SPDX-License-Identifier: MIT
#include "strategy_conformance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace dp::conformance {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// All by name, and some with parameters.
std::vector<std::string> subjects() {
  std::vector<std::string> all{"jsq:d=3", "jbsq:n=1", "sharded:by=kk", "rendezvous:key=batch", "maglev:key=batch",
                               "ch-bl:key=batch:c=2"};
  for (const StrategyKind& kind : strategy_kinds()) all.emplace_back(kind.name);
  return all;
}

class StrategyConformance : public testing::TestWithParam<std::string> {
 protected:
  Subject subject() const {
    return {parse_strategy(GetParam()).kind->traits,
            [name = GetParam()](const StrategySetup& setup) { return make_strategy(name, setup); }};
  }
};

TEST_P(StrategyConformance, AnswersFit) { EXPECT_EQ(answers_fit(subject()), ""); }
TEST_P(StrategyConformance, SameCallsSameAnswers) { EXPECT_EQ(same_calls_same_answers(subject()), ""); }
TEST_P(StrategyConformance, NothingIsLost) { EXPECT_EQ(nothing_is_lost(subject()), ""); }
TEST_P(StrategyConformance, EqualsAreEqual) { EXPECT_EQ(equals_are_equal(subject()), ""); }
TEST_P(StrategyConformance, SlowerIsNotPreferred) { EXPECT_EQ(slower_is_not_preferred(subject()), ""); }
TEST_P(StrategyConformance, KeysStay) { EXPECT_EQ(keys_stay(subject()), ""); }
TEST_P(StrategyConformance, ExclusionIsForOnce) { EXPECT_EQ(exclusion_is_for_once(subject()), ""); }

TEST_P(StrategyConformance, NeedsShardsExactlyIfItSaysSo) {
  const StrategySetup without{4, {}, 1};
  if (!subject().traits.needs_shards || GetParam().find("key=batch") != std::string::npos) {
    EXPECT_NO_THROW(make_strategy(GetParam(), without));
    return;
  }
  try {
    make_strategy(GetParam(), without);
    FAIL() << "did without";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(GetParam().substr(0, GetParam().find(':'))), HasSubstr("--layout shards:")));
  }
}

INSTANTIATE_TEST_SUITE_P(Every, StrategyConformance, testing::ValuesIn(subjects()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

// ---- broken ones -----------------------------------------------------------------------------------------

/// Its answer is a function of what it is asked and of who was ever there.
struct Broken final : Strategy {
  using Rule = std::function<std::optional<Slot>(Broken&, const BatchMeta&, std::optional<Slot>, const WorkerView&)>;
  explicit Broken(Rule the_rule) : rule(std::move(the_rule)) {}
  std::optional<Slot> choose(Time, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView& view) override {
    return rule(*this, batch, exclude, view);
  }
  void observed(Time, Slot slot, std::uint32_t, Duration service, Duration) override { service_of[slot] = service; }
  Rule rule;
  Rng rng{1};
  std::map<Slot, Duration> service_of;
  std::map<ShardId, Slot> moved;
};
Subject broken(StrategyTraits traits, Broken::Rule rule) {
  return {traits, [rule](const StrategySetup&) { return std::make_unique<Broken>(rule); }};
}
std::optional<Slot> any(Broken& self, std::optional<Slot> exclude, const WorkerView& view) {
  return view.live().draw(self.rng, exclude);
}

TEST(BrokenStrategies, OneThatChoosesTheDeadIsFound) {
  EXPECT_THAT(answers_fit(broken({}, [](Broken&, const BatchMeta& batch, auto, const WorkerView& view) {
                return static_cast<Slot>(raw(batch.id) % view.slots());
              })),
              HasSubstr("not live"));
}
TEST(BrokenStrategies, OneThatWaitsForNothingIsFound) {
  EXPECT_THAT(answers_fit(broken({}, [](Broken& self, const BatchMeta& batch, auto exclude, const WorkerView& view) {
                return raw(batch.id) % 100 == 99 ? std::nullopt : any(self, exclude, view);
              })),
              HasSubstr("everybody is idle"));
}
TEST(BrokenStrategies, OneThatIgnoresExclusionIsFound) {
  const Subject subject = broken({}, [](Broken& self, const BatchMeta&, auto, const WorkerView& view) { return any(self, {}, view); });
  EXPECT_THAT(answers_fit(subject), HasSubstr("excluded"));
  EXPECT_THAT(exclusion_is_for_once(subject), HasSubstr("not avoided"));
}
TEST(BrokenStrategies, OneThatRemembersOtherRunsIsFound) {
  static std::uint64_t calls = 0;
  EXPECT_THAT(same_calls_same_answers(broken({}, [](Broken&, const BatchMeta&, auto, const WorkerView& view) {
                return view.live().members()[++calls % 7 % view.live().size()];
              })),
              HasSubstr("other answers"));
}
TEST(BrokenStrategies, OneThatNeverAnswersLosesBatches) {
  EXPECT_THAT(nothing_is_lost(broken({}, [](Broken&, const BatchMeta&, auto, const WorkerView& view) -> std::optional<Slot> {
                if (view.idle().empty()) return std::nullopt;
                const Slot slot = view.idle().members()[0];
                return slot == 2 && view.live().size() > 1 ? std::nullopt : std::optional(slot);
              })),
              testing::Not(""));
}
TEST(BrokenStrategies, OneThatPrefersTheFirstIsFound) {
  EXPECT_THAT(equals_are_equal(broken({}, [](Broken&, const BatchMeta&, auto, const WorkerView& view) {
                return *std::min_element(view.live().members().begin(), view.live().members().end());
              })),
              HasSubstr("of equals"));
}
TEST(BrokenStrategies, OneThatDealsInSlotOrderIsFoundByItsFirst) {
  EXPECT_THAT(equals_are_equal(broken({}, [](Broken& self, const BatchMeta&, auto, const WorkerView& view) {
                return static_cast<Slot>(self.moved[0]++ % view.live().size());
              })),
              HasSubstr("was first"));
}
TEST(BrokenStrategies, OneThatPrefersTheSlowIsFound) {
  EXPECT_THAT(slower_is_not_preferred(broken({.needs_feedback = true},
                                             [](Broken& self, const BatchMeta&, auto exclude, const WorkerView& view) {
                                               Slot slowest = *any(self, exclude, view);
                                               for (const auto& [slot, service] : self.service_of) {
                                                 if (service > self.service_of[slowest]) slowest = slot;
                                               }
                                               return slowest;
                                             })),
              HasSubstr("three times slower"));
}
TEST(BrokenStrategies, OneThatReshufflesKeysIsFound) {
  EXPECT_THAT(keys_stay(broken({.others_move = 0.05},
                               [](Broken&, const BatchMeta& batch, auto, const WorkerView& view) {
                                 std::vector<Slot> live(view.live().members().begin(), view.live().members().end());
                                 std::sort(live.begin(), live.end());
                                 return live[batch.shard % live.size()];
                               })),
              HasSubstr("of the others' keys moved"));
}
TEST(BrokenStrategies, OneWhoseExclusionMovesKeysIsFound) {
  EXPECT_THAT(exclusion_is_for_once(broken({.others_move = 0},
                                           [](Broken& self, const BatchMeta& batch, auto exclude, const WorkerView&) {
                                             Slot& home = self.moved.try_emplace(batch.shard, batch.shard % 4).first->second;
                                             if (home == exclude) home = (home + 1) % 4;
                                             return home;
                                           })),
              HasSubstr("moved a key"));
}

// ---- names -----------------------------------------------------------------------------------------------

std::string refusal(const std::string& text) {
  try {
    parse_strategy(text);
    return "was taken";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(StrategyNames, AnUnknownNameIsRefusedListingTheKnownOnes) {
  for (const std::string text : {"unifrom", "", ":", "uniform ", "Uniform"})
    EXPECT_THAT(refusal(text), AllOf(HasSubstr("'" + text + "'"), HasSubstr("uniform, dynamic, sharded")));
}
TEST(StrategyNames, ParametersAreChecked) {
  EXPECT_THAT(refusal("uniform:d=2"), HasSubstr("no parameter of uniform with a value; it has none"));
  EXPECT_THAT(refusal("jsq:e=2"), HasSubstr("'e=2' is no parameter of jsq with a value; it has d"));
  EXPECT_THAT(refusal("jsq:d"), HasSubstr("'d' is no parameter of jsq with a value"));
  EXPECT_THAT(refusal("jsq:"), HasSubstr("'' is no parameter"));
  EXPECT_THAT(refusal("jsq:d=0"), HasSubstr("--strategy 'jsq:d=0': d '0'"));
  EXPECT_THAT(refusal("jsq:d=2:d=3"), HasSubstr("d is given twice"));
  EXPECT_THAT(refusal("maglev:key=worker"), HasSubstr("give one of shard, batch"));
  EXPECT_THAT(refusal("ch-bl:c=0.5"), HasSubstr("c '0.5'"));
  EXPECT_THAT(refusal("peak-ewma:decay=soon"), HasSubstr("decay 'soon'"));
  EXPECT_NO_THROW(parse_strategy("ch-bl:key=batch:c=1.5"));
}
TEST(StrategyNames, AreWrittenInLettersDigitsAndDashesOnce) {
  std::set<std::string_view> seen;
  for (const StrategyKind& kind : strategy_kinds()) {
    EXPECT_EQ(kind.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos) << kind.name;
    EXPECT_TRUE(seen.insert(kind.name).second) << kind.name;
    EXPECT_FALSE(kind.rule.empty() || kind.source.empty()) << kind.name;
  }
}

}  // namespace
}  // namespace dp::conformance
