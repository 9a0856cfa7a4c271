// Where runs on this host publish so that dp-top finds them without being told: a folder of sockets that only their
// owner may enter, so that no keys are asked for there.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace dp {

/// dataparallel-UID in the folder for temporary files ($TMPDIR, else /tmp); need not exist.
std::filesystem::path local_runs_folder();

/// The place of this process's run: a socket's name, which goes with this.
class LocalRun {
 public:
  /// Makes the folder, and sweeps up what killed runs left. Throws Error if the folder could be entered by somebody else.
  LocalRun();
  ~LocalRun();
  LocalRun(const LocalRun&) = delete;
  LocalRun& operator=(const LocalRun&) = delete;

  std::string endpoint() const { return "ipc://" + socket_.string(); }

 private:
  std::filesystem::path socket_;
};

/// Endpoint of the latest run that somebody serves; "" if there is none.
std::string latest_local_run();

}  // namespace dp
