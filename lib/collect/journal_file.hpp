// The journal on disk: locked, appended to in groups, each synced before anybody is told of it.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "collect/journal.hpp"

namespace dp {

/// One thread of its own writes and syncs, so that the ledger's clock readings never wait for the disk.
class JournalFile {
 public:
  /// Opens or creates and locks the file, replays what it holds, cuts off a torn tail. Throws Error: in use
  /// by another process, damaged, not writable.
  JournalFile(const std::filesystem::path& path, const std::function<void(JournalRecord&&)>& replay);
  /// What is not durable by now may be lost.
  ~JournalFile();
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  /// Bytes of the torn tail that was cut off.
  std::uint64_t torn() const;
  /// Leaves nothing of what the file held; before anything is appended. Throws Error.
  void forget();

  /// Takes one group of records; groups reach the disk in order.
  void append(std::string group);
  /// Readable when `durable` may have something new to say.
  int descriptor() const;
  /// How many groups are on the disk. Throws Error once one could not be written or synced: what the disk
  /// holds is unknown from then on, so nothing is tried again.
  std::uint64_t durable();
  /// Waits until all groups are durable. Throws like `durable`.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dp
