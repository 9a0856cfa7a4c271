// SPDX-License-Identifier: MIT
#include "runtime/link_options.hpp"

#include "wire/endpoint.hpp"

namespace dp {

namespace {

/// The servers a tool dials.
std::vector<Role> dialled_by(Role role) {
  if (role == Role::collect) return {};
  if (role == Role::route || role == Role::top) return {Role::collect};
  return {Role::route, Role::collect};
}
bool binds(Role role) { return role == Role::route || role == Role::collect; }

void require_file(const Options& options, const std::string& name, const char* what) {
  if (!options.has(name))
    throw UsageError("--key without --{}: give DIR/public of dp-keygen, {} (see: dp-keygen --help)", name,
                     what);
}

// Where a run's processes and files were, which its repetition chooses anew.
const std::vector<std::string> of_one_run = {"route",   "collect",     "bind",   "stream-bind", "worker-bind",
                                             "out",     "predictions", "events", "trace",       "decisions",
                                             "journal", "anew",        "run-id", "name",        "live",
                                             "metrics"};

}  // namespace

void add_link_options(Options& options, Role role) {
  options.section("Links")
      .value("heartbeat", "TIME",
             "between heartbeats; a peer that misses three is gone (same for all tools of a run)", "1s")
      .value("wait", "TIME", "longest time to wait for a missing peer before giving up with status 1", "60s");
  add_key_options(options, role);
}

void add_key_options(Options& options, Role role) {
  options.section("Keys").value(
      "key", "FILE", fmt::format("speak with this secret key, {}.key of dp-keygen", key_name(role)));
  if (!dialled_by(role).empty())
    options.value("server-key", "FILE",
                  "and only with the owners of the keys there (DIR/public of dp-keygen)");
  if (binds(role))
    options.value("allow", "FILE", "who may connect: owners of the keys there, each in its role");
  options.flag("insecure", "allow endpoints beyond this host without keys: anybody may read, and speak");
}

std::optional<Security> security_option(const Options& options, Role role) {
  const std::vector<Role> servers = dialled_by(role);
  if (!options.has("key")) {
    for (const char* name : {"server-key", "allow"}) {
      if ((std::string_view(name) == "allow" ? binds(role) : !servers.empty()) && options.has(name))
        throw UsageError("--{} without --key: give {}.key of dp-keygen too (see: dp-keygen --help)", name,
                         key_name(role));
    }
    return std::nullopt;
  }
  if (options.has("insecure")) throw UsageError("--key and --insecure: leave one of them out");
  Security security;
  if (!servers.empty()) require_file(options, "server-key", "which names whom to speak with");
  if (binds(role)) require_file(options, "allow", "which names who may connect");
  security.own = read_key(options.text("key"), role);
  if (!servers.empty()) {
    const std::string path = options.text("server-key");
    const PublicKeys keys = read_public_keys(path);
    for (const Role server : servers) security.servers[server] = key_of(keys, server, path);
  }
  if (binds(role)) security.allowed = read_public_keys(options.text("allow"));
  return security;
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
  const std::string flag = "--" + name;
  std::string endpoint =
      checked_endpoint(flag, options.text(name), options.has("insecure") || options.has("key"));
  require_resolved(flag, endpoint);
  return endpoint;
}

std::vector<std::string> record_of(const Options& options, const std::vector<std::string>& names) {
  std::vector<std::string> record;
  for (const std::string& name : names) {
    record.push_back(name);
    record.push_back(options.text(name));
  }
  record.insert(record.end(), {"command_line", options.command_line(), "toml", options.toml(of_one_run)});
  return record;
}

}  // namespace dp
