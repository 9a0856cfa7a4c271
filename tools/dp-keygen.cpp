// dp-keygen: makes the keys with which the tools know each other.
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/file.hpp"
#include "base/options.hpp"
#include "wire/curve.hpp"

namespace {

using namespace dp;
namespace fs = std::filesystem;

constexpr const char* example =
    "  dp-keygen --out keys    # keys/stream.key, route.key, infer.key, collect.key, top.key, public\n"
    "  dp-collect --key keys/collect.key --allow keys/public &\n"
    "  dp-route --key keys/route.key --allow keys/public --server-key keys/public &\n"
    "  dp-infer --key keys/infer.key --server-key keys/public --backend synthetic &\n"
    "  dp-stream --key keys/stream.key --server-key keys/public --data synthetic:3x32x32 --samples 2000 && "
    "wait\n"
    "On several hosts:\n"
    "  A .key file is secret: it belongs on the host where its tool runs, and nowhere else. `public` may be "
    "seen by\n"
    "  all, and belongs on each host. A worker host gets two files:\n"
    "    scp keys/infer.key keys/public HOST:\n"
    "    ssh HOST dp-infer --key infer.key --server-key public --route tcp://HEAD:5602 --collect "
    "tcp://HEAD:5603\n"
    "One more worker host with a key of its own, which can be withdrawn by deleting its line from `public`:\n"
    "  dp-keygen --out keys --role infer --name lab7    # keys/infer-lab7.key, and a line in keys/public";

constexpr std::string_view letters_of_names =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

Options declare() {
  Options options("dp-keygen", "make the keys with which the tools of a run know each other", example);
  options.section("Keys")
      .value("out", "DIR", "where the keys go: ROLE.key, one a role, and `public`")
      .value("role", "stream|route|infer|collect|top",
             "make one further key only: stream, route, infer, collect or top")
      .value("name", "NAME", "of the further key: ROLE-NAME.key, and the comment on its line in `public`")
      .flag("force", "replace keys that are there: their owners are refused then");
  return options;
}

/// A file that nobody else may read: a new one or, by force, in the place of another. Throws Error.
void write_secret(const fs::path& path, const std::string& text, bool force) {
  if (force) return write_atomically(path, text, 0600);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.fd < 0 && errno == EEXIST)
    throw Error("{}: there is a key already (give --force to replace it, or another --out)", path.string());
  if (file.fd < 0) throw Error("{}: {}", path.string(), std::strerror(errno));
  if (::fchmod(file.fd, 0600) == 0 && write_all(file.fd, text) && ::fsync(file.fd) == 0) return;
  const Error problem("{}: {}", path.string(), std::strerror(errno));
  ::unlink(path.c_str());
  throw problem;
}

fs::path key_path(const fs::path& folder, Role role) { return folder / fmt::format("{}.key", key_name(role)); }

void make_all(const fs::path& folder, bool force) {
  const fs::path list = folder / "public";
  if (!force && fs::exists(list))
    throw Error("{}: there are keys already (give --force to replace them, or another --out)", list.string());
  for (const Role role : every_role) require_writable(key_path(folder, role));
  require_writable(list);
  std::string lines = "# Public keys, for --server-key and --allow: role, key, comment.\n";
  for (const Role role : every_role) {
    const KeyPair pair = make_key_pair(role);
    write_secret(key_path(folder, role), key_file_text(pair), force);
    lines += public_line(pair);
  }
  write_atomically(list, lines);
}

void make_one(const fs::path& folder, Role role, const std::string& name, bool force) {
  const fs::path list = folder / "public";
  const std::string owner = fmt::format("{} ", key_name(role)), comment = " " + name;
  std::string lines;
  for (const std::string& line : split(fs::exists(list) ? read_text(list) : "", '\n')) {
    const bool replaced = line.starts_with(owner) && line.ends_with(comment);
    if (!line.empty() && !(force && replaced)) lines += line + '\n';
  }
  require_writable(list);
  const KeyPair pair = make_key_pair(role);
  write_secret(folder / fmt::format("{}-{}.key", key_name(role), name), key_file_text(pair), force);
  write_atomically(list, lines + public_line(pair, name));
}

Exit run(Options& options) {
  if (!options.has("out")) throw UsageError("give --out DIR, where the keys go (see: dp-keygen --help)");
  if (options.has("role") != options.has("name"))
    throw UsageError("--role and --name: give both for one further key, or neither for a key of each role");
  const fs::path folder = options.text("out");
  const std::string name = options.text("name");
  std::optional<Role> role;
  if (options.has("role")) {
    role = role_of_key_name(options.choice("role", {"stream", "route", "infer", "collect", "top"}));
    if (name.empty() || name.size() > 100 || name.find_first_not_of(letters_of_names) != std::string::npos)
      throw UsageError("--name '{}': give 1 to 100 letters, digits, dots, dashes or underscores", name);
  }
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) throw Error("{}: {}", folder.string(), problem.message());
  if (role) {
    make_one(folder, *role, name, options.has("force"));
  } else {
    make_all(folder, options.has("force"));
  }
  return Exit::done;
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
