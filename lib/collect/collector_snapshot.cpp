// The collector's snapshot of a run: the recorder's figures, and who is there.
// SPDX-License-Identifier: MIT
#include "collect/collector.hpp"

namespace dp {
namespace {

constexpr std::size_t most_rows = 1000;
constexpr std::size_t longest_text = 200, most_warnings = 20;  ///< bytes; peers name themselves

std::string cut(const std::string& text) { return text.substr(0, longest_text); }

}  // namespace

Snapshot Collector::snapshot(Time now) const {
  Snapshot s;
  s.run = options_.run;
  s.state = ended_       ? RunState::done
            : finished() ? RunState::stopped
            : started()  ? RunState::running
                         : RunState::waiting;
  const Time at = ended_ ? std::min(now, recorder_.last()) : now;
  recorder_.fill_snapshot(at, s);
  if (plan_) s.planned = plan_->samples;
  s.strategy = cut(s.strategy);
  s.waiting_batches = announced_.size();
  s.waiting_samples = std::max(s.announced, s.completed + s.failed) - s.completed - s.failed;
  std::map<std::pair<Role, std::string>, Presence> present = presence_;
  for (const auto& who : recorder_.processes()) {
    // Whom the journal tells of, and nobody has heard since.
    const bool here = who.first == Role::collect;
    present.try_emplace(
        who, here ? Presence{PeerPresence::connected, now} : Presence{PeerPresence::lost, options_.begun});
  }
  for (const auto& [id, peer] : peers_.peers()) present[{peer.role, peer.name}].heard = peer.heard;
  for (const auto& [who, presence] : present) {
    if (s.roles.size() == most_rows) {
      ++s.unlisted;
      continue;
    }
    s.roles.push_back(static_cast<std::uint8_t>(who.first));
    s.names.push_back(cut(who.second));
    s.states.push_back(static_cast<std::uint8_t>(presence.state));
    s.unheard.push_back(std::max(Duration{}, between(presence.heard, now)));
    recorder_.fill_process(who.first, who.second, at, s);
    s.hosts.back() = cut(s.hosts.back());
    if (presence.state == PeerPresence::lost && !ended_)
      s.warnings.push_back(fmt::format("{} {} was lost", name_of(who.first), s.names.back()));
  }
  if (s.state == RunState::waiting) fill_missing(s);
  if (s.warnings.size() > most_warnings) s.warnings.resize(most_warnings);
  for (std::string& warning : s.warnings) warning = cut(warning);
  return s;
}

void Collector::fill_missing(Snapshot& s) const {
  for (const Role role : {Role::stream, Role::route}) {
    if (!find_role(role)) s.warnings.push_back(fmt::format("no {} yet", name_of(role)));
  }
  if (!find_role(Role::infer)) s.warnings.emplace_back("no worker yet");
}

}  // namespace dp
