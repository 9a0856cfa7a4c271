// What a stage or link put into its outbox, for tests.
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "wire/stage.hpp"

namespace dp {

/// Takes the messages of type M out of the outbox, with where they go and their sessions; drops everything
/// else.
template <class M>
std::vector<Send> take_sent(Outbox& out) {
  std::vector<Send> sent;
  for (Action& action : out.actions()) {
    auto* send = std::get_if<Send>(&action);
    if (send && std::holds_alternative<M>(send->envelope.body)) sent.push_back(std::move(*send));
  }
  out.actions().clear();
  return sent;
}

template <class A>
std::size_t count_of(const Outbox& out) {
  std::size_t count = 0;
  for (const Action& action : const_cast<Outbox&>(out).actions()) count += std::holds_alternative<A>(action);
  return count;
}

}  // namespace dp
