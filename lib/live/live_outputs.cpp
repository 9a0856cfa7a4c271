// SPDX-License-Identifier: MIT
#include "live/live_outputs.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace dp {

LiveOutputs::LiveOutputs(const LiveOptions& wanted, const std::optional<Security>& security) {
  if (!wanted.metrics.empty()) metrics_.emplace(wanted.metrics);
  if (wanted.live.empty()) return;
  if (wanted.live != local_run) {
    publisher_.emplace(wanted.live, security);
    return;
  }
  try {
    place_.emplace();
    publisher_.emplace(place_->endpoint(), std::nullopt);
  } catch (const Error& problem) {
    log_warn("{}: dp-top cannot watch this run (--live ENDPOINT names another place)", problem.what());
  }
}

void LiveOutputs::publish(Session from, Snapshot snapshot) {
  snapshot.number = ++number_;
  if (metrics_) metrics_->update(snapshot);
  if (publisher_) publisher_->publish(from, std::move(snapshot));
}

std::string LiveOutputs::ready() const {
  std::string text;
  if (publisher_) text += " live=" + publisher_->endpoint();
  if (metrics_) text += " metrics=" + metrics_->url();
  return text;
}

}  // namespace dp
