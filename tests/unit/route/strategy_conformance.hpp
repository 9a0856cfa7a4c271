// What every strategy owes the dispatcher, whatever its rule: each check returns what is wrong, or "".
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "route/strategy.hpp"

namespace dp::conformance {

struct Subject {
  StrategyTraits traits;
  std::function<std::unique_ptr<Strategy>(const StrategySetup&)> make;
};

// Through a dispatcher, with workers that join, leave, die and return at random, and batches that fail:
std::string answers_fit(const Subject& subject);         ///< live, not excluded, and somebody if everybody is ready
std::string same_calls_same_answers(const Subject& subject);
std::string nothing_is_lost(const Subject& subject);     ///< every batch ends once, and in the end every load is 0
// In the quiet:
std::string equals_are_equal(const Subject& subject);    ///< of equal workers, each gets its share
std::string slower_is_not_preferred(const Subject& subject);  ///< rules with feedback, under saturation
std::string keys_stay(const Subject& subject);           ///< rules by key: what moves when a worker is lost or comes
std::string exclusion_is_for_once(const Subject& subject);

}  // namespace dp::conformance
