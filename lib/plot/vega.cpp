// Child processes: stdin, stdout and stderr are unnamed files, so that nothing can block on a full pipe.
// SPDX-License-Identifier: MIT
#include "plot/vega.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/error.hpp"
#include "base/options.hpp"

extern char** environ;

namespace dp {
namespace {

namespace fs = std::filesystem;

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File unnamed_file() {
  File file(std::tmpfile());
  if (!file) throw Error("cannot make a temporary file: {} (is there room in /tmp?)", std::strerror(errno));
  fcntl(fileno(file.get()), F_SETFD, FD_CLOEXEC);
  return file;
}

std::string contents(std::FILE* file) {
  std::string text;
  char block[65536];
  std::rewind(file);
  while (const std::size_t n = std::fread(block, 1, sizeof block, file)) text.append(block, n);
  return text;
}

/// Starts the command on the three files and waits for its end; returns waitpid's status.
int run(const std::vector<std::string>& command, const File& in, const File& out, const File& err) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(in.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(err.get()), STDERR_FILENO);
  pid_t child = 0;
  const int error = posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw Error("{}: cannot be started: {}", command[0], std::strerror(error));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

bool is_program(const fs::path& path) { return access(path.c_str(), X_OK) == 0 && fs::is_regular_file(path); }

}  // namespace

std::vector<fs::path> renderer_folders() {
  std::vector<fs::path> folders;
  if (const char* given = std::getenv("DP_VEGA")) folders.emplace_back(given);
  folders.push_back(fs::read_symlink("/proc/self/exe").parent_path() / "../vega");
  const char *data = std::getenv("XDG_DATA_HOME"), *home = std::getenv("HOME");
  if (data != nullptr && *data != 0) folders.push_back(fs::path(data) / "dataparallel/vega");
  else if (home != nullptr) folders.push_back(fs::path(home) / ".local/share/dataparallel/vega");
  return folders;
}

fs::path find_renderer(const std::string& program, const std::vector<fs::path>& folders) {
  std::vector<fs::path> places;
  for (const fs::path& folder : folders) {
    places.push_back(folder);
    places.push_back(folder / "node_modules" / ".bin");
  }
  const char* path = std::getenv("PATH");
  for (const std::string& place : split(path == nullptr ? "" : path, ':')) places.emplace_back(place);
  for (const fs::path& place : places) {
    if (is_program(place / program)) return place / program;
  }
  throw Error(
      "{} not found (run: make -f Makefile.bench deps, or dp-install-vega of an installation; or say where "
      "it is with "
      "--vega DIR)",
      program);
}

std::string run_filter(const std::vector<std::string>& command, const std::string& input) {
  const File in = unnamed_file(), out = unnamed_file(), err = unnamed_file();
  if (std::fwrite(input.data(), 1, input.size(), in.get()) != input.size() || std::fflush(in.get()) != 0) {
    throw Error("cannot write a temporary file: {}", std::strerror(errno));
  }
  std::rewind(in.get());
  const int status = run(command, in, out, err);
  if (status == 0) return contents(out.get());
  throw Error("{} failed ({} {}): {}", command[0], WIFSIGNALED(status) ? "signal" : "status",
              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), contents(err.get()));
}

}  // namespace dp
