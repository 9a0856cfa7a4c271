// A file, pipe or stdout that is written to while a run lasts, by a thread of its own: whoever appends never
// waits for the disk or the reader, and a failure is told, not thrown. Not for what must not be lost: that is
// the journal's.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace dp {

class OutputFile {
 public:
  /// Opens for appending, "-" being stdout; makes missing folders. A pipe that nobody reads yet is gone on trying: what
  /// is appended waits for its reader. Throws Error naming the path.
  explicit OutputFile(const std::string& path);
  /// What is not written by now may be lost.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// A file on a disk that was named, so that it can be read and cut; what was handed over open, as by /dev/stdout, is
  /// not.
  bool regular() const;
  /// A pipe that nobody has begun to read for half a second.
  bool unread() const;
  /// Leaves only the first so many bytes. Throws Error.
  void cut(std::size_t bytes);
  /// Takes text to be written; nothing is taken any more once there is a problem.
  void append(std::string text);
  /// Waits until everything is written, or there is a problem; a reader that takes nothing for five seconds, or does not
  /// come, is one.
  void drain();
  /// Why not everything was written; "": it was, or will be.
  std::string problem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dp
