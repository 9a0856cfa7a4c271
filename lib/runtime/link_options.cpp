// SPDX-License-Identifier: MIT
#include "runtime/link_options.hpp"

#include "wire/endpoint.hpp"

namespace dp {

void add_link_options(Options& options) {
  options.section("Links")
      .value("heartbeat", "TIME",
             "between heartbeats; a peer that misses three is gone (same for all tools of a run)", "1s")
      .value("wait", "TIME", "longest time to wait for a missing peer before giving up with status 1", "60s")
      .flag("insecure", "allow endpoints beyond this host: messages are neither encrypted nor authenticated");
}

LinkTiming link_timing(const Options& options) {
  LinkTiming timing;
  timing.heartbeat = options.duration("heartbeat");
  timing.wait = options.duration("wait");
  if (timing.heartbeat < std::chrono::milliseconds(10)) {
    throw UsageError("--heartbeat '{}': give at least 10ms", options.text("heartbeat"));
  }
  return timing;
}

std::string endpoint_option(const Options& options, const std::string& name) {
  return checked_endpoint("--" + name, options.text(name), options.has("insecure"));
}

std::vector<std::string> record_of(const Options& options, const std::vector<std::string>& names) {
  std::vector<std::string> record;
  for (const std::string& name : names) {
    record.push_back(name);
    record.push_back(options.text(name));
  }
  record.emplace_back("command_line");
  record.push_back(options.command_line());
  return record;
}

}  // namespace dp
