// Key pairs, the files they live in, and who is let in: CURVE's keys in Z85, one line a key. Whether a connection may
// speak is decided by the gate (gate.hpp).
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/message.hpp"

namespace dp {

/// Those that have keys.
inline const std::vector<Role> every_role{Role::stream, Role::route, Role::infer, Role::collect, Role::top};

/// The role as it is written in key files: `stream`, not `dp-stream`.
constexpr std::string_view key_name(Role role) { return std::string_view(name_of(role)).substr(3); }
std::optional<Role> role_of_key_name(std::string_view name);

/// Both halves of a key, each 40 characters of Z85.
struct KeyPair {
  Role role{};
  std::string open, secret;
};

/// Who owns a public key, by the key.
using PublicKeys = std::map<std::string, Role, std::less<>>;

/// What a tool needs to speak to others with keys.
struct Security {
  KeyPair own;
  std::map<Role, std::string> servers;  ///< keys of the servers it dials
  PublicKeys allowed;                   ///< who may connect to it
};

/// Whether libzmq can encrypt.
bool curve_is_there();
/// Drawn by libzmq from the operating system.
KeyPair make_key_pair(Role role);
/// What `role.key` holds, comment included.
std::string key_file_text(const KeyPair& pair);
/// The line of a key in a public file.
std::string public_line(const KeyPair& pair, std::string_view comment = {});

/// Reads `role.key` of `dp-keygen`. Throws Error if it is not one, belongs to another role, or can be read by others.
KeyPair read_key(const std::filesystem::path& path, Role wanted);
/// Reads lines `role public-key [comment]`; empty lines and those that begin with # are skipped. Throws Error naming the
/// line.
PublicKeys read_public_keys(const std::filesystem::path& path);
/// The one key of this role. Throws Error if there is none or more than one.
std::string key_of(const PublicKeys& keys, Role role, const std::filesystem::path& path);

}  // namespace dp
