// SPDX-License-Identifier: MIT
#include "wire/curve.hpp"

#include <sys/stat.h>
#include <zmq.h>

#include <array>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"

namespace dp {
namespace {

constexpr std::size_t key_size = 40;  ///< characters of Z85 for 32 bytes
constexpr std::uintmax_t max_file_bytes = 1 << 20;

/// CURVE's 32 bytes behind the text, or nothing.
bool is_key(const std::string& text) {
  std::array<std::uint8_t, 32> bytes{};
  return text.size() == key_size && ::zmq_z85_decode(bytes.data(), text.c_str()) != nullptr;
}

/// One line's words; none for an empty line or a comment.
std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(std::move(word));
  if (!words.empty() && words[0].starts_with('#')) words.clear();
  return words;
}

std::string read_small(const std::filesystem::path& path) {
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown))
    throw Error("{}: no such file (make keys: dp-keygen --out DIR)", path.string());
  if (std::filesystem::file_size(path, unknown) > max_file_bytes && !unknown)
    throw Error("{}: too large for a file of keys", path.string());
  return read_text(path);
}

void refuse_if_others_may_read(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
    throw Error("{}: a secret key that others may read (mode {:04o}; run: chmod 600 {})", path.string(),
                status.st_mode & 07777, path.string());
  }
}

}  // namespace

std::optional<Role> role_of_key_name(std::string_view name) {
  for (const Role role : every_role) {
    if (name == key_name(role)) return role;
  }
  return std::nullopt;
}

bool curve_is_there() { return ::zmq_has("curve") == 1; }

KeyPair make_key_pair(Role role) {
  std::array<char, key_size + 1> open{}, secret{};
  if (::zmq_curve_keypair(open.data(), secret.data()) != 0)
    throw Error("cannot make a key: this libzmq was built without CURVE");
  return {role, open.data(), secret.data()};
}

std::string key_file_text(const KeyPair& pair) {
  return fmt::format(
      "# Secret key of a {}: whoever has it can pass for one. role, public key, secret key:\n{} {} {}\n",
      name_of(pair.role), key_name(pair.role), pair.open, pair.secret);
}

std::string public_line(const KeyPair& pair, std::string_view comment) {
  return fmt::format("{} {}{}{}\n", key_name(pair.role), pair.open, comment.empty() ? "" : " ", comment);
}

KeyPair read_key(const std::filesystem::path& path, Role wanted) {
  std::istringstream lines(read_small(path));
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    if (words.empty()) continue;
    const auto role = role_of_key_name(words[0]);
    if (words.size() != 3 || !role || !is_key(words[1]) || !is_key(words[2])) break;
    std::array<char, key_size + 1> open{};
    if (::zmq_curve_public(open.data(), words[2].c_str()) != 0 || words[1] != open.data()) break;
    refuse_if_others_may_read(path);
    if (*role != wanted)
      throw Error("{}: the key of a {}, not of a {}", path.string(), name_of(*role), name_of(wanted));
    return {*role, words[1], words[2]};
  }
  throw Error("{}: not a secret key as dp-keygen makes them (give {}.key, not the file of public keys)",
              path.string(), key_name(wanted));
}

PublicKeys read_public_keys(const std::filesystem::path& path) {
  std::istringstream lines(read_small(path));
  PublicKeys keys;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const auto words = words_of(line);
    if (words.empty()) continue;
    const auto role = role_of_key_name(words[0]);
    if (!role)
      throw Error("{}:{}: '{:.20}' is none of stream, route, infer, collect, top", path.string(), number,
                  words[0]);
    if (words.size() > 2 && is_key(words[2]))
      throw Error("{}:{}: a secret key (give the file of public keys that dp-keygen made)", path.string(),
                  number);
    if (words.size() < 2 || !is_key(words[1]))
      throw Error("{}:{}: no public key of 40 characters after '{}'", path.string(), number, words[0]);
    if (const auto [entry, fresh] = keys.emplace(words[1], *role); !fresh && entry->second != *role)
      throw Error("{}:{}: this key is also that of a {}", path.string(), number, name_of(entry->second));
  }
  if (keys.empty()) throw Error("{}: no keys in it (make some: dp-keygen --out DIR)", path.string());
  return keys;
}

std::string key_of(const PublicKeys& keys, Role role, const std::filesystem::path& path) {
  std::string found;
  for (const auto& [key, owner] : keys) {
    if (owner != role) continue;
    if (!found.empty())
      throw Error("{}: more than one key of a {}: leave the one of this run's", path.string(), name_of(role));
    found = key;
  }
  if (found.empty())
    throw Error("{}: no line '{} KEY', so {} cannot be told from anyone else", path.string(), key_name(role),
                name_of(role));
  return found;
}

}  // namespace dp
